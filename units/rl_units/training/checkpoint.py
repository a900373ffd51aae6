"""Checkpoints of a training run: written atomically, refused when damaged, free of pickles.

`checkpoint.json` in the run's `checkpoint/` folder names every other file there and its hash. It is replaced last, so
whenever a process is killed the folder holds the previous checkpoint or the new one, whole.

Resuming evaluates the run's hyperparameters as Python, as the Zoo does with every configuration. So a checkpoint is for
the person who made it: unlike an agent's file, it is not made safe against a stranger.
"""

import contextlib
import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch as th
from filelock import BaseFileLock, FileLock, Timeout

from rl_units.dqn.frame_files import Chunk
from rl_units.errors import CHECKPOINT_REMEDY, CheckpointError
from rl_units.files import atomic_path, storage_errors, write_text
from rl_units.training.replay import Segment

FORMAT = 2
"""Version of the layout."""

_READABLE = (1, FORMAT)
"""Versions that can be resumed; what the first one lacks has a default."""

_MANIFEST = "checkpoint.json"
_KINDS = ("tensors-", "statistics-", "replay-")


@dataclass(frozen=True)
class Checkpoint:
    """What `checkpoint.json` says.

    Attributes:
        algo: Algorithm name.
        env_id: Gymnasium id.
        observation_space: Its text, to tell another environment by.
        arguments: Command line for the Zoo that began the run, without the program's name.
        env_steps: Steps of the vectorised environment so far.
        counters: See `state.counters`.
        random: See `state.random_states`.
        callbacks: See `state.callback_states`.
        tensors: File of weights, optimizers and torch's random state.
        statistics: File of the normalisation statistics; None without normalisation.
        segments: The replay buffer's files, in order; empty for algorithms without one.
        logs: Size in bytes of each monitor file at this moment.
        hashes: SHA-256 of every file named above, by name.
        model: Name of the algorithm's class.
        frames: The files of a replay buffer's frames, in order; empty for other buffers.
        threads: Torch's CPU threads, on which rounding depends.
    """

    algo: str
    env_id: str
    observation_space: str
    arguments: tuple[str, ...]
    env_steps: int
    counters: Mapping[str, Any]
    random: Mapping[str, Any]
    callbacks: tuple[Mapping[str, Any], ...]
    tensors: str
    statistics: str | None
    segments: tuple[Segment, ...]
    logs: Mapping[str, int]
    hashes: Mapping[str, str]
    model: str = ""
    frames: tuple[Chunk, ...] = ()
    threads: int | None = None

    @property
    def num_timesteps(self) -> int:
        """Environment steps trained."""
        return int(self.counters["num_timesteps"])

    @property
    def total_timesteps(self) -> int:
        """The run's budget."""
        return int(self.counters["_total_timesteps"])


def checkpoint_folder(run_folder: Path) -> Path:
    """Where a run keeps its checkpoint."""
    return run_folder / "checkpoint"


def write_checkpoint(checkpoint: Checkpoint, folder: Path, unfinished: Collection[str] = ()) -> None:
    """Makes `checkpoint` the current one and removes the files that it no longer names.

    Args:
        checkpoint: Its files are in `folder` already.
        folder: See `checkpoint_folder`.
        unfinished: Files that stay, because they will belong to the next one.

    Raises:
        StorageError: If it cannot be written; the earlier checkpoint stays.
    """
    # Python's own reader takes NaN, which a broken environment's return may be; training must not end by it.
    write_text(folder / _MANIFEST, json.dumps({"format": FORMAT, **asdict(checkpoint)}))
    for file in folder.iterdir():
        is_ours = file.name.lstrip(".").startswith((*_KINDS, "checkpoint-"))
        if is_ours and file.name not in checkpoint.hashes and file.name not in unfinished:
            with contextlib.suppress(OSError):  # what cannot be removed only takes room
                file.unlink()


def read_checkpoint(folder: Path) -> Checkpoint:
    """Reads a checkpoint and verifies the hash of every file that it names.

    Raises:
        CheckpointError: If there is none, or it is damaged or of another version.
    """
    path = folder / _MANIFEST
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version = document.pop("format")
        if version not in _READABLE:
            raise CheckpointError(
                f"{path} has format {version}; this version reads up to format {FORMAT}. Install the version of "
                "rl_units that began the run, or begin a new run without --resume."
            )
        document["segments"] = tuple(Segment(**segment) for segment in document["segments"])
        document["frames"] = tuple(Chunk(**chunk) for chunk in document.get("frames", ()))
        for name in ("arguments", "callbacks"):
            document[name] = tuple(document[name])
        checkpoint = Checkpoint(**document)
        _check_names(checkpoint)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{folder.parent} cannot be resumed: it has no checkpoint. "
            "Runs started with python -m rl_units train have one; those of rl_zoo3.train do not."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: {error}. {CHECKPOINT_REMEDY}") from error
    for name, expected in checkpoint.hashes.items():
        if not expected or file_hash(folder / name) != expected:
            raise CheckpointError(
                f"{folder / name} is damaged or was edited, so this run cannot be resumed from it. {CHECKPOINT_REMEDY}"
            )
    return checkpoint


def locked_run(run_folder: Path) -> BaseFileLock:
    """Takes a run for this process; the lock goes with the process, however it ends.

    Args:
        run_folder: The run; its checkpoint folder is made if it is missing.

    Returns:
        The lock, held; a context manager.

    Raises:
        CheckpointError: If another process trains the run.
        StorageError: If the folder cannot be written.
    """
    folder = checkpoint_folder(run_folder)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock", blocking=False)
    try:
        with storage_errors(folder / "lock"):
            lock.acquire()
    except Timeout as error:
        raise CheckpointError(
            f"{run_folder} is being trained by another process. Stop that one first, or begin a new run."
        ) from error
    return lock


def has_checkpoint(run_folder: Path) -> bool:
    """Whether a run has a checkpoint, damaged or not."""
    return (checkpoint_folder(run_folder) / _MANIFEST).is_file()


def _check_names(checkpoint: Checkpoint) -> None:
    """Refuses file names that lead elsewhere, and files without a hash."""
    replay = (*(segment.file for segment in checkpoint.segments), *(chunk.file for chunk in checkpoint.frames))
    named = {checkpoint.tensors, *replay}
    if checkpoint.statistics is not None:
        named.add(checkpoint.statistics)
    if named != set(checkpoint.hashes):
        raise ValueError("its files and their hashes differ")
    logs = set(checkpoint.logs)
    if any(Path(name).name != name for name in named | logs) or not all(name.endswith(".csv") for name in logs):
        raise ValueError("it names a file outside the run")
    if checkpoint.num_timesteps < 0 or checkpoint.total_timesteps < 1:
        raise ValueError("its step counts make no sense")


def write_tensors(path: Path, state: dict[str, Any]) -> None:
    """Saves tensors in containers, atomically.

    Raises:
        StorageError: If it cannot be written.
    """
    # Through memory, because torch's own writer answers a full disk with a RuntimeError that hides the reason.
    buffer = io.BytesIO()
    th.save(state, buffer)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def read_tensors(path: Path) -> dict[str, Any]:
    """Loads what `write_tensors` saved, onto the CPU; tensors only.

    Raises:
        CheckpointError: If it is damaged or holds anything but tensors and plain containers.
    """
    try:
        # Games and random generators are on the CPU whatever the model's device; weights are copied to where they go.
        state: dict[str, Any] = th.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path} is damaged: {error}. {CHECKPOINT_REMEDY}") from error
    return state


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; empty if it does not exist."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
