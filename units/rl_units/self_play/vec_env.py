"""An environment in which an agent meets itself and its past selves."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.monitor import ResultsWriter
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from rl_units.self_play.past_selves import PastSelves

PAST_SELVES_ABREAST = 4
"""Different past selves in play at the same time; each needs a forward pass of its own."""


def arenas_for(n_envs: int, latest_ratio: float) -> tuple[int, int]:
    """How many arenas give `n_envs` slots of experience, a share of them against the latest self.

    Returns:
        Arenas in which both seats learn, and arenas in which one seat does and a past self plays the other.
    """
    mirrors = round(n_envs * latest_ratio / 2)
    return mirrors, n_envs - 2 * mirrors


class SelfPlayVecEnv(VecEnvWrapper):
    """Gives the learner some of the slots and plays the others with past selves.

    The first arenas are mirrors: both seats belong to the learner. In each of the rest a past self plays one seat; as
    long as there is none, the learner's own actions of another slot are played there.

    Args:
        venv: Both seats of all arenas, in slots `2 * arena + seat`, with all that the learner's observations pass
            through around it.
        n_mirrors: Arenas in which both seats learn.
        past_selves: Where opponents come from.
        monitor_file: Where ended episodes of the learner are noted, as SB3's `Monitor` does; None for nowhere.
    """

    def __init__(self, venv: VecEnv, n_mirrors: int, past_selves: PastSelves, monitor_file: str | None = None) -> None:
        n_arenas = venv.num_envs // 2
        rest = np.arange(n_mirrors, n_arenas)
        against_past = 2 * rest + rest % 2
        self._mine = np.concatenate([np.arange(2 * n_mirrors), against_past])
        super().__init__(venv)  # which asks the slots for an attribute
        self._theirs = against_past ^ 1
        self._past_selves = past_selves
        self._groups: list[tuple[BasePolicy, NDArray[np.intp]]] = []
        self._observations: NDArray[Any] = np.zeros(0)
        self._actions = np.zeros((venv.num_envs, *(venv.action_space.shape or ())), venv.action_space.dtype)
        self._monitor = None if monitor_file is None else ResultsWriter(monitor_file, header={"t_start": 0.0})
        self.num_envs = len(self._mine)

    def meet(self, rng: np.random.Generator) -> None:
        """Draws the past selves that the learner meets from now on."""
        count = min(PAST_SELVES_ABREAST, len(self._theirs))
        shares = np.array_split(self._theirs, count) if count else []
        self._groups = list(zip(self._past_selves.draw(count, rng), shares, strict=True))

    def reset(self) -> NDArray[Any]:
        """Begins an episode in every arena; the learner's observations."""
        self._observations = self._array(self.venv.reset())
        self._actions[:] = 0
        mine: NDArray[Any] = self._observations[self._mine]
        return mine

    def step_async(self, actions: NDArray[Any]) -> None:
        """Takes the learner's actions, and asks its past selves for theirs."""
        self._actions[self._mine] = actions
        for policy, slots in self._groups:
            # Drawn from its distribution, as while it learned.
            self._actions[slots], _ = policy.predict(self._observations[slots])
        self.venv.step_async(self._actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Plays one decision everywhere and gives the learner's part of it."""
        observations, rewards, dones, infos = self.venv.step_wait()
        self._observations = self._array(observations)
        mine = [infos[slot] for slot in self._mine]
        if self._monitor is not None:
            for info in mine:
                if "episode" in info:
                    self._monitor.write_row(info["episode"])
        return self._observations[self._mine], rewards[self._mine], dones[self._mine], mine

    def close(self) -> None:
        """Closes the environment and the file of ended episodes."""
        if self._monitor is not None:
            self._monitor.close()
        super().close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The attribute, for the learner's slots."""
        slots = self._mine if indices is None else self._mine[list(self._get_indices(indices))]
        return self.venv.get_attr(attr_name, slots.tolist())

    @staticmethod
    def _array(observations: Any) -> NDArray[Any]:
        if not isinstance(observations, np.ndarray):
            raise TypeError("Self-play needs observations that are arrays.")
        return observations
