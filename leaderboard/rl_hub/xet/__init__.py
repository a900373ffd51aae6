"""The write side of Xet, by which clients from 1.20 on send large files."""
