"""Where a replay buffer's frames stand: one a step and environment, by the step's number since the run began."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


class FrameStore(Protocol):
    """The newest frames of several environments."""

    def write(self, index: int, envs: NDArray[np.int64], frames: Frames) -> None:
        """Keeps a frame for each of some environments.

        Args:
            index: Number of the frame, at most one more than the greatest so far.
            envs: The environments, int `[n]`.
            frames: uint8 `[n, channels, height, width]`.
        """

    def read(self, last: NDArray[np.int64], envs: NDArray[np.int64], counts: NDArray[np.int64], out: Frames) -> None:
        """Reads the frames that follow each other up to a given one.

        Args:
            last: Number of each run's last frame, int `[n]`.
            envs: Its environment, int `[n]`.
            counts: Its length, at most `k`, int `[n]`.
            out: Filled from the right, with black before, uint8 `[n, k, channels, height, width]`.
        """

    def forget(self, before: int) -> None:
        """Gives up the frames with smaller numbers."""


class FramesInMemory:
    """A ring of frames.

    Args:
        size: Numbers that are kept.
        n_envs: Environments side by side.
        frame_shape: `[channels, height, width]`.
    """

    def __init__(self, size: int, n_envs: int, frame_shape: tuple[int, ...]) -> None:
        self._ring: Frames = np.zeros((size, n_envs, *frame_shape), np.uint8)

    def write(self, index: int, envs: NDArray[np.int64], frames: Frames) -> None:
        """See `FrameStore`."""
        self._ring[index % len(self._ring), envs] = frames

    def read(self, last: NDArray[np.int64], envs: NDArray[np.int64], counts: NDArray[np.int64], out: Frames) -> None:
        """See `FrameStore`."""
        places = np.arange(1 - out.shape[1], 1)
        out[:] = self._ring[(last[:, None] + places) % len(self._ring), envs[:, None]]
        out[places <= -counts[:, None]] = 0

    def forget(self, before: int) -> None:
        """Nothing: the ring forgets by itself."""
