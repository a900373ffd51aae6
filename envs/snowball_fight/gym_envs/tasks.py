"""What a single learner can be asked to do: win a fight, or hit targets."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from snowball_fight.gym_envs import opposition
from snowball_fight.gym_envs.opposition import Opponent
from snowball_fight.spec import ONE_VS_ONE, TARGET_PRACTICE, ArenaSpec

if TYPE_CHECKING:
    from snowball_fight.arenas import Arenas


class Count(NamedTuple):
    """Something that `info` counts over an episode.

    Attributes:
        name: Its key in `info`.
        field: The field of `Outcome` that says how many a step adds.
        agent: Whose.
    """

    name: str
    field: str
    agent: int


class Task(Protocol):
    """What the learner's environments, single or vector, have to know of the game."""

    @property
    def spec(self) -> ArenaSpec:
        """The kind of game."""
        ...

    @property
    def seat(self) -> int:
        """Which agent of an arena the learner is."""
        ...

    @property
    def counts(self) -> tuple[Count, ...]:
        """What `info` counts."""
        ...

    def take(self, options: Mapping[str, Any]) -> None:
        """Takes the options of a reset; raises before anything has changed."""
        ...

    def choose_for_others(self, arenas: "Arenas", actions: NDArray[np.int64]) -> None:
        """Writes the actions of all agents but the learner into `actions`, int64 `[n_arenas, n_agents, 4]`."""
        ...


class Fight:
    """One against one.

    Args:
        opponent: Who plays against the learner.
        seat: Whether the learner lives in the home of team 0 or of team 1.

    Raises:
        TypeError: If the opponent is neither a name, nor several, nor a function.
        ValueError: If there is no such opponent or seat.
    """

    spec = ONE_VS_ONE

    def __init__(self, opponent: Opponent, seat: int) -> None:
        self.take({"opponent": opponent, "seat": seat})

    def take(self, options: Mapping[str, Any]) -> None:
        """Changes opponent and seat, from this reset on.

        Args:
            options: `{"opponent": ..., "seat": 0 or 1}`; what is left out stays.

        Raises:
            TypeError: If the opponent is neither a name, nor several, nor a function.
            ValueError: If there is no such option, opponent or seat. Nothing has changed then.
        """
        _refuse_unknown(options, ("opponent", "seat"))
        if "opponent" in options:
            opposition.check_opponent(options["opponent"])
        if options.get("seat", 0) not in (0, 1):
            raise ValueError(f"A seat is 0 or 1, the home of team 0 or of team 1, not {options['seat']!r}.")
        self.opponent: Opponent = options.get("opponent", getattr(self, "opponent", "still"))
        self.seat = int(options.get("seat", getattr(self, "seat", 0)))
        self.counts = (Count("hits", "hits", self.seat), Count("opponent_hits", "hits", 1 - self.seat))

    def choose_for_others(self, arenas: "Arenas", actions: NDArray[np.int64]) -> None:
        """Writes the opponent's actions."""
        opposition.choose(self.opponent, arenas, 1 - self.seat, actions)


class TargetPractice:
    """Nobody to fight: targets to hit."""

    spec = TARGET_PRACTICE
    seat = 0
    counts = (Count("hits", "hits", 0), Count("throws", "throws", 0))

    def take(self, options: Mapping[str, Any]) -> None:
        """Refuses every option: there are none."""
        _refuse_unknown(options, ())

    def choose_for_others(self, arenas: "Arenas", actions: NDArray[np.int64]) -> None:
        """There are no others."""


def _refuse_unknown(options: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = ", ".join(repr(name) for name in options if name not in known)
    if unknown:
        hint = f"take {' or '.join(map(repr, known))}" if known else "there are none"
        raise ValueError(f"A reset of this environment knows no option {unknown}: {hint}.")
