"""Any parallel environment of PettingZoo as a world, several copies side by side."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlagents_bridge.behaviors import Actions, AgentRows, Behavior
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.serve.parameters import Parameters
from mlagents_bridge.serve.spaces import ACTION_MASK, ActionForm, Sense, action_form, forbidden, senses_of
from mlagents_bridge.serve.worlds import Rows, check_number
from mlagents_bridge.side_channels import Message, Parameter, statistic

_N_IDS: Final = 2**31

Teams = Mapping[str, Sequence[str]]
"""For each behaviour by name the stems of its teams' agents, team 0 first."""


@dataclass(frozen=True)
class Role:
    """What agents of a behaviour have in common.

    Attributes:
        behavior: How ML-Agents sees them.
        senses: Of their observation space.
        form: Of their action space.
    """

    behavior: Behavior
    senses: tuple[Sense, ...]
    form: ActionForm


@dataclass(frozen=True)
class Row:
    """One agent's part of `AgentRows`."""

    id: int
    observations: list[NDArray[np.float32]]
    reward: float
    terminated: bool
    truncated: bool
    mask: NDArray[np.bool_] | None


class ParallelWorld:
    """Copies of an environment.

    Agents whose names differ by a number at the end, `"adversary_0"` and `"adversary_1"`, are one behaviour if their
    spaces are equal: `adversary?team=0`. Environment parameters come to `reset` as its options.

    Args:
        make: Makes a copy.
        n_copies: How many.
        seed: 0 to 2**31 - 1; copy `c` of `n` begins with the seed `n * seed + c`, modulo 2**31.
        teams: Stems that shall be teams of one behaviour, for self-play.

    Raises:
        BridgeError: If it is no such environment, has spaces that ML-Agents does not know, or has no agents of these
            stems, or some that differ.
    """

    def __init__(self, make: Callable[[], Any], n_copies: int, seed: int, teams: Teams | None = None) -> None:
        self._copies = [_made(make) for _ in range(n_copies)]
        self._roles = roles_of(self._copies[0], teams or {})
        self._seeds: list[int | None] = [(n_copies * seed + copy) % 2**31 for copy in range(n_copies)]
        self._parameters = Parameters()
        self.behaviors = tuple({role.behavior.name: role.behavior for role in self._roles.values()}.values())
        self.masked = self._masked()
        self._ids: list[dict[str, int]] = [{} for _ in self._copies]
        self._n_ids = 0
        self._steps = [0] * n_copies
        self._asked: dict[str, list[tuple[int, str]]] = {}
        self._ended: list[tuple[int, bool]] = []

    def reset(self) -> Rows:
        """Begins an episode in every copy."""
        rows = self._no_rows()
        for copy in range(len(self._copies)):
            self._begin(copy, rows)
        return self._stacked(rows)

    def step(self, actions: dict[str, Actions]) -> Rows:
        """Plays a step in every copy, one after the other."""
        chosen = self._chosen(actions)
        rows = self._no_rows()
        for copy, env in enumerate(self._copies):
            observations, rewards, terminated, truncated, infos = env.step(chosen[copy])
            self._steps[copy] += 1
            for agent in observations:
                ends = (bool(terminated.get(agent)), bool(truncated.get(agent)))
                reward = float(rewards.get(agent, 0.0))
                self._note(copy, agent, observations[agent], reward, ends, infos.get(agent, {}), rows)
            if not env.agents:
                self._ended.append((self._steps[copy], any(truncated.values())))
                self._begin(copy, rows)
        return self._stacked(rows)

    def take(self, parameters: Sequence[Parameter]) -> None:
        """Takes parameters for the options of `reset`."""
        for parameter in parameters:
            self._parameters.take(parameter)

    def statistics(self) -> list[Message]:
        """Steps and time-outs of the episodes that ended in the last step, each the mean of one episode."""
        ended, self._ended = self._ended, []
        if not ended:
            return []
        steps, timeouts = np.mean(ended, axis=0)
        return [statistic("Game/Decisions", float(steps)), statistic("Game/Time-outs", float(timeouts))]

    def close(self) -> None:
        """Closes all copies."""
        for env in self._copies:
            env.close()

    def _masked(self) -> frozenset[str]:
        """Names of the behaviours whose agents come with action masks; one reset tells."""
        observations, infos = self._copies[0].reset(seed=self._seeds[0])
        return frozenset(
            self._roles[agent].behavior.name
            for agent, observation in observations.items()
            if _mask(observation, infos.get(agent, {})) is not None and self._roles[agent].form.branches
        )

    def _begin(self, copy: int, rows: dict[str, list[Row]]) -> None:
        options: dict[str, Any] = {"options": self._parameters.draw()} if self._parameters else {}
        observations, infos = self._copies[copy].reset(seed=self._seeds[copy], **options)
        self._seeds[copy] = None
        self._steps[copy] = 0
        self._ids[copy] = {}
        for agent, observation in observations.items():
            self._note(copy, agent, observation, 0.0, (False, False), infos.get(agent, {}), rows)

    def _note(
        self,
        copy: int,
        agent: str,
        observation: Any,
        reward: float,
        ends: tuple[bool, bool],
        info: Mapping[str, Any],
        rows: dict[str, list[Row]],
    ) -> None:
        """Adds an agent's row, and asks the agent for its next action if it goes on."""
        role = self._roles[agent]
        name = role.behavior.name
        if agent not in self._ids[copy]:
            self._ids[copy][agent] = self._n_ids % _N_IDS
            self._n_ids += 1
        mask = None
        if name in self.masked:
            allowed = _mask(observation, info)
            n_choices = sum(role.form.branches)
            mask = np.zeros(n_choices, np.bool_) if allowed is None else forbidden(allowed, n_choices, agent)
        seen = [sense.read(observation) for sense in role.senses]
        if not (np.isfinite(reward) and all(np.isfinite(part).all() for part in seen)):
            raise BridgeError(f"The environment gave {agent} an observation or a reward that is not finite.")
        rows[name].append(Row(self._ids[copy][agent], seen, reward, *ends, mask))
        if not any(ends):
            self._asked[name].append((copy, agent))

    def _chosen(self, actions: dict[str, Actions]) -> list[dict[str, Any]]:
        """For each copy its agents' actions; the middle or the first choice where the trainer says nothing."""
        chosen: list[dict[str, Any]] = [{} for _ in self._copies]
        for behavior in self.behaviors:
            asked = self._asked[behavior.name]
            given = actions.get(behavior.name)
            if given is None:
                given = Actions(
                    np.zeros((len(asked), behavior.n_continuous), np.float32),
                    np.zeros((len(asked), len(behavior.branches)), np.int32),
                )
            check_number(behavior.name, len(given), len(asked))
            for (copy, agent), continuous, discrete in zip(asked, given.continuous, given.discrete, strict=True):
                chosen[copy][agent] = self._roles[agent].form.value(continuous, discrete)
        return chosen

    def _no_rows(self) -> dict[str, list[Row]]:
        self._asked = {behavior.name: [] for behavior in self.behaviors}
        return {behavior.name: [] for behavior in self.behaviors}

    def _stacked(self, rows: dict[str, list[Row]]) -> Rows:
        return {
            behavior.name: _stacked(behavior, rows[behavior.name], behavior.name in self.masked)
            for behavior in self.behaviors
        }


def _made(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except TypeError as error:
        raise BridgeError(
            f"{getattr(make, '__module__', '')}:{getattr(make, '__name__', make)} cannot be called without arguments: "
            f"{error}. Give a function that makes the environment by itself."
        ) from error


def roles_of(env: Any, teams: Teams) -> dict[str, Role]:
    """The role of every agent that an environment can have.

    Args:
        env: A parallel environment.
        teams: As in `ParallelWorld`.

    Raises:
        BridgeError: As `ParallelWorld`.
    """
    agents = list(getattr(env, "possible_agents", ()))
    if not agents or not hasattr(env, "observation_space") or not hasattr(env, "action_space"):
        raise BridgeError(
            f"{type(env).__name__} is no parallel environment of PettingZoo that names its `possible_agents`: give the "
            "function that makes one, such as `my_game:parallel_env`."
        )
    names = _behavior_names(env, agents, teams)
    roles: dict[str, Role] = {}
    for agent in agents:
        senses, form = senses_of(env.observation_space(agent), agent), action_form(env.action_space(agent), agent)
        sensors = tuple(sense.sensor for sense in senses)
        roles[agent] = Role(Behavior(names[agent], sensors, form.n_continuous, form.branches), senses, form)
    return roles


def _behavior_names(env: Any, agents: list[str], teams: Teams) -> dict[str, str]:
    stems: dict[str, list[str]] = {}
    for agent in agents:
        stems.setdefault(_stem(agent), []).append(agent)
    names = {}
    for stem, members in stems.items():
        alike = _are_alike(env, members)
        names.update({agent: f"{stem if alike else agent}?team=0" for agent in members})
    for name, sides in teams.items():
        unknown = [side for side in sides if side not in stems]
        if unknown:
            raise BridgeError(f"There are no agents {unknown[0]!r} to make a team of, only {', '.join(stems)}.")
        if not _are_alike(env, [agent for side in sides for agent in stems[side]]):
            raise BridgeError(f"The teams of {name!r} cannot learn from each other: their spaces differ.")
        for team, side in enumerate(sides):
            names.update(dict.fromkeys(stems[side], f"{name}?team={team}"))
    return names


def _stem(agent: str) -> str:
    return re.sub(r"[ _-]?\d+$", "", str(agent)) or str(agent)


def _are_alike(env: Any, agents: list[str]) -> bool:
    first = agents[0]
    return all(
        env.observation_space(agent) == env.observation_space(first)
        and env.action_space(agent) == env.action_space(first)
        for agent in agents
    )


def _mask(observation: Any, info: Mapping[str, Any]) -> Any:
    """Which choices are allowed, None if nothing is said about it."""
    if isinstance(observation, Mapping) and ACTION_MASK in observation:
        return observation[ACTION_MASK]
    return info.get(ACTION_MASK)


def _stacked(behavior: Behavior, rows: list[Row], masked: bool) -> AgentRows:
    n_rows = len(rows)
    observations = []
    for index, sensor in enumerate(behavior.sensors):
        values = np.zeros((n_rows, *sensor.shape), np.float32)
        for place, row in enumerate(rows):
            values[place] = row.observations[index]
        observations.append(values)
    return AgentRows(
        ids=np.array([row.id for row in rows], np.int32),
        observations=tuple(observations),
        rewards=np.array([row.reward for row in rows], np.float32),
        done=np.array([row.terminated or row.truncated for row in rows], np.bool_),
        interrupted=np.array([row.truncated and not row.terminated for row in rows], np.bool_),
        group_ids=np.zeros(n_rows, np.int32),
        group_rewards=np.zeros(n_rows, np.float32),
        masks=np.array([row.mask for row in rows], np.bool_).reshape(n_rows, -1) if masked else None,
    )
