"""Repositories: their commits, revisions, files and what is listed about them."""
