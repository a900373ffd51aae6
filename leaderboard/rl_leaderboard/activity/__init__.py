"""What happens, as everybody may see it."""
