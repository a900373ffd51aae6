"""Snowball Fight as a world, all arenas at once."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from mlagents_bridge.behaviors import Actions, AgentRows, Behavior, Floats, Sensor
from mlagents_bridge.serve.snowball_rules import Rules
from mlagents_bridge.serve.worlds import Rows, check_number, joined
from mlagents_bridge.side_channels import Message, Parameter, statistic
from snowball_fight import Arenas, ArenaSpec
from snowball_fight.layout import SLICES, TEAMMATES, n_floats
from snowball_fight.spaces import CHOICES
from snowball_fight.state import Outcome

Flags = NDArray[np.bool_]

_N_IDS: Final = 2**31


class SnowballWorld:
    """Arenas of Snowball Fight.

    Arena `a` of `n` plays the games of seed `n * seed + a`, so worlds of consecutive seeds, which ML-Agents gives to
    the players of one training, have no game in common.

    Where a team has several members they are a group: a row's `rewards` are the agent's own, its `group_rewards` the
    team's. Who falls leaves early, with an observation of zeros. An episode that reaches the time limit is interrupted
    and does not count in ratings; of one that is decided the last reward tells by its sign who has won. (When the last
    of both sides fall in one tick, each has had the reward of a hit, and ML-Agents takes it that both have won.)

    Args:
        name: Of the behaviours, without the team.
        spec: The kind of game.
        n_arenas: How many games.
        seed: 0 to 2**31 - 1.
        threads: Threads that share the arenas.
    """

    masked: frozenset[str] = frozenset()

    def __init__(self, name: str, spec: ArenaSpec, n_arenas: int, seed: int, threads: int = 1) -> None:
        slices = dict(SLICES)
        if spec.team_size > 1:
            slices["teammates"] = slice(TEAMMATES, n_floats(spec))
        self._slices = tuple(slices.values())
        sensors = tuple(Sensor(sensor, (place.stop - place.start,)) for sensor, place in slices.items())
        names = [f"{name}?team={team}" for team in range(spec.n_teams)]
        self.behaviors = tuple(Behavior(name, sensors, branches=CHOICES) for name in names)
        self._columns = {
            name: slice(team * spec.team_size, (team + 1) * spec.team_size) for team, name in enumerate(names)
        }
        self._spec = spec
        self._rules = Rules(spec)
        self._arenas = Arenas(spec, n_arenas, threads=threads, autoreset=AutoresetMode.DISABLED)
        self._first_seed: int | None = seed * n_arenas
        shape = (n_arenas, spec.n_agents)
        self._actions = np.zeros((*shape, len(CHOICES)), np.int64)
        self._asked: Flags = np.zeros(shape, np.bool_)
        self._no_rewards = np.zeros(shape, np.float32)
        self._nobody = np.zeros(shape, np.bool_)
        self._ids = np.zeros(shape, np.int32)
        self._n_ids = 0
        self._groups = np.zeros(shape, np.int32)
        if spec.team_size > 1:
            teams = np.arange(n_arenas * spec.n_teams, dtype=np.int32).reshape(n_arenas, -1)
            self._groups = 1 + np.repeat(teams, spec.team_size, axis=1)
        self._everybody: Rows | None = None
        self._hits = np.zeros(n_arenas, np.int64)
        self._statistics: list[Message] = []

    def reset(self) -> Rows:
        """Begins an episode in every arena."""
        self._begin(np.ones(len(self._ids), np.bool_))
        return self._ongoing(self._no_rewards)

    def step(self, actions: dict[str, Actions]) -> Rows:
        """Plays one decision in every arena."""
        self._write_actions(actions)
        outcome = self._arenas.step(self._actions)
        self._hits += outcome.hits.sum(axis=1)
        finished = outcome.terminated | outcome.truncated
        if not np.count_nonzero(finished):
            return self._ongoing(outcome.rewards)
        last = self._finished(outcome, finished)
        rewards = outcome.rewards
        if outcome.ended.any():
            ended = outcome.ended.copy()
            self._sum_up(outcome, ended)
            # Who begins an episode has had no reward yet.
            rewards = np.where(ended[:, None], np.float32(0), rewards)
            self._begin(ended)
        return {name: joined(last[name], rows) for name, rows in self._ongoing(rewards).items()}

    def take(self, parameters: Sequence[Parameter]) -> None:
        """Takes environment parameters, see `snowball_rules.PARAMETERS`."""
        self._rules.take(parameters)

    def statistics(self) -> list[Message]:
        """Decisions, time-outs and hits of the games that ended in the last step, each the mean of one game."""
        statistics, self._statistics = self._statistics, []
        return statistics

    def close(self) -> None:
        """Nothing is left open."""

    def _begin(self, where: Flags) -> None:
        """Begins the next episode of some arenas; their agents get new ids."""
        if self._rules:
            specs = [self._rules.draw() for _ in range(np.count_nonzero(where))]
            changed = where.copy()
            changed[where] = [spec is not None for spec in specs]
            self._arenas.set_rules([spec for spec in specs if spec is not None], changed)
        self._arenas.reset(self._first_seed, where)
        self._first_seed = None
        self._hits[where] = 0
        new = self._n_ids + np.arange(np.count_nonzero(where) * self._spec.n_agents)
        self._ids[where] = (new % _N_IDS).reshape(-1, self._spec.n_agents)
        self._n_ids += len(new)

    def _write_actions(self, actions: dict[str, Actions]) -> None:
        self._actions[:] = 0
        for name, chosen in actions.items():
            columns = self._columns[name]
            asked = self._asked[:, columns]
            check_number(name, len(chosen), int(np.count_nonzero(asked)))
            if len(chosen) == asked.size:
                self._actions[:, columns] = chosen.discrete.reshape(*asked.shape, -1)
            else:
                self._actions[:, columns][asked] = chosen.discrete

    def _ongoing(self, rewards: Floats) -> Rows:
        """Rows of who stands and has to act."""
        self._asked = self._arenas.state.alive.copy()
        if np.count_nonzero(self._asked) < self._asked.size:
            return self._standing(self._asked, rewards)
        if rewards is not self._arenas.outcome.rewards or self._spec.team_size > 1:
            return self._standing(None, rewards)
        # Without teammates all of these are views of arrays that stay: nothing has to be copied.
        if self._everybody is None:
            self._everybody = self._standing(None, rewards)
        return self._everybody

    def _standing(self, chosen: Flags | None, rewards: Floats) -> Rows:
        return self._rows(chosen, rewards, self._no_rewards, self._nobody, self._nobody)

    def _finished(self, outcome: Outcome, finished: Flags) -> Rows:
        """Rows of who has fallen, or stands in a game that has ended."""
        rewards, group_rewards = outcome.rewards, self._no_rewards
        if self._spec.team_size > 1:
            group_rewards = np.repeat(outcome.team_rewards, self._spec.team_size, axis=1)
            rewards = rewards - group_rewards
        return self._rows(finished, rewards, group_rewards, finished, outcome.truncated)

    def _rows(
        self, chosen: Flags | None, rewards: Floats, group_rewards: Floats, done: Flags, interrupted: Flags
    ) -> Rows:
        """Rows of the agents that are chosen; `[n_arenas, n_agents]` as the other arrays, None for everybody."""
        rows = {}
        for name, columns in self._columns.items():
            pick = partial(_picked, None if chosen is None else chosen[:, columns])
            observations = pick(self._arenas.outcome.observations[:, columns])
            rows[name] = AgentRows(
                ids=pick(self._ids[:, columns]),
                observations=tuple(observations[:, place] for place in self._slices),
                rewards=pick(rewards[:, columns]),
                done=pick(done[:, columns]),
                interrupted=pick(interrupted[:, columns]),
                group_ids=pick(self._groups[:, columns]),
                group_rewards=pick(group_rewards[:, columns]),
            )
        return rows

    def _sum_up(self, outcome: Outcome, ended: Flags) -> None:
        decisions = -(-outcome.ticks[ended] // self._spec.ticks_per_decision)
        self._statistics = [
            statistic("Game/Decisions", float(decisions.mean())),
            statistic("Game/Time-outs", float(outcome.truncated[ended].any(axis=1).mean())),
            statistic("Game/Hits", float(self._hits[ended].mean())),
        ]


def _picked(where: Flags | None, values: NDArray[Any]) -> NDArray[Any]:
    """Values `[n_arenas, n_members, ...]` of those who are chosen, `[n, ...]`."""
    return values.reshape(-1, *values.shape[2:]) if where is None else values[where]
