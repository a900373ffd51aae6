"""Alembic migrations of the Hub's database."""
