"""Replay buffers on disk: numbers and deduplicated frames, never a pickle.

SB3 keeps every Atari transition as two stacks of four frames, so each frame stands in memory eight times: 5.6 GB for
100,000 transitions. On disk each frame stands once, compressed. Transitions are written in segments that are never
changed again, so a checkpoint writes only what is new since the one before. The frames of a `FrameReplayBuffer` are in
files of their own already.
"""

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.buffers import DictReplayBuffer, NStepReplayBuffer, ReplayBuffer

from rl_units.dqn.frame_files import Chunk
from rl_units.dqn.frame_replay import FrameReplayBuffer
from rl_units.errors import CHECKPOINT_REMEDY, SETTINGS_REMEDY, CheckpointError
from rl_units.files import atomic_path

SEGMENT_STEPS = 10_000
"""Longest segment, in steps of the vectorised environment; bounds the memory that writing one takes."""

Arrays = dict[str, NDArray[Any]]

# An exact type: a subclass (HER, or a student's own) may keep state that is not known here.
_SUPPORTED = (ReplayBuffer, DictReplayBuffer, NStepReplayBuffer, FrameReplayBuffer)
_COLUMNS = ("actions", "rewards", "dones", "timeouts")
# Level 1 takes a third of the time of the default and games' flat colours leave little to gain.
_COMPRESSION_LEVEL = 1
_BLOCK = 256  # transitions compared at a time; keeps temporary arrays below about 20 MB


@dataclass(frozen=True)
class Segment:
    """Steps `start` to `stop` (exclusive) of a run, counted from its first, in one file."""

    file: str
    start: int
    stop: int


def is_supported(buffer: object) -> bool:
    """Whether this replay buffer can be saved and restored."""
    if isinstance(buffer, FrameReplayBuffer) and buffer.frame_files is None:
        return False
    return type(buffer) in _SUPPORTED


def new_segments(saved_until: int, added: int, capacity: int) -> Iterator[tuple[int, int]]:
    """Ranges of steps to write so that everything the buffer holds is on disk.

    Args:
        saved_until: First step that no segment holds.
        added: Steps added to the buffer since the run began.
        capacity: Steps that the buffer holds at most.

    Yields:
        Start and stop (exclusive) of each range, at most `SEGMENT_STEPS` long.
    """
    start = max(saved_until, added - capacity)
    while start < added:
        stop = min(start + SEGMENT_STEPS, added)
        yield start, stop
        start = stop


def write_segment(buffer: ReplayBuffer, start: int, stop: int, path: Path) -> None:
    """Writes the transitions of steps `start` to `stop`.

    Args:
        buffer: Step `i` is in its row `i % buffer_size`, as SB3 fills it.
        start: First step.
        stop: One past the last step.
        path: A `.npz` file; written atomically.

    Raises:
        StorageError: If it cannot be written.
    """
    rows = np.arange(start, stop) % buffer.buffer_size
    arrays: Arrays = {name: getattr(buffer, name)[rows] for name in _COLUMNS}
    if isinstance(buffer, FrameReplayBuffer):
        write_arrays(path, arrays | buffer.pack(start, stop))
        return
    for key, observations, next_observations in _observation_columns(buffer):
        following = None if next_observations is None else next_observations[rows]
        arrays.update({f"{key}/{name}": array for name, array in _pack(observations[rows], following).items()})
    write_arrays(path, arrays)


def read_segments(
    buffer: ReplayBuffer, segments: Sequence[Segment], folder: Path, added: int, frames: Sequence[Chunk] = ()
) -> None:
    """Fills an empty buffer with what `write_segment` wrote.

    Args:
        buffer: A new buffer of the same shape.
        segments: In the order of their steps.
        folder: Where their files are.
        added: Steps added since the run began; says where the buffer goes on.
        frames: The files of a `FrameReplayBuffer`.

    Raises:
        CheckpointError: If a segment is missing or damaged, or does not fit the buffer.
    """
    for segment in segments:
        arrays = read_arrays(folder / segment.file)
        steps = np.arange(segment.start, segment.stop)
        held = steps >= added - buffer.buffer_size
        rows = steps[held] % buffer.buffer_size
        try:
            for name in _COLUMNS:
                getattr(buffer, name)[rows] = arrays[name][held]
            if isinstance(buffer, FrameReplayBuffer):
                buffer.unpack(arrays, steps, added - buffer.buffer_size)
                continue
            for key, observations, next_observations in _observation_columns(buffer):
                packed = {name[len(key) + 1 :]: array for name, array in arrays.items() if name.startswith(f"{key}/")}
                unpacked, following = _unpack(packed)
                observations[rows] = unpacked[held]
                if next_observations is not None:
                    next_observations[rows] = following[held]
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise CheckpointError(
                f"{folder / segment.file} does not fit this run: {error}. {SETTINGS_REMEDY}"
            ) from error
    if isinstance(buffer, FrameReplayBuffer):
        try:
            buffer.open(frames, added)
        except (ValueError, OSError) as error:
            raise CheckpointError(
                f"The replay buffer in {folder} does not fit this run: {error}. {SETTINGS_REMEDY}"
            ) from error
        return
    buffer.pos = added % buffer.buffer_size
    buffer.full = added >= buffer.buffer_size


def end_last_episode(buffer: ReplayBuffer) -> None:
    """Marks the newest transition as truncated, because a resumed run starts a new episode after it.

    Learning still bootstraps from its next observation, except in SB3's memory-saving variant, which keeps none and
    where SB3 itself gives up that one transition.
    """
    if isinstance(buffer, FrameReplayBuffer):
        buffer.end_episodes()
    elif buffer.size() > 0:
        last = (buffer.pos - 1) % buffer.buffer_size
        open_ended = buffer.dones[last] == 0
        buffer.dones[last] = 1
        if buffer.handle_timeout_termination:
            buffer.timeouts[last][open_ended] = 1


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes arrays as a compressed `.npz`, atomically.

    Raises:
        StorageError: If it cannot be written.
    """
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as archive,
    ):
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)


def read_arrays(path: Path) -> Arrays:
    """Reads a `.npz` that holds plain arrays only.

    Raises:
        CheckpointError: If it is missing, damaged, or holds anything else.
    """
    try:
        # Opened here, because numpy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise CheckpointError(f"{path} is missing or damaged: {error}. {CHECKPOINT_REMEDY}") from error


def _observation_columns(buffer: ReplayBuffer) -> Iterator[tuple[str, NDArray[Any], NDArray[Any] | None]]:
    """Name, observations and next observations of each key; None for the memory-saving variant, which keeps no next."""
    observations: Any = buffer.observations
    following: Any = None if buffer.optimize_memory_usage else buffer.next_observations
    if isinstance(observations, dict):
        for key in observations:
            yield f"observation/{key}", observations[key], following[key]
    else:
        yield "observation", observations, following


def _pack(observations: NDArray[Any], following: NDArray[Any] | None) -> Arrays:
    """Stores each plane of stacked images once; anything else as it is.

    Args:
        observations: `(steps, n_envs, ...)`; images are `(steps, n_envs, planes, height, width)` uint8.
        following: The next observations, same shape, or None.
    """
    if observations.ndim != 5 or observations.dtype != np.uint8:
        return {"plain": observations} if following is None else {"plain": observations, "plain_next": following}
    stacks = [observations] if following is None else [observations, following]
    index = np.zeros((len(observations), len(stacks), *observations.shape[1:3]), dtype=np.int32)
    sources = _earlier_planes(observations, following)
    frames: list[NDArray[np.uint8]] = []
    for step, place, env, plane in np.ndindex(*index.shape):
        equal, (earlier, other, shift) = sources[place]
        if step + earlier >= 0 and plane + shift < index.shape[3] and equal[step + earlier, env, plane]:
            index[step, place, env, plane] = index[step + earlier, other, env, plane + shift]
        else:
            index[step, place, env, plane] = len(frames)
            frames.append(stacks[place][step, env, plane])
    return {"frames": np.stack(frames), "index": index}


def _earlier_planes(
    observations: NDArray[Any], following: NDArray[Any] | None
) -> list[tuple[NDArray[np.bool_], tuple[int, int, int]]]:
    """Where each stack's planes have usually stood before, and for which of them that is so.

    Returns:
        For each stack: which planes are equal, `(steps, n_envs, planes)`, and the place of the equal plane relative to
        it: steps earlier, which stack, planes further.
    """
    if following is None:
        return [(_equal_planes(observations[1:, :, :-1], observations[:-1, :, 1:]), (-1, 0, 1))]
    return [
        (_equal_planes(observations[1:], following[:-1]), (-1, 1, 0)),
        (_equal_planes(following[:, :, :-1], observations[:, :, 1:]), (0, 0, 1)),
    ]


def _equal_planes(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    equal = np.zeros(left.shape[:3], dtype=bool)
    for start in range(0, len(left), _BLOCK):
        block = slice(start, start + _BLOCK)
        equal[block] = (left[block] == right[block]).all(axis=(3, 4))
    return equal


def _unpack(arrays: Arrays) -> tuple[NDArray[Any], NDArray[Any]]:
    """Observations and next observations; without stored next ones the second is an empty array that nobody reads."""
    if "plain" in arrays:
        return arrays["plain"], arrays.get("plain_next", np.zeros(0))
    stacks = arrays["frames"][arrays["index"]]
    return stacks[:, 0], stacks[:, -1]
