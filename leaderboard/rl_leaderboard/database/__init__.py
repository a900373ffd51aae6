"""The leaderboard's database: tables and migrations."""
