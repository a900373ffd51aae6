"""Who is who: people, their sessions and tokens, and what they may do."""
