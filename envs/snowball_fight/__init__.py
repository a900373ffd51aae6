"""Snowball Fight: two agents, or two teams, throw snowballs across a frontier. Compiled, batched, reproducible.

Importing the package registers its environments with Gymnasium and loads no compiler.
"""

from typing import TYPE_CHECKING, Any

from snowball_fight.registration import register_environments
from snowball_fight.spec import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO, ArenaSpec

if TYPE_CHECKING:
    from snowball_fight.arenas import Arenas

__all__ = ["ONE_VS_ONE", "TARGET_PRACTICE", "TWO_VS_TWO", "ArenaSpec", "Arenas"]

register_environments()


def __getattr__(name: str) -> Any:
    """`Arenas`, when it is asked for: it brings the compiler."""
    if name == "Arenas":
        from snowball_fight.arenas import Arenas

        return Arenas
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
