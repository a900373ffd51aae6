"""A Unity environment as one of Gymnasium's vector environments."""

import os
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mlagents_bridge.behaviors import Behavior
from mlagents_bridge.connect import choosing
from mlagents_bridge.connect.lineup import Flags, Lineup
from mlagents_bridge.connect.play import Play
from mlagents_bridge.connect.settings import Settings
from mlagents_bridge.connect.spaces import action_space, actions_of, observation_space, show
from mlagents_bridge.connect.unity import UnitySession


class UnityVectorEnv(VectorEnv[Any, Any, NDArray[Any]]):
    """A Unity environment, each of its agents a sub-environment.

    Sub-environments are slots, see `slots`: an agent that ends is followed by the next one, in Gymnasium's mode
    `SAME_STEP`. Teams of one behaviour are sub-environments alike, so whoever learns plays against itself.

    The infos have `"awaits_action"`, bool `[num_envs]`, false where the next action is ignored; `"group_reward"`, the
    part of the reward that a group has earned; and with discrete actions `"action_mask"`, bool
    `[num_envs, sum of branches]`, true where a choice is allowed.

    Args:
        file: The executable; None for an editor in which somebody presses Play.
        behavior: Which one; needed where there are several. `Name` stands for all teams, `Name?team=0` for one.
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
        self._play = Play(file, Settings(**settings), choosing.one(behavior))
        self._lineup: Lineup = self._play.lineups[0]
        self._adds_group_rewards = add_group_rewards
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": []}
        self.render_mode = None
        self.num_envs = self._lineup.n_slots
        self.single_observation_space = observation_space(self.behavior)
        self.single_action_space = action_space(self.behavior)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    @property
    def behavior(self) -> Behavior:
        """What is played; of several teams the first."""
        return self._lineup.behavior

    @property
    def session(self) -> UnitySession:
        """The environment itself: its parameters and statistics."""
        return self._play.session

    def reset(
        self,
        *,
        seed: int | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002  # part of the interface
    ) -> tuple[Any, dict[str, Any]]:
        """Begins all episodes anew.

        Args:
            seed: One for the whole environment. Another one than it was started with starts it again, which takes as
                long as the first time.
            options: Not used.

        Returns:
            The observations of all sub-environments, and the infos.

        Raises:
            BridgeError: If something goes wrong with the environment.
            ValueError: If it is no seed of Unity's.
        """
        self._play.reset(seed)
        return self._seen(), self._infos(np.zeros(self.num_envs, np.bool_))

    def step(self, actions: Any) -> tuple[Any, NDArray[np.float64], Flags, Flags, dict[str, Any]]:
        """Lets the game go on until an agent asks for an action.

        Args:
            actions: An element of `action_space`.

        Returns:
            Observations, rewards, terminations, truncations and infos.

        Raises:
            BridgeError: If something goes wrong with the environment.
            ValueError: If the actions are none. Nothing has been played then.
        """
        self._play.step([actions_of(self.behavior, actions, self.num_envs)])
        moment = self._lineup.moment
        rewards = moment.rewards.astype(np.float64)
        if self._adds_group_rewards:
            rewards += moment.group_rewards
        return self._seen(), rewards, moment.terminated.copy(), moment.truncated.copy(), self._infos(moment.ended)

    def close_extras(self, **_: Any) -> None:
        """Ends the environment."""
        self._play.close()

    def _seen(self) -> Any:
        return show(self.behavior, [values.copy() for values in self._lineup.moment.observations])

    def _infos(self, ended: Flags) -> dict[str, Any]:
        moment = self._lineup.moment
        everybody = np.ones(self.num_envs, np.bool_)
        infos = _entry("awaits_action", moment.awaits_action.copy(), everybody)
        if self.behavior.branches:
            infos |= _entry("action_mask", ~moment.forbidden, everybody)
        if not ended.any():
            return infos | _entry("group_reward", moment.group_rewards.copy(), everybody)
        finals = np.full(self.num_envs, None, np.object_)
        for slot, last in moment.finals.items():
            finals[slot] = show(self.behavior, last)
        infos |= _entry("group_reward", moment.group_rewards * ~ended, everybody)
        infos |= _entry("final_info", _entry("group_reward", moment.group_rewards * ended, ended), ended)
        return infos | _entry("final_obs", finals, ended)


def _entry(name: str, values: Any, of: Flags) -> dict[str, Any]:
    """Infos as Gymnasium lays them out: an array, and under `_name` who has it."""
    return {name: values, f"_{name}": of.copy()}
