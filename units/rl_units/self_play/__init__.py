"""Self-play in Snowball Fight: an agent learns against itself and its past selves, rated against fixed players."""
