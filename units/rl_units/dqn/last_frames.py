"""The last frames of episodes, which stand in no observation that an action follows."""

import numpy as np
from numpy.typing import NDArray

from rl_units.dqn.frames import Frames


class LastFrames:
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

    def are_kept(self, row: int) -> NDArray[np.bool_]:
        """Which environments have a frame in a row."""
        are_kept: NDArray[np.bool_] = self._places[row] >= 0
        return are_kept

    def release(self, row: int) -> None:
        """Forgets the frames of a row."""
        self._free += self._places[row][self._places[row] >= 0].tolist()
        self._places[row] = -1

    def of(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], Frames]:
        """Index of the row and environment of each frame that some rows have, int `[n, 2]`, and the frames."""
        places = np.argwhere(self._places[rows] >= 0)
        return places, self._frames[self._places[rows][places[:, 0], places[:, 1]]]

    def after(self, chosen: tuple[NDArray[np.int64], NDArray[np.int64]]) -> tuple[NDArray[np.int64], Frames]:
        """Which of some transitions end an episode, int `[m]`, and the last frames of these."""
        places = self._places[chosen]
        ended = np.flatnonzero(places >= 0)
        return ended, self._frames[places[ended]]
