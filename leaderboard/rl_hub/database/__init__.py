"""The Hub's database: tables, transactions and migrations."""
