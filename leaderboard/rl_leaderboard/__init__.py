"""The leaderboard and classroom: boards, students, progress, certificates and lessons."""

from rl_units import __version__

__all__ = ["__version__"]
