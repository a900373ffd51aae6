"""Who plays against the learner: a scripted player by name, or a function."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from snowball_fight.opponents.players import Player
from snowball_fight.spaces import Actions, Observations, checked_actions

if TYPE_CHECKING:
    from snowball_fight.arenas import Arenas

_SCRIPTED: Final = {player.name.lower(): player for player in Player}

NAMES: Final = tuple(_SCRIPTED)
"""The scripted players, from weakest to strongest."""

Opponent: TypeAlias = str | Callable[[Observations], Actions]
"""A scripted player's name, or a function from observations, float32 `[n, floats]`, to actions, integers `[n, 4]`."""


def check_opponent(opponent: Opponent) -> None:
    """Refuses what cannot play.

    Args:
        opponent: What was asked for.

    Raises:
        ValueError: If it is a name that no scripted player has.
        TypeError: If it is neither a name nor a function.
    """
    if isinstance(opponent, str):
        if opponent not in NAMES:
            raise ValueError(f"There is no opponent {opponent!r}: take one of {', '.join(NAMES)}, or give a function.")
    elif not callable(opponent):
        raise TypeError(
            f"An opponent is a name ({', '.join(NAMES)}) or a function from observations [n, floats] to actions "
            f"[n, 4], not {type(opponent).__name__}."
        )


def choose(opponent: Opponent, arenas: "Arenas", seat: int, actions: NDArray[np.int64]) -> None:
    """Writes the opponent's actions in every arena.

    Args:
        opponent: A checked opponent. A function gets an array of its own, which it may keep.
        arenas: The games as they stand.
        seat: Which agent the opponent is.
        actions: int64 `[n_arenas, n_agents, 4]`; `actions[:, seat]` is overwritten.

    Raises:
        TypeError: If a function gives something else than integers.
        ValueError: If it gives another shape than `[n_arenas, 4]`.
    """
    if isinstance(opponent, str):
        _choose_actions()(arenas, seat, _SCRIPTED[opponent], actions)
        return
    chosen = opponent(arenas.outcome.observations[:, seat].copy())
    actions[:, seat] = checked_actions(chosen, (arenas.n_arenas, 4), "What the opponent gives back")


@cache
def _choose_actions() -> Callable[["Arenas", int, Player, NDArray[np.int64]], None]:
    """What lets scripted players choose; its import loads the compiler."""
    from snowball_fight.opponents.choosing import choose_actions

    return choose_actions
