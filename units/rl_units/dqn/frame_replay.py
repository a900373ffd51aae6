"""A replay buffer for stacked images that keeps every frame once.

SB3's buffer keeps two stacks of four frames for each transition, so a frame stands in memory eight times. Here stands a
ring of frames, and stacks are put together when a batch is drawn. What goes in and what comes out is the same to the
bit, also the random numbers that choose the batch.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch as th
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.buffers import BaseBuffer, ReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.common.vec_env import VecNormalize

Frames = NDArray[np.uint8]


class FrameReplayBuffer(ReplayBuffer):
    """Transitions of `VecFrameStack` over images with the channels first.

    Args:
        buffer_size: Transitions of all environments together.
        observation_space: uint8 `[n_stack * channels, height, width]`.
        action_space: As in SB3.
        device: Where batches go.
        n_envs: Environments side by side.
        optimize_memory_usage: Without meaning: each frame is kept once either way, and no transition is given up.
        handle_timeout_termination: Whether time limits end an episode without ending its value, as in SB3.
        n_stack: Frames in an observation.

    Raises:
        ValueError: If observations are no stacks of so many images.
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        device: th.device | str = "auto",
        n_envs: int = 1,
        optimize_memory_usage: bool = False,  # noqa: ARG002 # part of SB3's signature
        handle_timeout_termination: bool = True,
        *,
        n_stack: int,
    ) -> None:
        # SB3's own constructor would take the memory that is to be saved.
        BaseBuffer.__init__(self, buffer_size, observation_space, action_space, device, n_envs)
        if not is_stack_of_images(observation_space, n_stack):
            raise ValueError(f"{observation_space} is no stack of {n_stack} images with the channels first.")
        self.buffer_size = max(buffer_size // n_envs, 1)
        self.optimize_memory_usage = False
        self.handle_timeout_termination = handle_timeout_termination
        shape = (self.buffer_size, n_envs)
        self.actions = np.zeros((*shape, self.action_dim), action_space.dtype)
        self.rewards = np.zeros(shape, np.float32)
        self.dones = np.zeros(shape, np.float32)
        self.timeouts = np.zeros(shape, np.float32)
        self._n_stack = n_stack
        channels = self.obs_shape[0] // n_stack
        self._frame_shape = (channels, *self.obs_shape[1:])
        # The oldest transition looks back over a whole stack, and the newest has its next frame.
        self._frames: Frames = np.zeros((self.buffer_size + n_stack, n_envs, *self._frame_shape), np.uint8)
        self._ages = np.zeros(shape, np.uint8)
        """Frames of the same episode that precede, at most `n_stack - 1`: the others of a stack are black."""
        self._last = _LastFrames(shape, self._frame_shape)
        self._added = 0

    def add(
        self,
        obs: NDArray[Any],
        next_obs: NDArray[Any],
        action: NDArray[Any],
        reward: NDArray[Any],
        done: NDArray[Any],
        infos: list[dict[str, Any]],
    ) -> None:
        """Takes a step of all environments.

        Raises:
            ValueError: If the observations are no stacks that move on by a frame with each step.
        """
        row, ended = self.pos, np.asarray(done, bool)
        obs, next_obs = self._by_frame(obs), self._by_frame(next_obs)
        if not np.array_equal(next_obs[:, :-1], obs[:, 1:]):
            raise ValueError("A next observation has to be the observation moved on by a frame.")
        newest, following = (self._frames[(self._added + further) % len(self._frames)] for further in (0, 1))
        ages, begins_anew = self._ages_of(obs)
        self._last.put((row - 1) % self.buffer_size, begins_anew, newest[begins_anew])
        self._last.release(row)
        self._last.put(row, ended, next_obs[ended, -1])
        self._ages[row] = ages
        newest[:] = obs[:, -1]
        following[:] = next_obs[:, -1]
        self.actions[row] = np.asarray(action).reshape(self.n_envs, self.action_dim)
        self.rewards[row] = reward
        self.dones[row] = ended
        if self.handle_timeout_termination:
            self.timeouts[row] = [info.get("TimeLimit.truncated", False) for info in infos]
        self.go_on_from(self._added + 1)

    def end_episodes(self) -> None:
        """Keeps what follows the newest transition, after which the environments begin anew.

        They count as ended by a time limit, so that learning goes on from there.
        """
        if not self._added:
            return
        row = (self._added - 1) % self.buffer_size
        goes_on = self.dones[row] == 0
        self._last.put(row, goes_on, self._frames[self._added % len(self._frames)][goes_on])
        self.dones[row] = 1
        if self.handle_timeout_termination:
            self.timeouts[row][goes_on] = 1

    def pack(self, start: int, stop: int) -> dict[str, NDArray[Any]]:
        """What steps of the run add to the frames, as arrays; they have to be in the buffer.

        Args:
            start: The first step, counted from the run's beginning.
            stop: One past the last.
        """
        first = max(start - self._n_stack + 1, 0)
        rows = np.arange(start, stop) % self.buffer_size
        places, frames = self._last.of(rows)
        return {
            "first": np.array(first),
            "frames": self._frames[np.arange(first, stop + 1) % len(self._frames)],
            "ages": self._ages[rows],
            "last_places": places,
            "last_frames": frames,
        }

    def unpack(self, arrays: Mapping[str, NDArray[Any]], steps: NDArray[np.int64], oldest: int) -> None:
        """Puts back what `pack` gave; steps in their order, their `dones` first.

        Args:
            arrays: Of these steps.
            steps: Counted from the run's beginning, int `[n]`.
            oldest: The first step that is still in the buffer.

        Raises:
            ValueError: If the arrays are not of these steps and this buffer.
            KeyError: If one is missing.
        """
        n_frames, first = len(arrays["frames"]), int(arrays["first"])
        if n_frames != steps[-1] + 2 - first or first != max(steps[0] - self._n_stack + 1, 0):
            raise ValueError("its frames are of other steps")
        before = steps[0] - 1
        if before >= max(oldest, 0):
            # Environments began anew after these steps were packed, as they do whenever a run is resumed.
            row, following = before % self.buffer_size, self._frames[steps[0] % len(self._frames)]
            begins_anew = (arrays["ages"][0] == 0) & (self.dones[row] == 0)
            self._last.put(row, begins_anew, following[begins_anew])
        kept = slice(max(0, n_frames - len(self._frames)), n_frames)
        self._frames[np.arange(first, first + n_frames)[kept] % len(self._frames)] = arrays["frames"][kept]
        rows, held = steps % self.buffer_size, steps >= oldest
        self._ages[rows[held]] = arrays["ages"][held]
        for (index, env), frame in zip(arrays["last_places"], arrays["last_frames"], strict=True):
            if held[index]:
                self._last.put(rows[index], np.arange(self.n_envs) == env, frame[None])

    def go_on_from(self, added: int) -> None:
        """Sets how many steps have been added since the run's beginning."""
        self._added = added
        self.pos = added % self.buffer_size
        self.full = added >= self.buffer_size

    def _by_frame(self, stacks: NDArray[Any]) -> Frames:
        """`[n, n_stack, channels, height, width]`."""
        return np.asarray(stacks).reshape(-1, self._n_stack, *self._frame_shape)

    def _ages_of(self, obs: Frames) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """How many frames precede each environment's newest one, and which begin anew though nothing had ended.

        SB3 resets its environments so at the beginning of `learn`.

        Raises:
            ValueError: If the stacks are not made of these frames.
        """
        before = (self._added - 1) % self.buffer_size
        goes_on = (self.dones[before] == 0) & (self._added > 0)
        ages = np.where(goes_on, np.minimum(self._ages[before] + 1, self._n_stack - 1), 0).astype(np.uint8)
        known = self._stacks(np.full(self.n_envs, self._added), np.arange(self.n_envs), ages)[:, : self._n_stack]
        begins_anew = goes_on & (known != obs).any(axis=(1, 2, 3, 4))
        ages[begins_anew] = 0
        if obs[ages == 0, :-1].any():
            raise ValueError("An observation has to be the one before it moved on by a frame, or begin after black.")
        return ages, begins_anew

    def _get_samples(self, batch_inds: NDArray[np.int64], env: VecNormalize | None = None) -> ReplayBufferSamples:
        env_indices = np.random.randint(0, high=self.n_envs, size=(len(batch_inds),))  # noqa: NPY002 # as SB3 draws them
        chosen = (batch_inds, env_indices)
        steps = self._added - 1 - (self._added - 1 - batch_inds) % self.buffer_size
        stacks = self._stacks(steps, env_indices, self._ages[chosen])
        self._last.fill(chosen, stacks[:, -1])
        observations, next_observations = (
            np.ascontiguousarray(part).reshape(-1, *self.obs_shape) for part in (stacks[:, :-1], stacks[:, 1:])
        )
        ends = self.dones[chosen] * (1 - self.timeouts[chosen])
        data = (
            self._normalize_obs(observations, env),
            self.actions[chosen],
            self._normalize_obs(next_observations, env),
            ends.reshape(-1, 1),
            self._normalize_reward(self.rewards[chosen].reshape(-1, 1), env),
        )
        return ReplayBufferSamples(*map(self.to_torch, data))

    def _stacks(self, steps: NDArray[Any], envs: NDArray[Any], ages: NDArray[np.uint8]) -> Frames:
        """The frames of a step's observation and the one that follows, `[n, n_stack + 1, channels, height, width]`."""
        places = np.arange(1 - self._n_stack, 2)
        stacks: Frames = self._frames[(steps[:, None] + places) % len(self._frames), envs[:, None]]
        stacks[places < -ages[:, None].astype(int)] = 0
        return stacks


class _LastFrames:
    """The last frames of episodes, which no observation begins with: a few for each thousand transitions.

    Args:
        shape: Rows of the buffer, and environments.
        frame_shape: Of a frame.
    """

    def __init__(self, shape: tuple[int, int], frame_shape: tuple[int, ...]) -> None:
        self._frames: Frames = np.zeros((0, *frame_shape), np.uint8)
        self._places = np.full(shape, -1, np.int32)
        self._free: list[int] = []

    def put(self, row: int, envs: NDArray[np.bool_], frames: Frames) -> None:
        """Keeps the frames of some of a row's environments, which have none there."""
        while len(self._free) < len(frames):
            n_kept = len(self._frames)
            room = max(n_kept, 64)
            self._frames = np.concatenate([self._frames, np.zeros((room, *self._frames.shape[1:]), np.uint8)])
            self._free += range(n_kept, n_kept + room)
        for env, frame in zip(np.flatnonzero(envs), frames, strict=True):
            place = self._free.pop()
            self._frames[place] = frame
            self._places[row, env] = place

    def release(self, row: int) -> None:
        """Forgets the frames of a row."""
        self._free += self._places[row][self._places[row] >= 0].tolist()
        self._places[row] = -1

    def of(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], Frames]:
        """Index of the row and environment of each frame that some rows have, int `[n, 2]`, and the frames."""
        places = np.argwhere(self._places[rows] >= 0)
        return places, self._frames[self._places[rows][places[:, 0], places[:, 1]]]

    def fill(self, chosen: tuple[NDArray[Any], NDArray[Any]], frames: Frames) -> None:
        """Writes the last frames of those transitions that end an episode."""
        places = self._places[chosen]
        ended = places >= 0
        frames[ended] = self._frames[places[ended]]


def is_stack_of_images(space: spaces.Space[Any], n_stack: int) -> bool:
    """Whether observations are so many images on each other, with the channels first."""
    return (
        isinstance(space, spaces.Box)
        and space.dtype == np.uint8
        and len(space.shape) == 3
        and n_stack > 1
        and space.shape[0] % n_stack == 0
    )
