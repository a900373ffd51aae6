"""What the client calls."""
