"""The leaderboard's migrations."""

from pathlib import Path

from rl_hub.database.schema import Schema

LEADERBOARD = Schema("the leaderboard", "0002", Path(__file__).parent / "migrations")
