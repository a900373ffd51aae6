"""Who is who: users, organisations, tokens, sessions and what they may do."""
