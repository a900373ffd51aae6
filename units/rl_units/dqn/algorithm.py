"""SB3's DQN, made as fast as the machine allows.

It has a replay buffer of single frames, a coin for each environment, a fused optimizer, weights in the layout that
convolutions are fastest in, and environments that play on while the network learns. Hyperparameters, results and saved
files are those of SB3, which loads what this saves.
"""

import io
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch as th
from numpy.typing import NDArray
from stable_baselines3 import DQN
from stable_baselines3.common.type_aliases import MaybeCallback, TrainFrequencyUnit
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack, unwrap_vec_wrapper

from rl_units.dqn.cuda_updates import GraphedUpdates, Precision, graphed_buffer, updates_per_graph
from rl_units.dqn.frame_replay import FrameReplayBuffer
from rl_units.dqn.linear_layers import use_onednn
from rl_units.dqn.stacks import frames_in_a_stack, keep_frames_whole
from rl_units.dqn.stepping import MeanwhileEnv

# SB3's own class, which knows neither, finds a buffer for itself when it loads a model.
_OF_THE_FRAMES = ["replay_buffer_class", "replay_buffer_kwargs"]
_OF_THIS_PROCESS = [
    "frames_folder",
    "frames_prefix",
    "_as_given",
    "_translated",
    "_updates",
    "_can_be_graphed",
    "_precision",
]


class FastDQN(DQN):
    """DQN as SB3 has it, for stacked images above all.

    `train_freq` counts steps of all environments together and not, as in SB3, of the vectorised environment: with
    `train_freq=4` and `gradient_steps=1` there is an update for every four transitions, however many environments stand
    side by side.

    With several environments the updates of a rollout are made while the environments take the next step, so that
    neither waits for the other; the actions of that step are chosen before. The last rollout's updates are made when
    learning goes on.

    Args:
        policy: As in SB3.
        env: As in SB3.
        frames_folder: Where the replay buffer keeps its frames in files; None keeps them in memory.
        frames_prefix: What the files' names begin with.
        precision: How exactly a GPU calculates updates; see `Precision`.
        _init_setup_model: As in SB3.
        **settings: The other arguments of SB3's DQN.

    Raises:
        ValueError: If there is no such precision.
    """

    def __init__(
        self,
        policy: Any,
        env: Any,
        *,
        frames_folder: Path | None = None,
        frames_prefix: str = "replay",
        precision: Precision = "float32",
        _init_setup_model: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(policy, env, _init_setup_model=False, **settings)
        self.frames_folder, self.frames_prefix = frames_folder, frames_prefix
        self._precision: Precision = precision
        if precision not in get_args(Precision):
            raise ValueError(f"precision is one of {', '.join(get_args(Precision))}, and not {precision}.")
        self._updates: GraphedUpdates | None = None
        self._can_be_graphed = True
        if _init_setup_model:
            self._setup_model()

    def _setup_model(self) -> None:
        # Here and not before, because SB3's `load` changes settings after the object was made.
        self._keep_replay_ratio()
        self._choose_replay_buffer()
        super()._setup_model()
        if self.device.type == "cpu":
            # A fifth faster in oneDNN's convolutions.
            self.policy.to(memory_format=th.channels_last)  # type: ignore[call-overload] # torch's stub wants a tensor
            use_onednn(self.policy)
        for group in self.policy.optimizer.param_groups:
            if "fused" in group:
                group["fused"], group["foreach"] = True, False

    def _choose_replay_buffer(self) -> None:
        """Takes the buffer of single frames where observations are stacks and nobody asks for another one."""
        stacking = unwrap_vec_wrapper(self.env, VecFrameStack) if self.env is not None else None
        if self.env is None or stacking is None:
            return
        keep_frames_whole(stacking)
        n_stack = frames_in_a_stack(self.env, self.replay_buffer_class, self.n_steps)
        if n_stack is not None:
            self.replay_buffer_class = FrameReplayBuffer
            own = {"n_stack": n_stack, "folder": self.frames_folder, "prefix": self.frames_prefix}
            self.replay_buffer_kwargs = {**(self.replay_buffer_kwargs or {}), **own}

    def _keep_replay_ratio(self) -> None:
        """Translates `train_freq` and `gradient_steps` to steps of the vectorised environment."""
        self._convert_train_freq()
        frequency: Any = self.train_freq  # a TrainFreq by now, which SB3's type leaves out
        self._as_given: tuple[Any, int] = frequency, self.gradient_steps
        if frequency.unit == TrainFrequencyUnit.STEP and self.gradient_steps > 0:
            n_updates = self.n_envs * self.gradient_steps
            divisor = math.gcd(frequency.frequency, n_updates)
            self.train_freq = frequency._replace(frequency=frequency.frequency // divisor)
            self.gradient_steps = n_updates // divisor
        self._translated = self.train_freq, self.gradient_steps

    def save(
        self,
        path: str | Path | io.BufferedIOBase,
        exclude: Iterable[str] | None = None,
        include: Iterable[str] | None = None,
    ) -> None:
        """As in SB3, with the settings as they were given: whoever loads it may have another number of environments.

        SB3's DQN, which counts steps of the vectorised environment, has the same replay ratio with one environment.
        """
        current = self.train_freq, self.gradient_steps
        if current == self._translated:
            self.train_freq, self.gradient_steps = self._as_given
        try:
            super().save(path, exclude, include)
        finally:
            self.train_freq, self.gradient_steps = current

    def learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int = 4,
        tb_log_name: str = "DQN",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> "FastDQN":
        """As in SB3; with several environments they play on while the network learns."""
        if self.n_envs == 1:
            super().learn(total_timesteps, callback, log_interval, tb_log_name, reset_num_timesteps, progress_bar)
            return self
        total_timesteps, callback = self._setup_learn(
            total_timesteps, callback, reset_num_timesteps, tb_log_name, progress_bar
        )
        callback.on_training_start(locals(), globals())
        goes_on = True
        with MeanwhileEnv(self._environment(), in_a_thread=self._has_a_core_to_spare()) as env:
            while goes_on and self.num_timesteps < total_timesteps:
                env.work = self._update
                rollout = self.collect_rollouts(
                    env,
                    train_freq=self.train_freq,  # type: ignore[arg-type] # `_setup_learn` has made it a TrainFreq
                    action_noise=self.action_noise,
                    callback=callback,
                    learning_starts=self.learning_starts,
                    replay_buffer=self.replay_buffer,  # type: ignore[arg-type] # it is there while learning
                    log_interval=log_interval,
                )
                goes_on = rollout.continue_training
        callback.on_training_end()
        return self

    def _update(self) -> None:
        """The updates of the rollout before."""
        is_empty = self.replay_buffer is None or self.replay_buffer.size() == 0
        if is_empty or self.num_timesteps <= max(self.learning_starts, 0) or self.gradient_steps == 0:
            return
        n_steps = self.train_freq.frequency * self.n_envs  # type: ignore[union-attr] # as above
        self.train(self.gradient_steps if self.gradient_steps > 0 else n_steps, self.batch_size)

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        """As in SB3; on a GPU in a graph, whose loss is logged a call later."""
        buffer = graphed_buffer(self) if self._can_be_graphed else None
        if buffer is not None:
            try:
                self._train_in_a_graph(buffer, gradient_steps, batch_size)
                return
            except RuntimeError as error:
                # A policy of one's own may wait for the GPU, which no graph can.
                print(f"Updates are made one by one, because they cannot be put into a CUDA graph: {error}")  # noqa: T201 # for the student
                self._can_be_graphed, self._updates = False, None
        super().train(gradient_steps, batch_size)

    def _train_in_a_graph(self, buffer: FrameReplayBuffer, gradient_steps: int, batch_size: int) -> None:
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        # Without a number of its own, it is that of an episode's steps, and another one each time.
        n_updates = updates_per_graph(gradient_steps) if self.gradient_steps > 0 else 1
        if self._updates is None or not self._updates.fit(buffer, n_updates, batch_size):
            self._updates = None  # gives up its memory before the next one takes some
            self._updates = GraphedUpdates(self, buffer, n_updates, batch_size, self._precision)
        known = [self._updates.run() for _ in range(gradient_steps // n_updates)]
        self._n_updates += gradient_steps
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        losses = [loss for loss in known if loss is not None]
        if losses:
            self.logger.record("train/loss", np.mean(losses))

    def _environment(self) -> VecEnv:
        if self.env is None:
            raise AssertionError("a model that learns has an environment")
        return self.env

    def _has_a_core_to_spare(self) -> bool:
        return self.device.type != "cpu" or (os.cpu_count() or 1) > th.get_num_threads()

    def get_parameters(self) -> dict[str, dict[str, Any]]:
        """As in SB3, in the plain layout, which every loader reads."""
        parameters: dict[str, dict[str, Any]] = _in_plain_layout(super().get_parameters())
        return parameters

    def set_parameters(
        self, load_path_or_dict: Any, exact_match: bool = True, device: th.device | str = "auto"
    ) -> None:
        """As in SB3; the optimizer's moments take the layout of the weights, in whose order they are walked."""
        super().set_parameters(load_path_or_dict, exact_match, device)
        for parameter, moments in self.policy.optimizer.state.items():
            for name, moment in moments.items():
                if moment.shape == parameter.shape:
                    moments[name] = th.empty_like(parameter).copy_(moment)

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

    def save_replay_buffer(self, path: Any) -> None:
        """As in SB3; frames in files are a part of the run's checkpoint already, and are not saved a second time."""
        if isinstance(self.replay_buffer, FrameReplayBuffer) and self.replay_buffer.frame_files is not None:
            print("The replay buffer is in the run's checkpoint, from which --resume goes on.")  # noqa: T201 # for the student
            return
        super().save_replay_buffer(path)

    def _excluded_save_params(self) -> list[str]:
        own = _OF_THE_FRAMES if self.replay_buffer_class is FrameReplayBuffer else []
        return [*super()._excluded_save_params(), *_OF_THIS_PROCESS, *own]


def _in_plain_layout(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_plain_layout(entry) for key, entry in value.items()}
    return value.contiguous() if isinstance(value, th.Tensor) else value
