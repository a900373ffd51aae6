"""Boards: who stands where, and how they are read a page at a time."""
