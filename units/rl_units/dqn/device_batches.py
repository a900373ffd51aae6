"""Batches of a replay buffer of frames that are put together on a GPU."""

import numpy as np
import torch as th
from numpy.typing import NDArray
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from rl_units.dqn.frame_replay import Draw, FrameReplayBuffer

KEPT_FREE = 1_000_000_000
"""Bytes of a GPU's memory that frames leave to the rest."""

_STAGED_FRAMES = 1024


class FramesOnHost:
    """The host puts stacks together, and they go to the device with the batch.

    Args:
        buffer: Whose frames.
    """

    def __init__(self, buffer: FrameReplayBuffer) -> None:
        self.dtype, self.shape = th.uint8, (buffer.n_stack + 1, *buffer.frame_shape)
        self._buffer = buffer

    def prepare(self, draw: Draw, out: NDArray[np.uint8]) -> None:
        """Writes what `stacks` has to know of transitions, `[n, *self.shape]`."""
        self._buffer.stacks_into(draw, out)

    def stacks(self, uploaded: th.Tensor) -> th.Tensor:
        """The observations, each with the frame that follows, uint8 `[n, n_stack + 1, channels, height, width]`.

        Args:
            uploaded: What `prepare` has written, on the device.
        """
        return uploaded


class FramesOnDevice:
    """The device holds a copy of the buffer's frames, to which only the new ones go.

    Args:
        buffer: Whose frames. It may be empty, or restored before the first batch is drawn.
        n_drawn: Transitions that are drawn at a time.
        device: Where the copy is.
    """

    def __init__(self, buffer: FrameReplayBuffer, n_drawn: int, device: th.device) -> None:
        self.dtype, self.shape = th.int64, (buffer.n_stack + 1,)
        self._buffer, self._size = buffer, buffer.buffer_size + buffer.n_stack
        n_ring = self._size * buffer.n_envs
        # A black frame, the ring, and the frames after those transitions of the batch that end an episode.
        self._frames = th.zeros((self.count(buffer, n_drawn), *buffer.frame_shape), dtype=th.uint8, device=device)
        self._ring = self._frames[1 : n_ring + 1].view(self._size, buffer.n_envs, *buffer.frame_shape)
        self._first_last, self._last = n_ring + 1, self._frames[n_ring + 1 :]
        self._staged = host_tensor((max(_STAGED_FRAMES // buffer.n_envs, 1), *self._ring.shape[1:]), th.uint8, device)
        self._staged_last = host_tensor(self._last.shape, th.uint8, device)
        self._newest = 0

    @staticmethod
    def count(buffer: FrameReplayBuffer, n_drawn: int) -> int:
        """How many frames a device has to hold."""
        return 1 + (buffer.buffer_size + buffer.n_stack) * buffer.n_envs + n_drawn

    def prepare(self, draw: Draw, out: NDArray[np.int64]) -> None:
        """See `FramesOnHost`; nothing may be on its way to the device from the time before."""
        self._follow()
        places = np.arange(-self._buffer.n_stack, 1)
        slots = (draw.steps[:, None] + 1 + places) % self._size
        out[:] = 1 + slots * self._buffer.n_envs + draw.envs[:, None]
        out[places <= -(draw.ages[:, None] + 2)] = 0
        ended, frames = self._buffer.last_frames(draw)
        n = len(ended)
        out[ended, -1] = self._first_last + np.arange(n)
        self._staged_last.numpy()[:n] = frames
        self._last[:n].copy_(self._staged_last[:n], non_blocking=True)

    def stacks(self, uploaded: th.Tensor) -> th.Tensor:
        """See `FramesOnHost`."""
        return self._frames.index_select(0, uploaded.flatten()).view(*uploaded.shape, *self._buffer.frame_shape)

    def _follow(self) -> None:
        """Copies the frames that are new, and again the one that was the newest, which may have changed since."""
        newest = self._buffer.newest_frame
        start = max(self._newest, newest - self._size + 1)
        while start <= newest:
            slot = start % self._size
            n = min(len(self._staged), newest + 1 - start, self._size - slot)
            frames = np.empty((self._buffer.n_envs, n, *self._buffer.frame_shape), np.uint8)
            self._buffer.read_frames(start, frames)
            self._staged.numpy()[:n] = frames.swapaxes(0, 1)
            start += n
            # More frames are staged in the same place, which has to be free by then.
            self._ring[slot : slot + n].copy_(self._staged[:n], non_blocking=start > newest)
        self._newest = newest


FrameSource = FramesOnHost | FramesOnDevice


def choose_frames(buffer: FrameReplayBuffer, n_drawn: int, device: th.device) -> FrameSource:
    """Copies frames to a GPU if there is room for all that the buffer will hold.

    Args:
        buffer: See `FramesOnDevice`.
        n_drawn: See `FramesOnDevice`.
        device: See `FramesOnDevice`.
    """
    if device.type != "cuda":
        return FramesOnHost(buffer)
    # Updates that are under way may yet use memory that was given up, and what torch keeps of it would count as taken.
    th.cuda.synchronize(device)
    th.cuda.empty_cache()
    free, _ = th.cuda.mem_get_info(device)
    has_room = FramesOnDevice.count(buffer, n_drawn) * buffer.frame_bytes <= free - KEPT_FREE
    return FramesOnDevice(buffer, n_drawn, device) if has_room else FramesOnHost(buffer)


def host_tensor(shape: tuple[int, ...], dtype: th.dtype, device: th.device) -> th.Tensor:
    """Zeros on the host, in memory from which a GPU copies without the host's help."""
    return th.zeros(shape, dtype=dtype, pin_memory=device.type == "cuda")


class Batches:
    """The transitions of some updates, in the same place of the memory each time.

    Args:
        buffer: From which they are drawn.
        frames: Where their frames come from.
        n_batches: As many as updates.
        batch_size: Transitions in a batch.
        device: Where they go.
    """

    def __init__(
        self, buffer: FrameReplayBuffer, frames: FrameSource, n_batches: int, batch_size: int, device: th.device
    ) -> None:
        self._buffer, self._frames, self._n, self._size = buffer, frames, n_batches, batch_size
        n = n_batches * batch_size
        self._fields = {
            "frames": (frames.dtype, (n, *frames.shape)),
            "actions": (th.int64, (n, 1)),
            "rewards": (th.float32, (n, 1)),
            "ends": (th.float32, (n, 1)),
            "learning_rate": (th.float32, ()),
        }
        self._host = host_tensor((sum(_room(*field) for field in self._fields.values()),), th.uint8, device)
        self._device = self._host.to(device, copy=True)
        self._arrays = {name: tensor.numpy() for name, tensor in self._views(self._host).items()}
        self._tensors = self._views(self._device)

    @property
    def learning_rate(self) -> th.Tensor:
        """A single number on the device, where `upload` brings it."""
        return self._tensors["learning_rate"]

    def draw(self, learning_rate: float) -> None:
        """Draws all batches with the random numbers with which SB3 draws them; nothing may be on its way to the device.

        Args:
            learning_rate: For these batches.
        """
        draw, arrays = self._buffer.draw(self._size, self._n), self._arrays
        self._frames.prepare(draw, arrays["frames"])
        arrays["actions"][:] = self._buffer.actions[draw.rows, draw.envs]
        arrays["rewards"][:, 0] = self._buffer.rewards[draw.rows, draw.envs]
        arrays["ends"][:, 0] = self._buffer.ends(draw)
        arrays["learning_rate"][()] = learning_rate

    def upload(self) -> list[ReplayBufferSamples]:
        """Brings all batches to the device, in one copy."""
        self._device.copy_(self._host, non_blocking=True)
        stacks = self._frames.stacks(self._tensors["frames"])
        observations, following = (part.flatten(1, 2) for part in (stacks[:, :-1], stacks[:, 1:]))
        actions, rewards, ends = (self._tensors[name] for name in ("actions", "rewards", "ends"))
        columns = (th.split(column, self._size) for column in (observations, actions, following, ends, rewards))
        return [ReplayBufferSamples(*batch) for batch in zip(*columns, strict=True)]

    def _views(self, memory: th.Tensor) -> dict[str, th.Tensor]:
        views, start = {}, 0
        for name, (dtype, shape) in self._fields.items():
            n_bytes = dtype.itemsize * int(np.prod(shape))
            views[name] = memory[start : start + n_bytes].view(dtype).view(shape)
            start += _room(dtype, shape)
        return views


def _room(dtype: th.dtype, shape: tuple[int, ...]) -> int:
    """Bytes of a field; the next one begins where numbers of every type may stand."""
    return -(-dtype.itemsize * int(np.prod(shape)) // 16) * 16
