"""The callback that saves a run while it trains, and puts it back where it was."""

import secrets
from collections.abc import Sequence
from pathlib import Path

import torch as th
from filelock import BaseFileLock
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback

from rl_units.dqn.frame_files import Chunk
from rl_units.dqn.frame_replay import FrameReplayBuffer
from rl_units.errors import SETTINGS_REMEDY, CheckpointError
from rl_units.files import atomic_path
from rl_units.training import state
from rl_units.training.checkpoint import (
    Checkpoint,
    checkpoint_folder,
    file_hash,
    locked_run,
    read_tensors,
    write_checkpoint,
    write_tensors,
)
from rl_units.training.replay import (
    Segment,
    end_last_episode,
    is_supported,
    new_segments,
    read_arrays,
    read_segments,
    write_arrays,
    write_segment,
)


class Stop:
    """Somebody's wish to stop; set by a signal handler, honoured by `Checkpointing` between two rollouts."""

    def __init__(self) -> None:
        self.requested = False


class Stopping(BaseCallback):
    """Honours a wish to stop in runs that have no checkpoints."""

    def __init__(self, stop: Stop) -> None:
        super().__init__()
        self._stop = stop

    def _on_step(self) -> bool:
        return not self._stop.requested


def can_checkpoint(model: BaseAlgorithm) -> bool:
    """Whether runs of this model can be resumed: not ARS, nor replay buffers that keep state of their own (HER)."""
    buffer = getattr(model, "replay_buffer", None)
    return type(model).__name__ != "ARS" and (buffer is None or is_supported(buffer))


class Checkpointing(BaseCallback):
    """Writes a checkpoint at the start, every `frequency` steps, when a stop is asked for, and at the end.

    Always between two rollouts, where weights, counters and replay buffer belong together.

    Args:
        run_folder: The Zoo's run folder.
        algo: Algorithm name.
        env_id: Gymnasium id.
        arguments: The Zoo's command line, kept for resuming.
        frequency: Environment steps between two checkpoints.
        siblings: The Zoo's callbacks, whose counts are part of the state.
        resume_from: Checkpoint to restore when training starts.
        stop: Looked at between two rollouts.
    """

    def __init__(
        self,
        *,
        run_folder: Path,
        algo: str,
        env_id: str,
        arguments: Sequence[str],
        frequency: int,
        siblings: Sequence[BaseCallback],
        resume_from: Checkpoint | None,
        stop: Stop,
    ) -> None:
        super().__init__()
        self._run_folder = run_folder
        self._folder = checkpoint_folder(run_folder)
        self._algo = algo
        self._env_id = env_id
        self._arguments = tuple(arguments)
        self._frequency = frequency
        self._siblings = list(siblings)
        self._resume_from = resume_from
        self._stop = stop
        self._stopping = False
        self._saved_at = -1
        # Part of every file's name, so that a file that the current manifest names is never written again.
        self._session = secrets.token_hex(4)
        self._lock: BaseFileLock | None = None
        self._segments: tuple[Segment, ...] = ()
        self._hashes: dict[str, str] = {}

    @property
    def saved_at(self) -> int:
        """Environment steps of the last checkpoint; -1 before the first."""
        return self._saved_at

    @property
    def _buffer(self) -> ReplayBuffer | None:
        return getattr(self.model, "replay_buffer", None)

    def _on_training_start(self) -> None:
        self._lock = locked_run(self._run_folder)
        if self._resume_from is not None:
            self._restore(self._resume_from)
        self.save()

    def _on_rollout_start(self) -> None:
        if self._stop.requested:
            self.save()
            self._stopping = True
        elif self.model.num_timesteps - self._saved_at >= self._frequency:
            self.save()

    def _on_step(self) -> bool:
        return not self._stopping

    def _on_training_end(self) -> None:
        # Cut short, the last rollout is half done, or the run not yet put back, and the checkpoint before counts.
        is_done = self._saved_at >= 0 and self.model.num_timesteps >= self.model._total_timesteps
        if is_done and not self._stopping:
            self.save()
        if self._lock is not None:
            self._lock.release()

    def save(self) -> None:
        """Writes the checkpoint of this moment, unless it is there already.

        Raises:
            StorageError: If it cannot be written; the one before stays.
        """
        steps = self.model.num_timesteps
        if steps == self._saved_at:
            return
        hashes: dict[str, str] = {}
        tensors = f"tensors-{steps}-{self._session}.pt"
        write_tensors(self._folder / tensors, state.tensors(self.model, self._siblings))
        hashes[tensors] = file_hash(self._folder / tensors)
        statistics = self._save_statistics(f"statistics-{steps}-{self._session}.npz", hashes)
        segments = self._save_replay(hashes)
        frames = self._save_frames(hashes)
        write_checkpoint(
            Checkpoint(
                algo=self._algo,
                env_id=self._env_id,
                observation_space=str(self.model.observation_space),
                arguments=self._arguments,
                env_steps=self.n_calls,
                counters=state.counters(self.model),
                random=state.random_states(self.model),
                callbacks=tuple(state.callback_states(self._siblings)),
                tensors=tensors,
                statistics=statistics,
                segments=segments,
                frames=frames,
                threads=th.get_num_threads(),
                logs={path.name: path.stat().st_size for path in self._run_folder.glob("*.monitor.csv")},
                hashes=hashes,
                model=type(self.model).__name__,
            ),
            self._folder,
            self._unfinished_files(),
        )
        self._segments, self._hashes, self._saved_at = segments, hashes, steps

    def _save_statistics(self, name: str, hashes: dict[str, str]) -> str | None:
        arrays = state.normalization(self.model)
        if not arrays:
            return None
        write_arrays(self._folder / name, arrays)
        hashes[name] = file_hash(self._folder / name)
        return name

    def _save_replay(self, hashes: dict[str, str]) -> tuple[Segment, ...]:
        buffer = self._buffer
        if buffer is None:
            return ()
        saved_until = self._segments[-1].stop if self._segments else 0
        segments = [segment for segment in self._segments if segment.stop > self.n_calls - buffer.buffer_size]
        for segment in segments:
            hashes[segment.file] = self._hashes[segment.file]
        for start, stop in new_segments(saved_until, self.n_calls, buffer.buffer_size):
            segment = Segment(f"replay-{start}-{stop}-{self._session}.npz", start, stop)
            write_segment(buffer, start, stop, self._folder / segment.file)
            hashes[segment.file] = file_hash(self._folder / segment.file)
            segments.append(segment)
        return tuple(segments)

    def _save_frames(self, hashes: dict[str, str]) -> tuple[Chunk, ...]:
        if not isinstance(self._buffer, FrameReplayBuffer):
            return ()
        frames = tuple(self._buffer.cut())
        for chunk in frames:
            hashes[chunk.file] = self._hashes.get(chunk.file) or file_hash(self._folder / chunk.file)
        return frames

    def _unfinished_files(self) -> list[str]:
        files = self._buffer.frame_files if isinstance(self._buffer, FrameReplayBuffer) else None
        return [] if files is None else files.unfinished

    def _restore(self, checkpoint: Checkpoint) -> None:
        model, budget = self.model, self.model._total_timesteps
        if str(model.observation_space) != checkpoint.observation_space:
            raise CheckpointError(
                f"The checkpoint in {self._folder} has observations {checkpoint.observation_space}, but this "
                f"environment gives {model.observation_space}. Resume with the environment and the packages that it "
                "was started with, or begin a new run without --resume."
            )
        tensors = read_tensors(self._folder / checkpoint.tensors)
        try:
            if checkpoint.statistics is not None:
                state.restore_normalization(model, read_arrays(self._folder / checkpoint.statistics))
            state.restore_callbacks(self._siblings, list(checkpoint.callbacks))
            state.restore_counters(model, checkpoint.counters, budget)
            buffer = self._buffer
            if buffer is not None:
                read_segments(buffer, checkpoint.segments, self._folder, checkpoint.env_steps, checkpoint.frames)
            state.restore_random_states(model, checkpoint.random)
            goes_on = state.restore_environments(model, self._siblings, tensors)
            if buffer is not None and not goes_on:
                end_last_episode(buffer)
            state.restore_tensors(model, tensors)
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise CheckpointError(
                f"The checkpoint in {self._folder} does not fit this run: {error}. {SETTINGS_REMEDY}"
            ) from error
        self.n_calls = checkpoint.env_steps
        self.num_timesteps = model.num_timesteps
        self._segments = checkpoint.segments
        self._hashes = dict(checkpoint.hashes)


def keep_earlier_logs(run_folder: Path, checkpoint: Checkpoint) -> None:
    """Sets the monitor files aside as they were at the checkpoint, before a resumed run begins new ones.

    Episodes after the checkpoint are dropped: they are played again.

    Args:
        run_folder: The Zoo's run folder.
        checkpoint: The one that is resumed from.

    Raises:
        StorageError: If a file cannot be written.
    """
    for name, size in checkpoint.logs.items():
        path = run_folder / name
        kept = run_folder / f"{name.removesuffix('.monitor.csv')}.until-{checkpoint.num_timesteps}.monitor.csv"
        # A name with "until" was set aside before; one that exists already, by a resumption that was killed at once.
        if ".until-" in name or kept.exists() or not path.is_file():
            continue
        with atomic_path(kept) as temporary, path.open("rb") as source, temporary.open("wb") as target:
            target.write(source.read(size))
