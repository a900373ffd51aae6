"""Snowball fights as an environment of stable-baselines3."""

import time
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from snowball_fight.arenas import Arenas
from snowball_fight.gym_envs.opposition import Opponent, check_opponent, choose
from snowball_fight.spaces import CHOICES, action_space, observation_space
from snowball_fight.spec import ONE_VS_ONE, ArenaSpec

_NO_INFO: dict[str, Any] = {}


class ArenasVecEnv(VecEnv):
    """Fights of one against one, all stepped by a single call of the game.

    Without an opponent both seats of an arena learn: slot `2 * arena + seat`. With one, slot `arena` sits in seat
    `arena % 2` and the opponent in the other.

    At an episode's end the info has SB3's `"episode"`, so that neither `Monitor` nor `VecMonitor` is needed, and
    `"points"`: 1 for a win, a half for a draw or a time-out, 0 for a loss.

    Args:
        n_arenas: Fights side by side.
        opponent: Who plays the other seat: a scripted player's name; several, of which one is drawn for every episode;
            or a function from observations to actions such as `rl_units.agents.Agent.act`.
        seed: Of the arenas' seeds.
        spec: The kind of game; one agent a team.
        threads: Threads that share the arenas.

    Raises:
        ValueError: If a team has more than one agent, or no scripted player has that name.
        TypeError: If the opponent is neither a name, nor several, nor a function.
    """

    def __init__(
        self,
        n_arenas: int,
        *,
        opponent: Opponent | None = None,
        seed: int | None = None,
        spec: ArenaSpec = ONE_VS_ONE,
        threads: int = 1,
    ) -> None:
        if (spec.n_teams, spec.team_size) != (2, 1):
            raise ValueError("An environment of SB3 has one agent a slot, so a team has one agent here.")
        if opponent is not None:
            check_opponent(opponent)
        self.arenas = Arenas(spec, n_arenas, threads=threads)
        self.np_random, _ = seeding.np_random(seed)
        self._opponent = opponent
        seats = np.arange(2 * n_arenas) if opponent is None else 2 * np.arange(n_arenas) + np.arange(n_arenas) % 2
        self._all = opponent is None
        self._seats = seats
        self._actions = np.zeros((2 * n_arenas, len(CHOICES)), np.int64)
        self._returns = np.zeros(len(seats))
        self._lengths = np.zeros(len(seats), np.int64)
        self._began = time.monotonic()
        super().__init__(len(seats), observation_space(spec), action_space())

    def reset(self) -> NDArray[np.float32]:
        """Begins an episode in every arena; float32 `[num_envs, floats]`."""
        if self._seeds[0] is not None:
            self.np_random, _ = seeding.np_random(self._seeds[0])
            self._reset_seeds()
        # SB3's own environments draw one seed each, too; 2**31 is the most that every environment takes.
        self.arenas.reset(self.np_random.integers(2**31, size=self.arenas.n_arenas))
        self._returns[:] = 0
        self._lengths[:] = 0
        return self._mine(self.arenas.outcome.observations)

    def step_async(self, actions: NDArray[np.integer[Any]]) -> None:
        """Takes the actions, `[num_envs, 4]`."""
        if self._opponent is not None:
            # In every seat: the learner's own actions are written over them.
            for seat in range(2):
                choose(self._opponent, self.arenas, seat, self._fights(self._actions))
        self._actions[self._seats] = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Plays one decision in every arena; ended episodes begin again, as SB3 expects it."""
        outcome = self.arenas.step(self._fights(self._actions))
        rewards = self._mine(outcome.rewards)
        self._returns += rewards
        self._lengths += 1
        infos = [_NO_INFO] * self.num_envs
        dones = self._mine(outcome.terminated | outcome.truncated)
        if outcome.ended.any():
            last = self._mine(outcome.final_observations)
            truncated = self._mine(outcome.truncated)
            points = self._mine(np.where(outcome.winner[:, None] < 0, 0.5, outcome.winner[:, None] == np.arange(2)))
            for slot in np.flatnonzero(dones).tolist():
                infos[slot] = {
                    "terminal_observation": last[slot],
                    "TimeLimit.truncated": bool(truncated[slot]),
                    "points": float(points[slot]),
                    "episode": self._episode(slot),
                }
            self._returns[dones] = 0
            self._lengths[dones] = 0
        return self._mine(outcome.observations), rewards, dones, infos

    @staticmethod
    def _fights(slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """The actions of all slots, an arena a row."""
        return slots.reshape(-1, 2, len(CHOICES))

    def _mine(self, values: NDArray[Any]) -> NDArray[Any]:
        """`[n_arenas, 2, ...]` values as those of the slots: a copy, because the arenas write into their own again."""
        flat = values.reshape(-1, *values.shape[2:])
        return flat.copy() if self._all else flat[self._seats]

    def _episode(self, slot: int) -> dict[str, float]:
        seconds = round(time.monotonic() - self._began, 6)
        return {"r": float(self._returns[slot]), "l": int(self._lengths[slot]), "t": seconds}

    def close(self) -> None:
        """Nothing is open."""

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The attribute, for every slot: they share it."""
        if attr_name == "render_mode":
            return [None] * len(self._chosen(indices))
        return [getattr(self, attr_name)] * len(self._chosen(indices))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:  # noqa: ARG002 # SB3's signature
        """Sets an attribute that all slots share."""
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *_args: Any, indices: VecEnvIndices = None, **_kwargs: Any) -> list[Any]:  # noqa: ARG002 # SB3's signature
        """There are no environments behind the slots that could have methods.

        Raises:
            AttributeError: Always.
        """
        raise AttributeError(f"The arenas are stepped as one, so no slot has a method {method_name!r} of its own.")

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """Whether episodes are noted as `Monitor` does it, if that is asked for; nothing else is wrapped here."""
        return [issubclass(wrapper_class, Monitor)] * len(self._chosen(indices))

    def _chosen(self, indices: VecEnvIndices) -> Sequence[int]:
        return list(self._get_indices(indices))
