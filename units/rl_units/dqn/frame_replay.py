"""A replay buffer for stacked images that keeps every frame once.

SB3's buffer keeps two stacks of four frames for each transition, so a frame stands in memory eight times. Here stands a
ring of frames, and stacks are put together when a batch is drawn. What goes in and what comes out is the same to the
bit, also the random numbers that choose the batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch as th
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.buffers import BaseBuffer, ReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.common.vec_env import VecNormalize

from rl_units.dqn.frame_files import Chunk, FrameFiles
from rl_units.dqn.frames import Frames, FramesInMemory, FrameStore
from rl_units.dqn.last_frames import LastFrames
from rl_units.dqn.stacks import by_pixel, is_stack_of_images


@dataclass(frozen=True)
class Draw:
    """Transitions that were drawn.

    Attributes:
        rows: Where they stand in the buffer, int `[n]`.
        envs: Their environments, int `[n]`.
        steps: Their numbers since the run began, int `[n]`.
        ages: Frames of the same episode that precede, at most one less than a stack has, int `[n]`.
    """

    rows: NDArray[np.int64]
    envs: NDArray[np.int64]
    steps: NDArray[np.int64]
    ages: NDArray[np.int64]


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
        folder: Where frames are kept in files, named by `prefix`; None keeps them in memory.
        prefix: See `FrameFiles`.

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
        folder: Path | None = None,
        prefix: str = "replay",
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
        self._frames: FrameStore
        if folder is None:
            # The oldest transition looks back over a whole stack, and the newest has its next frame.
            self._frames = FramesInMemory(self.buffer_size + n_stack, n_envs, self._frame_shape)
        else:
            self._frames = FrameFiles(folder, prefix, n_envs, self._frame_shape)
        self._ages = np.zeros(shape, np.uint8)
        """Frames of the same episode that precede, at most `n_stack - 1`: the others of a stack are black."""
        self._last = LastFrames(shape, self._frame_shape)
        self._following: Frames = np.zeros((n_envs, n_stack, *self._frame_shape), np.uint8)
        """Next observations of the newest transitions."""
        self._added = 0

    @property
    def frame_files(self) -> FrameFiles | None:
        """Where the frames are, if that is in files."""
        return self._frames if isinstance(self._frames, FrameFiles) else None

    @property
    def n_stack(self) -> int:
        """Frames in an observation."""
        return self._n_stack

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """`[channels, height, width]`."""
        return self._frame_shape

    @property
    def newest_frame(self) -> int:
        """Number of the newest frame; step `i` leads from frame `i` to frame `i + 1`, and the newest may yet change."""
        return self._added

    @property
    def frame_bytes(self) -> int:
        """Size of a frame; one is kept for each transition."""
        return int(np.prod(self._frame_shape))

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
        ages, begins_anew = self._ages_of(obs)
        self._last.put((row - 1) % self.buffer_size, begins_anew, self._following[begins_anew, -1])
        self._last.release(row)
        self._last.put(row, ended, next_obs[ended, -1])
        self._ages[row] = ages
        begins = np.flatnonzero(ages == 0)
        self._frames.forget(self._added - self.buffer_size - self._n_stack)
        self._frames.write(self._added, begins, obs[begins, -1])
        self._frames.write(self._added + 1, np.arange(self.n_envs), next_obs[:, -1])
        self._following[:] = next_obs
        self.actions[row] = np.asarray(action).reshape(self.n_envs, self.action_dim)
        self.rewards[row] = reward
        self.dones[row] = ended
        if self.handle_timeout_termination:
            self.timeouts[row] = [info.get("TimeLimit.truncated", False) for info in infos]
        self._go_on_from(self._added + 1)

    def end_episodes(self) -> None:
        """Keeps what follows the newest transition, after which the environments begin anew.

        They count as ended by a time limit, so that learning goes on from there.
        """
        if not self._added:
            return
        row = (self._added - 1) % self.buffer_size
        goes_on = self.dones[row] == 0
        self._last.put(row, goes_on, self._following[goes_on, -1])
        self.dones[row] = 1
        if self.handle_timeout_termination:
            self.timeouts[row][goes_on] = 1

    def cut(self) -> list[Chunk]:
        """Gives the files of the frames so far, which are not written again.

        Raises:
            OSError: If the disk refuses the next file.
        """
        if not isinstance(self._frames, FrameFiles):
            return []
        chunks = self._frames.cut(self._added)
        if self._added:
            self._frames.write(self._added, np.arange(self.n_envs), self._following[:, -1])
        return chunks

    def pack(self, start: int, stop: int) -> dict[str, NDArray[Any]]:
        """What the buffer knows of steps of the run beside their frames, as arrays.

        Args:
            start: The first step, counted from the run's beginning.
            stop: One past the last.
        """
        rows = np.arange(start, stop) % self.buffer_size
        places, frames = self._last.of(rows)
        following = np.zeros((self.n_envs, 1, *self._frame_shape), np.uint8)
        envs = np.arange(self.n_envs)
        self._frames.read(np.full(self.n_envs, stop), envs, np.ones(self.n_envs, int), following)
        return {
            "ages": self._ages[rows],
            "last_places": places,
            "last_frames": frames,
            "following": following[:, 0],
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
            IndexError: As ValueError.
        """
        before = steps[0] - 1
        if before >= max(oldest, 0):
            # Environments may have begun anew after these steps were packed, as when a run was resumed.
            row = before % self.buffer_size
            begins_anew = (arrays["ages"][0] == 0) & (self.dones[row] == 0) & ~self._last.are_kept(row)
            self._last.put(row, begins_anew, self._following[begins_anew, -1])
        rows, held = steps % self.buffer_size, steps >= oldest
        self._ages[rows[held]] = arrays["ages"][held]
        for (index, env), frame in zip(arrays["last_places"], arrays["last_frames"], strict=True):
            if held[index]:
                self._last.put(rows[index], np.arange(self.n_envs) == env, frame[None])
        self._following[:, -1] = arrays["following"]

    def open(self, chunks: Sequence[Chunk], added: int) -> None:
        """Goes on with the frames of a run, whose steps have been put back with `unpack`.

        Args:
            chunks: See `cut`.
            added: Steps since the run's beginning.

        Raises:
            ValueError: If the files are not those of the frames.
            OSError: If one cannot be read.
        """
        self._go_on_from(added)
        if not added or not isinstance(self._frames, FrameFiles):
            return
        oldest = added - self.buffer_size
        self._frames.open(chunks, max(oldest - self._n_stack + 1, 0), added)
        envs = np.arange(self.n_envs)
        self._frames.write(added, envs, self._following[:, -1])
        ages = np.minimum(self._ages[(added - 1) % self.buffer_size].astype(int) + 1, self._n_stack - 1)
        self._frames.read(np.full(self.n_envs, added), envs, ages + 1, self._following)

    def _go_on_from(self, added: int) -> None:
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
        begins_anew = goes_on & (self._following != obs).any(axis=(1, 2, 3, 4))
        ages[begins_anew] = 0
        if obs[ages == 0, :-1].any():
            raise ValueError("An observation has to be the one before it moved on by a frame, or begin after black.")
        return ages, begins_anew

    def draw(self, batch_size: int, n_batches: int = 1) -> Draw:
        """Chooses the transitions of some batches, one after another, with the random numbers of `sample`."""
        chosen = [
            (np.random.randint(0, self.size(), size=batch_size), self._draw_envs(batch_size))  # noqa: NPY002 # as SB3 draws
            for _ in range(n_batches)
        ]
        rows, envs = (np.concatenate(parts) for parts in zip(*chosen, strict=True))
        return self._drawn(rows, envs)

    def stacks_into(self, draw: Draw, out: Frames) -> None:
        """Reads the observations of transitions, each with the frame that follows.

        Args:
            draw: The transitions.
            out: uint8 `[n, n_stack + 1, channels, height, width]`.
        """
        self._frames.read(draw.steps + 1, draw.envs, draw.ages + 2, out)
        ended, frames = self.last_frames(draw)
        out[ended, -1] = frames

    def last_frames(self, draw: Draw) -> tuple[NDArray[np.int64], Frames]:
        """Which transitions end an episode, int `[m]`, and the frames that follow them, which have no number."""
        return self._last.after((draw.rows, draw.envs))

    def ends(self, draw: Draw) -> NDArray[np.float32]:
        """1 where nothing follows a transition that counts, 0 elsewhere and after time limits, `[n]`."""
        chosen = (draw.rows, draw.envs)
        ends: NDArray[np.float32] = self.dones[chosen] * (1 - self.timeouts[chosen])
        return ends

    def read_frames(self, first: int, out: Frames) -> None:
        """Reads frames of all environments that follow each other.

        Args:
            first: Number of the first.
            out: uint8 `[n_envs, n, channels, height, width]`.
        """
        last, counts = (np.full(self.n_envs, number) for number in (first + out.shape[1] - 1, out.shape[1]))
        self._frames.read(last, np.arange(self.n_envs), counts, out)

    def _draw_envs(self, batch_size: int) -> NDArray[np.int64]:
        envs: NDArray[np.int64] = np.random.randint(0, high=self.n_envs, size=(batch_size,))  # noqa: NPY002 # as SB3 draws
        return envs

    def _drawn(self, rows: NDArray[np.int64], envs: NDArray[np.int64]) -> Draw:
        steps = self._added - 1 - (self._added - 1 - rows) % self.buffer_size
        return Draw(rows, envs, steps, self._ages[rows, envs].astype(np.int64))

    def _get_samples(self, batch_inds: NDArray[np.int64], env: VecNormalize | None = None) -> ReplayBufferSamples:
        draw = self._drawn(batch_inds, self._draw_envs(len(batch_inds)))
        stacks: Frames = np.empty((len(batch_inds), self._n_stack + 1, *self._frame_shape), np.uint8)
        self.stacks_into(draw, stacks)
        observations, next_observations = (by_pixel(part) for part in (stacks[:, :-1], stacks[:, 1:]))
        data = (
            np.asarray(self._normalize_obs(observations, env)),
            self.actions[draw.rows, draw.envs],
            np.asarray(self._normalize_obs(next_observations, env)),
            self.ends(draw).reshape(-1, 1),
            self._normalize_reward(self.rewards[draw.rows, draw.envs].reshape(-1, 1), env),
        )
        return ReplayBufferSamples(*(self.to_torch(array, copy=False) for array in data))
