"""A Unity environment as a parallel environment of PettingZoo."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

from mlagents_bridge.behaviors import Actions, Behavior
from mlagents_bridge.connect import choosing
from mlagents_bridge.connect.lineup import Lineup
from mlagents_bridge.connect.play import Play
from mlagents_bridge.connect.settings import Settings
from mlagents_bridge.connect.spaces import action_space, actions_of, observation_space, show
from mlagents_bridge.connect.unity import UnitySession

Step = tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]


class UnityParallelEnv(ParallelEnv[str, Any, Any]):  # type: ignore[misc]  # PettingZoo publishes no types
    """A Unity environment with all its agents, named by behaviour, team and slot: `"Striker_team_0_agent_1"`.

    Names stay the same in all episodes. An agent whose episode has ended leaves `agents` with that step, as PettingZoo
    wants it. Unity begins its next episode at once; that agent does nothing until the others have ended, too, and
    `reset` begins all anew.

    An agent's info has `"awaits_action"`, false if its next action is ignored; `"group_reward"`, the part of the reward
    that its group has earned; and with discrete actions `"action_mask"`, int8 `[sum of branches]`, 1 where a choice is
    allowed.

    Args:
        file: The executable; None for an editor in which somebody presses Play.
        behavior: Which one; by default all. `Name` stands for all teams, `Name?team=0` for one. Agents of the others
            do nothing.
        add_group_rewards: Whether rewards include those of the agent's group.
        **settings: See `Settings`: `seed=1`, `time_scale=1`, `no_graphics=False`, `timeout=120`, and so on.

    Raises:
        BridgeError: If the environment cannot be started, or has no such behaviour.
        TypeError: If there is no such setting.
        ValueError: If a setting is out of its range.
    """

    def __init__(
        self,
        file: str | os.PathLike[str] | None,
        behavior: str | None = None,
        *,
        add_group_rewards: bool = True,
        **settings: Any,
    ) -> None:
        self._play = Play(file, Settings(**settings), choosing.each(behavior))
        self._adds_group_rewards = add_group_rewards
        self.metadata: dict[str, Any] = {"name": self.session.name or "unity", "render_modes": []}
        self.render_mode = None
        self._places = {
            f"{_plain(lineup.behavior)}_agent_{slot}": (lineup, slot)
            for lineup in self._play.lineups
            for slot in range(lineup.n_slots)
        }
        self.possible_agents = list(self._places)
        self.agents: list[str] = []
        self.observation_spaces = {
            agent: observation_space(lineup.behavior) for agent, (lineup, _) in self._places.items()
        }
        self.action_spaces = {agent: action_space(lineup.behavior) for agent, (lineup, _) in self._places.items()}

    @property
    def session(self) -> UnitySession:
        """The environment itself: its parameters and statistics."""
        return self._play.session

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """What an agent sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """What an agent does."""
        return self.action_spaces[agent]

    def reset(
        self,
        seed: int | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002  # part of the interface
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Begins all episodes anew.

        Args:
            seed: Another one than the environment was started with starts it again, which takes as long as the first
                time.
            options: Not used.

        Returns:
            Observations and infos of all agents.

        Raises:
            BridgeError: If something goes wrong with the environment.
            ValueError: If it is no seed of Unity's.
        """
        self._play.reset(seed)
        vacant = {id(lineup): set(lineup.vacant) for lineup in self._play.lineups}
        self.agents = [agent for agent, (lineup, slot) in self._places.items() if slot not in vacant[id(lineup)]]
        return {agent: self._seen(agent) for agent in self.agents}, {agent: self._info(agent) for agent in self.agents}

    def step(self, actions: Mapping[str, Any]) -> Step:
        """Lets the game go on until an agent asks for an action.

        Args:
            actions: For each of `agents`.

        Returns:
            Observations, rewards, terminations, truncations and infos of those who were there before the step.

        Raises:
            BridgeError: If something goes wrong with the environment.
            RuntimeError: If `reset` has to be called first.
            ValueError: If actions are missing, too many, or none. Nothing has been played then.
        """
        if not self.agents:
            raise RuntimeError("There is no episode to play: call reset first.")
        if set(actions) != set(self.agents):
            raise ValueError(f"There have to be actions for {', '.join(self.agents)}, not for {', '.join(actions)}.")
        chosen = [self._actions(lineup, actions) for lineup in self._play.lineups]
        self._play.step(chosen, is_over=lambda: all(self._has_ended(agent) for agent in self.agents))
        played = self.agents
        self.agents = [agent for agent in played if not self._has_ended(agent)]
        return (
            {agent: self._seen(agent) for agent in played},
            {agent: self._reward(agent) for agent in played},
            {agent: bool(self._place(agent, "terminated")) for agent in played},
            {agent: bool(self._place(agent, "truncated")) for agent in played},
            {agent: self._info(agent) for agent in played},
        )

    def close(self) -> None:
        """Ends the environment."""
        self._play.close()

    def _actions(self, lineup: Lineup, actions: Mapping[str, Any]) -> Actions:
        """Actions of a lineup: zeros for agents that have left."""
        behavior = lineup.behavior
        whole = Actions(
            np.zeros((lineup.n_slots, behavior.n_continuous), np.float32),
            np.zeros((lineup.n_slots, len(behavior.branches)), np.int32),
        )
        for agent, action in actions.items():
            place, slot = self._places[agent]
            if place is lineup:
                one = actions_of(behavior, _batch_of_one(action), 1)
                whole.continuous[slot], whole.discrete[slot] = one.continuous[0], one.discrete[0]
        return whole

    def _place(self, agent: str, name: str) -> Any:
        """What a moment says of an agent."""
        lineup, slot = self._places[agent]
        return getattr(lineup.moment, name)[slot]

    def _has_ended(self, agent: str) -> bool:
        return bool(self._place(agent, "ended"))

    def _reward(self, agent: str) -> float:
        reward = float(self._place(agent, "rewards"))
        return reward + float(self._place(agent, "group_rewards")) if self._adds_group_rewards else reward

    def _seen(self, agent: str) -> Any:
        """What an agent sees; at its end the last of that episode."""
        lineup, slot = self._places[agent]
        now = [values[slot].copy() for values in lineup.moment.observations]
        return show(lineup.behavior, lineup.moment.finals.get(slot, now))

    def _info(self, agent: str) -> dict[str, Any]:
        lineup, slot = self._places[agent]
        info = {
            "awaits_action": bool(lineup.moment.awaits_action[slot] and not lineup.moment.ended[slot]),
            "group_reward": float(lineup.moment.group_rewards[slot]),
        }
        if lineup.behavior.branches:
            info["action_mask"] = (~lineup.moment.forbidden[slot]).astype(np.int8)
        return info


def _plain(behavior: Behavior) -> str:
    """A behaviour's name and team, without signs that not every program likes in a name."""
    return behavior.name.replace("?team=", "_team_")


def _batch_of_one(action: Any) -> Any:
    if isinstance(action, Mapping):
        return {name: np.asarray(value)[None] for name, value in action.items()}
    return np.asarray(action)[None]
