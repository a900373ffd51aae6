"""One against one, as a PettingZoo environment."""

from typing import Any

from pettingzoo.utils.conversions import parallel_to_aec

from snowball_fight.parallel.teams import Teams
from snowball_fight.spec import ONE_VS_ONE

__all__ = ["env", "parallel_env"]


def parallel_env(render_mode: str | None = None, max_cycles: int | None = None) -> Teams:
    """All agents act at once; see `Teams` for arguments, rewards and infos."""
    return Teams(ONE_VS_ONE, "snowball_fight_1vs1_v0", render_mode, max_cycles)


def env(render_mode: str | None = None, max_cycles: int | None = None) -> Any:
    """The same game with one agent acting after the other; the arena moves on when all have."""
    return parallel_to_aec(parallel_env(render_mode, max_cycles))
