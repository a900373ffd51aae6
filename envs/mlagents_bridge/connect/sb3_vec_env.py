"""A Unity environment as a vectorised environment of stable-baselines3."""

import os
import time
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from mlagents_bridge.behaviors import Behavior
from mlagents_bridge.connect import choosing
from mlagents_bridge.connect.lineup import Lineup
from mlagents_bridge.connect.play import Play
from mlagents_bridge.connect.settings import Settings
from mlagents_bridge.connect.spaces import actions_of_flat, flat_action_space, observation_space, show
from mlagents_bridge.connect.unity import UnitySession

_NO_INFO: dict[str, Any] = {}
_NOT_ASKED: dict[str, Any] = {"awaits_action": False}


class UnityVecEnv(VecEnv):
    """A Unity environment, each of its agents an environment of SB3's.

    Environments are slots, see `slots`: an agent that ends is followed by the next one. Teams of one behaviour are
    environments alike, so whoever learns plays against itself. A slot that has not asked for an action has
    `"awaits_action": False` in its info.

    Continuous and discrete actions together are one `Box`, see `spaces.flat_action_space`. `MaskablePPO` of sb3-contrib
    finds the masks. Pictures are floats from 0 to 1, channels first: `policy_kwargs={"normalize_images": False}`.

    At an episode's end the info has SB3's `"episode"`, so that neither `Monitor` nor `VecMonitor` is needed.

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
        n_slots = self._lineup.n_slots
        self._actions: Any = None
        self._returns = np.zeros(n_slots)
        self._lengths = np.zeros(n_slots, np.int64)
        self._began = time.monotonic()
        super().__init__(n_slots, observation_space(self.behavior), flat_action_space(self.behavior))

    @property
    def behavior(self) -> Behavior:
        """What is played; of several teams the first."""
        return self._lineup.behavior

    @property
    def session(self) -> UnitySession:
        """The environment itself: its parameters and statistics."""
        return self._play.session

    def reset(self) -> Any:
        """Begins all episodes anew; after `seed`, the executable is started again under that seed.

        Raises:
            BridgeError: If something goes wrong with the environment.
        """
        seed = self._seeds[0]
        self._play.reset(None if seed is None else seed % 2**31)  # SB3's seeds go further than Unity's
        self._reset_seeds()
        self._returns[:] = 0
        self._lengths[:] = 0
        return self._seen()

    def step_async(self, actions: NDArray[Any]) -> None:
        """Takes the actions."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Lets the game go on until an agent asks for an action.

        Raises:
            BridgeError: If something goes wrong with the environment.
            ValueError: If the actions are none. Nothing has been played then.
        """
        before = self._lineup.moment
        self._play.step([actions_of_flat(self.behavior, self._actions, before.forbidden)])
        moment = self._lineup.moment
        rewards = moment.rewards + moment.group_rewards if self._adds_group_rewards else moment.rewards.copy()
        self._returns += rewards
        self._lengths += before.awaits_action
        dones = moment.ended
        infos = [_NO_INFO] * self.num_envs
        for slot in np.flatnonzero(~moment.awaits_action).tolist():
            infos[slot] = _NOT_ASKED
        for slot, last in moment.finals.items():
            infos[slot] = {
                **infos[slot],
                "terminal_observation": show(self.behavior, last),
                "TimeLimit.truncated": bool(moment.truncated[slot]),
                "episode": self._episode(slot),
            }
        self._returns[dones] = 0
        self._lengths[dones] = 0
        return self._seen(), rewards, dones, infos

    def action_masks(self) -> NDArray[np.bool_]:
        """Which choices are allowed, bool `[num_envs, sum of branches]`."""
        return ~self._lineup.moment.forbidden

    def close(self) -> None:
        """Ends the environment."""
        self._play.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The attribute, for every slot: they share it.

        Raises:
            AttributeError: If there is none of this name.
        """
        chosen = self._chosen(indices)
        if attr_name == "render_mode":
            return [None] * len(chosen)
        if attr_name == "action_masks" and not self.behavior.branches:
            raise AttributeError("Without discrete actions there is nothing to mask.")
        return [getattr(self, attr_name)] * len(chosen)

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:  # noqa: ARG002  # SB3's signature
        """Sets an attribute that all slots share."""
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *_args: Any, indices: VecEnvIndices = None, **_kwargs: Any) -> list[Any]:
        """Each slot's masks, for `"action_masks"`.

        Raises:
            AttributeError: For any other name: there are no environments behind the slots.
        """
        if method_name != "action_masks":
            raise AttributeError(f"Unity steps all agents as one, so no slot has a method {method_name!r} of its own.")
        masks = self.action_masks()
        return [masks[slot] for slot in self._chosen(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """Whether episodes are noted as `Monitor` does it, if that is asked for; nothing else is wrapped here."""
        return [issubclass(wrapper_class, Monitor)] * len(self._chosen(indices))

    def _seen(self) -> Any:
        return show(self.behavior, [values.copy() for values in self._lineup.moment.observations])

    def _episode(self, slot: int) -> dict[str, float]:
        seconds = round(time.monotonic() - self._began, 6)
        return {"r": float(self._returns[slot]), "l": int(self._lengths[slot]), "t": seconds}

    def _chosen(self, indices: VecEnvIndices) -> Sequence[int]:
        return list(self._get_indices(indices))
