"""Certificates: drawing them and, with the database, issuing and checking them."""
