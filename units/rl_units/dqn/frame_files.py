"""Frames in files, which are written once and are a part of the run's checkpoint as they stand.

They are read and written by position and not mapped: what is mapped counts as the process's memory once it was read,
and a full disk would end the process instead of raising an error.
"""

import weakref
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rl_units.dqn.frames import Frames
from rl_units.files import storage_errors, sync

CHUNK_BYTES = 64 * 1024**2
"""Size of a file when it is full."""

_MOST_OPEN = 64
"""Files that are open at a time; systems give a process a few hundred, and each checkpoint ends a file."""


@dataclass(frozen=True)
class Chunk:
    """Frames `start` to `stop` (exclusive) of all environments, in one file."""

    file: str
    start: int
    stop: int


class _OpenChunk:
    """A chunk whose file is open, as long as this object lives or until it is closed; then it is opened to be read."""

    def __init__(self, path: Path, mode: str, start: int, stop: int, *, is_saved: bool = False) -> None:
        self.path, self.start, self.stop, self.is_saved = path, start, stop, is_saved
        self._content = FileIO(path, mode)
        self.close = weakref.finalize(self, self._content.close)

    def resize(self, size: int) -> None:
        self._content.truncate(size)

    def write(self, place: int, frame: Frames) -> None:
        self._content.seek(place)
        if self._content.write(frame.data) != frame.nbytes:
            raise OSError(f"{self.path} could not be written: the disk took a part of a frame only")

    def read(self, place: int, out: Frames) -> None:
        if self._content.closed:
            with FileIO(self.path) as content:
                self._read(content, place, out)
        else:
            self._read(self._content, place, out)

    def _read(self, content: FileIO, place: int, out: Frames) -> None:
        content.seek(place)
        if content.readinto(out.data) != out.nbytes:
            raise OSError(f"{self.path} is shorter than it was; nobody else may change a run's files")


class FrameFiles:
    """The newest frames of a run, in files that each hold some thousand of them.

    A file has a place for every frame, environment by environment, so that the frames of a stack stand side by side.
    Places that were never written take no room on the disk.

    Args:
        folder: Made when the first frame is written.
        prefix: What the files' names begin with; no other process may use it.
        n_envs: Environments side by side.
        frame_shape: `[channels, height, width]`.
    """

    def __init__(self, folder: Path, prefix: str, n_envs: int, frame_shape: tuple[int, ...]) -> None:
        self._folder, self._prefix, self._n_envs = folder, prefix, n_envs
        self._frame_bytes = int(np.prod(frame_shape))
        self._capacity = max(CHUNK_BYTES // (n_envs * self._frame_bytes), 1)
        self._chunks: list[_OpenChunk] = []
        self._starts: list[int] = []

    @property
    def unfinished(self) -> list[str]:
        """Names of the files that no checkpoint names yet."""
        return [chunk.path.name for chunk in self._chunks if not chunk.is_saved]

    def write(self, index: int, envs: NDArray[np.int64], frames: Frames) -> None:
        """See `FrameStore`.

        Raises:
            StorageError: If the next file cannot be made.
            OSError: If the disk refuses anything else.
        """
        if not self._chunks or index >= self._chunks[-1].start + self._capacity:
            if self._chunks:
                sync(self._chunks[-1].path)  # so that a checkpoint has less to wait for
            self._begin_chunk(index)
        chunk = self._chunk_of(index)
        for env, frame in zip(envs.tolist(), np.ascontiguousarray(frames), strict=True):
            place = env * self._capacity + index - chunk.start
            chunk.write(place * self._frame_bytes, frame)
        chunk.stop = max(chunk.stop, index + 1)

    def read(self, last: NDArray[np.int64], envs: NDArray[np.int64], counts: NDArray[np.int64], out: Frames) -> None:
        """See `FrameStore`.

        Raises:
            OSError: If a file cannot be read.
        """
        for stack, index, env, count in zip(out, last.tolist(), envs.tolist(), counts.tolist(), strict=True):
            stack[: len(stack) - count] = 0
            self._read_run(index - count + 1, env, stack[len(stack) - count :])

    def forget(self, before: int) -> None:
        """See `FrameStore`; a file that belongs to a checkpoint stays on the disk."""
        while len(self._chunks) > 1 and self._starts[1] <= before:
            chunk = self._chunks.pop(0)
            self._starts.pop(0)
            chunk.close()
            if not chunk.is_saved:
                chunk.path.unlink(missing_ok=True)

    def cut(self, index: int) -> list[Chunk]:
        """Ends the newest file before a frame, so that no file that is named here is written again.

        Args:
            index: Number of the first frame that will be written from now on.

        Returns:
            The files of all frames before it, flushed to the disk.

        Raises:
            StorageError: If the next file cannot be made.
            OSError: If the disk refuses anything else.
        """
        if self._chunks and self._chunks[-1].start == index:
            self._drop_newest()
        for chunk in self._chunks:
            if not chunk.is_saved:
                sync(chunk.path)
            chunk.stop, chunk.is_saved = min(chunk.stop, index), True
        if self._chunks:
            self._begin_chunk(index)
            sync(self._folder)
        return [Chunk(chunk.path.name, chunk.start, chunk.stop) for chunk in self._chunks[:-1]]

    def open(self, chunks: Sequence[Chunk], oldest: int, stop: int) -> None:
        """Goes on with files that `cut` named.

        Args:
            chunks: In the order of their frames.
            oldest: The first frame that will be read.
            stop: One past the last.

        Raises:
            ValueError: If they are not the files of these frames.
        """
        borders = [chunk.start for chunk in chunks[1:]] + [stop]
        if not chunks or chunks[0].start > oldest or borders != [chunk.stop for chunk in chunks]:
            raise ValueError("the files of its frames do not follow each other")
        size = self._capacity * self._n_envs * self._frame_bytes
        for chunk in chunks:
            path = self._folder / chunk.file
            if path.stat().st_size != size or not 0 < chunk.stop - chunk.start <= self._capacity:
                raise ValueError(f"{chunk.file} holds other frames than this game's")
            self._append(_OpenChunk(path, "r", chunk.start, chunk.stop, is_saved=True))
        self._begin_chunk(stop)

    def __reduce__(self) -> str:
        raise TypeError("frames in files cannot be pickled; they are a part of the run's checkpoint")

    def _begin_chunk(self, start: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._prefix}-{start}.frames"
        with storage_errors(path):
            chunk = _OpenChunk(path, "x+", start, start)
        self._append(chunk)
        chunk.resize(self._capacity * self._n_envs * self._frame_bytes)

    def _append(self, chunk: _OpenChunk) -> None:
        self._chunks.append(chunk)
        self._starts.append(chunk.start)
        for older in self._chunks[-_MOST_OPEN - 1 : -_MOST_OPEN]:
            older.close()

    def _drop_newest(self) -> None:
        chunk = self._chunks.pop()
        self._starts.pop()
        chunk.close()
        chunk.path.unlink(missing_ok=True)

    def _chunk_of(self, index: int) -> _OpenChunk:
        return self._chunks[bisect_right(self._starts, index) - 1]

    def _read_run(self, first: int, env: int, out: Frames) -> None:
        """Reads frames of an environment that follow each other, whichever files they stand in."""
        done = 0
        while done < len(out):
            at = bisect_right(self._starts, first + done) - 1
            chunk = self._chunks[at]
            stop = self._starts[at + 1] if at + 1 < len(self._chunks) else chunk.start + self._capacity
            n_here = min(len(out) - done, stop - first - done)
            place = env * self._capacity + first + done - chunk.start
            chunk.read(place * self._frame_bytes, out[done : done + n_here])
            done += n_here
