"""SB3's DQN, with a replay buffer of single frames, a coin for each environment and a fused optimizer.

Hyperparameters, results and saved files are those of SB3, which loads what this saves.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import DQN
from stable_baselines3.common.vec_env import VecFrameStack, unwrap_vec_wrapper

from rl_units.dqn.frame_replay import FrameReplayBuffer, is_stack_of_images

# SB3's own class, which knows neither, finds a buffer for itself when it loads a model.
_OF_THE_FRAMES = ["replay_buffer_class", "replay_buffer_kwargs"]


class FastDQN(DQN):
    """DQN as SB3 has it, for stacked images above all.

    `train_freq` counts steps of all environments together and not, as in SB3, of the vectorised environment: with
    `train_freq=4` and `gradient_steps=1` there is an update for every four transitions, however many environments stand
    side by side.

    Args:
        policy: As in SB3.
        env: As in SB3.
        _init_setup_model: As in SB3.
        **settings: The other arguments of SB3's DQN.
    """

    def __init__(self, policy: Any, env: Any, *, _init_setup_model: bool = True, **settings: Any) -> None:
        super().__init__(policy, env, _init_setup_model=False, **settings)
        self._keep_replay_ratio()
        if _init_setup_model:
            self._setup_model()

    def _setup_model(self) -> None:
        self._choose_replay_buffer()
        super()._setup_model()
        for group in self.policy.optimizer.param_groups:
            if "fused" in group:
                group["fused"], group["foreach"] = True, False

    def _choose_replay_buffer(self) -> None:
        """Takes the buffer of single frames where observations are stacks and nobody asks for another one."""
        stacking = unwrap_vec_wrapper(self.env, VecFrameStack) if self.env is not None else None
        if self.replay_buffer_class is not None or stacking is None or self.n_steps > 1:
            return
        n_stack = stacking.stacked_obs.n_stack
        if is_stack_of_images(self.observation_space, n_stack):
            self.replay_buffer_class = FrameReplayBuffer
            self.replay_buffer_kwargs = {"n_stack": n_stack}

    def _keep_replay_ratio(self) -> None:
        """Translates `train_freq` and `gradient_steps` to steps of the vectorised environment."""
        frequency = self.train_freq
        if not isinstance(frequency, int) or self.gradient_steps < 1:
            return
        n_updates = self.n_envs * self.gradient_steps
        self.train_freq = frequency // math.gcd(frequency, n_updates)
        self.gradient_steps = self.train_freq * n_updates // frequency

    def predict(
        self,
        observation: NDArray[Any] | dict[str, NDArray[Any]],
        state: tuple[NDArray[Any], ...] | None = None,
        episode_start: NDArray[Any] | None = None,
        deterministic: bool = False,
    ) -> tuple[NDArray[Any], tuple[NDArray[Any], ...] | None]:
        """The actions for observations, some of them random; each environment tosses a coin of its own.

        SB3 tosses one for all of them, so that they explore together or not at all.
        """
        is_alone = isinstance(observation, dict) or not self.policy.is_vectorized_observation(observation)
        if deterministic or is_alone or len(observation) == 1:
            return super().predict(observation, state, episode_start, deterministic)
        n_envs = len(observation)
        explores = np.random.rand(n_envs) < self.exploration_rate  # noqa: NPY002  # SB3 explores with it
        if explores.all():
            actions = np.zeros(n_envs, np.int64)
        else:
            actions, state = self.policy.predict(observation, state, episode_start, True)
        actions[explores] = [self.action_space.sample() for _ in range(np.count_nonzero(explores))]
        return actions, state

    def _excluded_save_params(self) -> list[str]:
        own = _OF_THE_FRAMES if self.replay_buffer_class is FrameReplayBuffer else []
        return [*super()._excluded_save_params(), *own]
