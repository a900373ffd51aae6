"""Who plays against the learner: scripted players by name, or a function."""

from collections.abc import Callable, Sequence
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

Opponent: TypeAlias = str | Sequence[str] | Callable[[Observations], Actions]
"""A scripted player's name; several names, of which one is drawn for every episode, a repeated one more often; or a
function from observations, float32 `[n, floats]`, to actions, integers `[n, 4]`."""


def check_opponent(opponent: Opponent) -> None:
    """Refuses what cannot play.

    Args:
        opponent: What was asked for.

    Raises:
        ValueError: If there is no name, or one that no scripted player has.
        TypeError: If it is neither a name, nor several, nor a function.
    """
    if callable(opponent):
        return
    if not isinstance(opponent, Sequence):
        raise TypeError(
            f"An opponent is a name ({', '.join(NAMES)}), a list of names, or a function from observations [n, floats] "
            f"to actions [n, 4], not {type(opponent).__name__}."
        )
    if not opponent:
        raise ValueError("A list of opponents has at least one name.")
    for name in _names(opponent):
        if name not in NAMES:
            raise ValueError(f"There is no opponent {name!r}: take one of {', '.join(NAMES)}, or give a function.")


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
    if not callable(opponent):
        _choose_actions()(arenas, seat, [_SCRIPTED[name] for name in _names(opponent)], actions)
        return
    chosen = opponent(arenas.outcome.observations[:, seat].copy())
    actions[:, seat] = checked_actions(chosen, (arenas.n_arenas, 4), "What the opponent gives back")


def _names(opponent: str | Sequence[str]) -> Sequence[str]:
    return [opponent] if isinstance(opponent, str) else opponent


@cache
def _choose_actions() -> Callable[["Arenas", int, Sequence[Player], NDArray[np.int64]], None]:
    """What lets scripted players choose; its import loads the compiler."""
    from snowball_fight.opponents.choosing import choose_actions

    return choose_actions
