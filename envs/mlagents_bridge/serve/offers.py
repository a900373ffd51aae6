"""Which environments there are, by the name that `--env` gives, and how they are offered to a trainer."""

import argparse
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mlagents_bridge.behaviors import Behavior
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.serve.parallel import ParallelWorld, Teams
from mlagents_bridge.serve.snowball import SnowballWorld
from mlagents_bridge.serve.worlds import MAX_ARENAS, World
from snowball_fight import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO

_SNOWBALL: Final = {
    "snowball_fight_1v1": ("SnowballFight", ONE_VS_ONE),
    "snowball_fight_2v2": ("SnowballFight2vs2", TWO_VS_TWO),
    "snowball_target": ("SnowballTarget", TARGET_PRACTICE),
}
_USUAL_ARENAS: Final = 32
_PETTINGZOO: Final = {
    "fight_1vs1": "snowball_fight.parallel.fight_1vs1:parallel_env",
    "fight_2vs2": "snowball_fight.parallel.fight_2vs2:parallel_env",
}


@dataclass(frozen=True)
class Offer:
    """What a launcher offers to the trainer.

    Attributes:
        env: A name of the catalogue, or `module:function` for a parallel environment of PettingZoo.
        arenas: How many copies; as many times more as the trainer has areas.
        threads: Threads that share the arenas, where the game is batched.
        teams: For parallel environments, see `ParallelWorld`.
    """

    env: str
    arenas: int = 1
    threads: int = 1
    teams: Teams = field(default_factory=dict)

    def make(self, seed: int, n_areas: int) -> World:
        """The world.

        Args:
            seed: As the trainer gives it, any whole number of 32 bits.
            n_areas: How many copies of the training area the trainer asks for. As in Unity, where an area may hold
                several arenas, that multiplies.

        Raises:
            BridgeError: If there is no such environment, or it cannot be offered.
        """
        n_arenas = self.arenas * max(n_areas, 1)
        _check_number(n_arenas)
        if self.env in _SNOWBALL:
            name, spec = _SNOWBALL[self.env]
            if self.teams:
                raise BridgeError(f"{self.env} has its teams already: leave --teams out.")
            return SnowballWorld(name, spec, n_arenas, seed % 2**31, self.threads)
        return ParallelWorld(_function_of(self.env), n_arenas, seed % 2**31, self.teams)

    def arguments(self) -> list[str]:
        """Of `play`, for a launcher."""
        teams = [f"--teams={name}={','.join(sides)}" for name, sides in self.teams.items()]
        return [f"--env={self.env}", f"--arenas={self.arenas}", f"--threads={self.threads}", *teams]


def offer_of(options: argparse.Namespace) -> Offer:
    """The offer that a command line describes.

    Args:
        options: With `env`, `arenas`, `threads` and `teams`.

    Raises:
        BridgeError: If they make no sense.
    """
    if options.threads < 1:
        raise BridgeError(f"There has to be at least one thread, not {options.threads}.")
    arenas = options.arenas
    if arenas is None:
        arenas = _USUAL_ARENAS if options.env in _SNOWBALL else 1
    _check_number(arenas)
    return Offer(options.env, arenas, options.threads, dict(_read_teams(text) for text in options.teams))


def _check_number(n_arenas: int) -> None:
    if not 1 <= n_arenas <= MAX_ARENAS:
        raise BridgeError(f"There can be 1 to {MAX_ARENAS:,} arenas, not {n_arenas:,}.")


def _read_teams(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, sides = text.partition("=")
    stems = tuple(stem for stem in sides.split(",") if stem)
    if not name or len(stems) < 2:
        raise BridgeError(f"Teams are given as NAME=STEM,STEM, such as Fighter=red,blue, not {text!r}.")
    return name, stems


def rehearse(offer: Offer) -> tuple[Behavior, ...]:
    """Makes one arena and plays a step in it.

    Returns:
        What there is to train.

    Raises:
        BridgeError: If the environment cannot be offered.
    """
    world = replace(offer, arenas=1).make(0, 1)
    try:
        world.reset()
        world.step({})
    finally:
        world.close()
    return world.behaviors


def described(behavior: Behavior) -> str:
    """A behaviour in a line: `Robot?team=0: observes rays 30, own 7; acts by branches of 3, 3, 2 choices`."""
    seen = ", ".join(f"{sensor.name} {'x'.join(map(str, sensor.shape))}" for sensor in behavior.sensors)
    acts = [f"{behavior.n_continuous} numbers"] if behavior.n_continuous else []
    acts += [f"branches of {', '.join(map(str, behavior.branches))} choices"] if behavior.branches else []
    return f"{behavior.name}: observes {seen}; acts by {' and '.join(acts)}"


def _function_of(env: str) -> Callable[[], Any]:
    """The function that makes a parallel environment."""
    module_name, colon, function_name = _PETTINGZOO.get(env, env).partition(":")
    if not colon:
        known = ", ".join((*_SNOWBALL, *_PETTINGZOO))
        raise BridgeError(f"There is no environment {env!r}: take {known}, or module:function for one of PettingZoo.")
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError) as error:
        raise BridgeError(
            f"{env} cannot be imported: {error}. The module has to lie in the folder where the trainer is started, or "
            "in an installed package."
        ) from error
    return function  # type: ignore[no-any-return]  # called, and checked, by ParallelWorld
