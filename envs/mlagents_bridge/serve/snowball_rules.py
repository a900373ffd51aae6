"""Which constants of Snowball Fight the trainer's configuration may change, and what comes of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from mlagents_bridge.serve.parameters import Parameters
from mlagents_bridge.side_channels import Parameter, Sampler
from snowball_fight import ArenaSpec


class Limits(NamedTuple):
    """Between which values a constant makes a game.

    Attributes:
        low: The lowest.
        high: The highest.
        whole: Whether it is a whole number; others are rounded.
    """

    low: float
    high: float
    whole: bool = False


PARAMETERS: Final = {
    "half_width": Limits(2.0, 20.0),
    "half_length": Limits(2.0, 20.0),
    "agent_radius": Limits(0.1, 1.0),
    "agent_speed": Limits(0.0, 10.0),
    "grip": Limits(0.01, 1.0),
    "turn_per_tick": Limits(0, 30, whole=True),
    "start_spread": Limits(0, 180, whole=True),
    "snowball_radius": Limits(0.05, 1.0),
    "snowball_speed": Limits(1.0, 40.0),
    "flight_seconds": Limits(0.1, 10.0),
    "cooldown_seconds": Limits(0.1, 20.0),
    "hits_to_fall": Limits(1, 100, whole=True),
    "hit_reward": Limits(0.0, 0.5),
    "target_reward": Limits(0.0, 10.0),
    "target_radius": Limits(0.1, 1.5),
    "target_speed": Limits(0.0, 10.0),
    "n_gliding_targets": Limits(0, 3, whole=True),
    "ray_length": Limits(1.0, 50.0),
    "ray_radius": Limits(0.0, 1.0),
    "max_ticks": Limits(10, 100_000, whole=True),
}
"""Fields of `ArenaSpec` by name. The others say what an observation, an action or a step is, which a trainer that is at
work cannot change: numbers of teams, agents and targets, the shelters, and how long a tick and a decision last."""


class Rules:
    """Says by which constants an arena plays its next episode.

    Args:
        spec: The constants that hold where no parameter does.
    """

    def __init__(self, spec: ArenaSpec) -> None:
        self._spec = spec
        self._parameters = Parameters(_fault)

    def __bool__(self) -> bool:
        """Whether any parameter was set."""
        return bool(self._parameters)

    def take(self, parameters: Sequence[Parameter]) -> None:
        """Takes parameters; names that are none, and values that make no game, are told in the log and left out."""
        for parameter in parameters:
            self._parameters.take(parameter)

    def draw(self) -> ArenaSpec | None:
        """The constants of an episode; None if they make no fair game together, which is told in the log."""
        values: dict[str, Any] = {}
        for name, value in self._parameters.draw().items():
            low, high, whole = PARAMETERS[name]
            # A Gaussian sampler has no ends of its own.
            held = min(max(value, low), high)
            values[name] = round(held) if whole else held
        try:
            return replace(self._spec, **values)
        except ValueError as error:
            self._parameters.say(f"An arena keeps its rules, as {_listed(values)} make no fair game. {error}")
            return None


def _fault(parameter: Parameter) -> str:
    limits = PARAMETERS.get(parameter.name)
    if limits is None:
        return f"this game knows {', '.join(PARAMETERS)}"
    ends = parameter.value[:1] if parameter.sampler is Sampler.GAUSSIAN else parameter.value
    wrong = [value for value in ends if not limits.low <= value <= limits.high]
    return f"it goes from {limits.low:g} to {limits.high:g}, and {wrong[0]:g} lies outside" if wrong else ""


def _listed(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in values.items())
