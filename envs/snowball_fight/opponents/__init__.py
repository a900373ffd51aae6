"""Scripted players, from one that does nothing to one that leads its throws: a fixed scale to measure agents against.

A player's choices depend on what an agent could know, on the arena's seed, the episode and the tick; none keeps a
memory. They stay as they are for a version of the arena.
"""

from typing import TYPE_CHECKING, Any

from snowball_fight.opponents.players import RATINGS, Player

if TYPE_CHECKING:
    from snowball_fight.opponents.choosing import choose_actions

__all__ = ["RATINGS", "Player", "choose_actions"]


def __getattr__(name: str) -> Any:
    """`choose_actions`, once it is asked for: it brings the compiler."""
    if name == "choose_actions":
        from snowball_fight.opponents.choosing import choose_actions

        return choose_actions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
