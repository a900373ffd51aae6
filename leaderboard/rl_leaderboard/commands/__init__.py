"""`python -m rl_leaderboard`, one module a group of commands."""
