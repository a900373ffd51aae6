"""Backup, restore and export of a classroom."""
