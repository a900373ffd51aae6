"""The whole state of many arenas.

An arena is one record: all that a tick needs lies side by side in memory, and compiled functions pass it on as one
pointer. (A tuple of arrays would be counted, reference by reference, at every call: thirty times slower here.) From
Python the same memory reads as one array a property, the arena always the first axis: `State` and `Outcome`.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snowball_fight.spec import ArenaSpec

Floats = NDArray[np.float32]
Integers = NDArray[np.int32]
Words = NDArray[np.uint64]
Flags = NDArray[np.bool_]

Games = NDArray[np.void]
"""One record an arena, with the fields of `State` and `Outcome`."""

Game = Any
"""One such record, as the kernel reads and writes it: `game.heading[agent]`."""


class State(NamedTuple):
    """Everything that the next tick depends on, for `n` arenas, `a` agents and `t` targets in each.

    Attributes:
        position: float32 `[n, a, 2]`, metres; x across the arena, y along it.
        velocity: float32 `[n, a, 2]`, metres a second.
        heading: int32 `[n, a]`, half degrees counter-clockwise from +x.
        cooldown: int32 `[n, a]`, ticks until the agent can throw again.
        health: int32 `[n, a]`, hits until the agent falls.
        alive: bool `[n, a]`, whether the agent stands.
        ball_position: float32 `[n, a, 2]`, metres; of the agent's one snowball, meaningful while it flies.
        ball_heading: int32 `[n, a]`, half degrees counter-clockwise from +x.
        ball_ticks: int32 `[n, a]`, ticks that the snowball flies on; 0 when there is none.
        target_position: float32 `[n, t, 2]`, metres.
        target_course: int32 `[n, t]`, +1 or -1 for a target gliding along +x or -x, 0 for one that stands.
        target_hits: int32 `[n, t]`, how often the target was hit in this episode.
        seed: uint64 `[n]`, the key of the arena's random numbers.
        episode: uint64 `[n]`, number of the episode under this seed, from 0.
        tick: int32 `[n]`, physics ticks played in this episode.
        over: bool `[n]`, whether the episode has ended and no other has begun.
    """

    position: Floats
    velocity: Floats
    heading: Integers
    cooldown: Integers
    health: Integers
    alive: Flags
    ball_position: Floats
    ball_heading: Integers
    ball_ticks: Integers
    target_position: Floats
    target_course: Integers
    target_hits: Integers
    seed: Words
    episode: Words
    tick: Integers
    over: Flags


class Outcome(NamedTuple):
    """What a step gives back, for `n` arenas, `a` agents and two teams in each.

    Attributes:
        observations: float32 `[n, a, floats]`; all zeros for an agent that has fallen. Where an episode ended under
            same-step autoreset, already the first of the next one.
        rewards: float32 `[n, a]`: 0.1 a hit, and the team's ending reward for every member, fallen ones included.
        terminated: bool `[n, a]`: the agent fell in this step, or its game was decided while it stood.
        truncated: bool `[n, a]`: the agent stood at the time limit.
        ended: bool `[n]`: the arena's episode ended in this step.
        winner: int32 `[n]`: the team that won in this step, or -1.
        standing: bool `[n, a]`: who stands after this step, before any autoreset.
        hits: int32 `[n, a]`: hits that the agent landed in this step.
        throws: int32 `[n, a]`: snowballs that the agent threw in this step.
        team_rewards: float32 `[n, 2]`: the ending reward alone, for trainers that keep a group's reward apart;
            `rewards` minus this is an agent's own.
        ticks: int32 `[n]`: ticks that the episode has lasted, before any autoreset.
        final_observations: float32 like `observations`: the last of the episodes that ended in this step, meaningful
            where `ended`. Without same-step autoreset it has no arenas, as `observations` holds them.
    """

    observations: Floats
    rewards: Floats
    terminated: Flags
    truncated: Flags
    ended: Flags
    winner: Integers
    standing: Flags
    hits: Integers
    throws: Integers
    team_rewards: Floats
    ticks: Integers
    final_observations: Floats


def empty_games(spec: ArenaSpec, n_arenas: int) -> Games:
    """Room for `n_arenas` arenas, all zeros: no episode has begun.

    Where there are no targets the records have room for one all the same, as numba knows no empty fields; nor does it
    know booleans in fields, which are bytes therefore.
    """
    agents = (spec.n_agents,)
    targets = (max(spec.n_targets, 1),)
    fields: list[Any] = [
        ("position", np.float32, (*agents, 2)),
        ("velocity", np.float32, (*agents, 2)),
        ("heading", np.int32, agents),
        ("cooldown", np.int32, agents),
        ("health", np.int32, agents),
        ("ball_position", np.float32, (*agents, 2)),
        ("ball_heading", np.int32, agents),
        ("ball_ticks", np.int32, agents),
        ("target_position", np.float32, (*targets, 2)),
        ("target_course", np.int32, targets),
        ("target_hits", np.int32, targets),
        ("seed", np.uint64),
        ("episode", np.uint64),
        ("tick", np.int32),
        ("action", np.int32, (*agents, 4)),
        ("rewards", np.float32, agents),
        ("hits", np.int32, agents),
        ("throws", np.int32, agents),
        ("team_rewards", np.float32, (2,)),
        ("ticks", np.int32),
        ("winner", np.int32),
        ("alive", np.uint8, agents),
        ("standing", np.uint8, agents),
        ("terminated", np.uint8, agents),
        ("truncated", np.uint8, agents),
        ("over", np.uint8),
        ("ended", np.uint8),
    ]
    return np.zeros(n_arenas, record_type(fields))


def record_type(fields: list[Any]) -> np.dtype[np.void]:
    """The type of records whose fields plain Python reads as attributes, as compiled functions do.

    An array of them is no `recarray`: numba takes those from Python twenty times slower.
    """
    return np.dtype((np.record, np.dtype(fields, align=True)))


def state_of(spec: ArenaSpec, games: Games) -> State:
    """The games' state as one array a property; writing to them changes the games."""
    state = State(**_shown(games, State._fields))
    targets = slice(spec.n_targets)
    return state._replace(
        target_position=state.target_position[:, targets],
        target_course=state.target_course[:, targets],
        target_hits=state.target_hits[:, targets],
    )


def outcome_of(games: Games, observations: Floats, final_observations: Floats) -> Outcome:
    """What the last step left in the games, as one array a property."""
    shown = _shown(games, [name for name in Outcome._fields if not name.endswith("observations")])
    return Outcome(observations=observations, final_observations=final_observations, **shown)


def _shown(games: Games, names: Iterable[str]) -> dict[str, Any]:
    """Fields of the games as arrays, bytes as the booleans that they are."""
    fields = {name: np.asarray(games[name]) for name in names}
    return {name: field.view(np.bool_) if field.dtype == np.uint8 else field for name, field in fields.items()}
