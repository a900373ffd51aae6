"""What a call of `train` shall do, and how it ended."""

from dataclasses import dataclass
from pathlib import Path

from rl_units.self_play.settings import SelfPlay
from rl_units.training.checkpoint import Checkpoint


@dataclass(frozen=True)
class Plan:
    """One call of `train`.

    Attributes:
        arguments: Command line for `rl_zoo3.train`, without the program's name.
        log_folder: Where runs are kept.
        checkpoint_frequency: Environment steps between two checkpoints.
        run_folder: The run to go on with; None begins a new one.
        checkpoint: Its checkpoint; None begins a new run.
        times_threads: Whether torch's threads are chosen by timing.
        shows_progress: Whether the bar is shown.
        self_play: How the agent plays against itself; None where it does not.
        fast_dqn: Whether `dqn` is ours, for stacked images, and not SB3's.
    """

    arguments: tuple[str, ...]
    log_folder: Path
    checkpoint_frequency: int
    run_folder: Path | None = None
    checkpoint: Checkpoint | None = None
    times_threads: bool = True
    shows_progress: bool = True
    self_play: SelfPlay | None = None
    fast_dqn: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Attributes:
        run_folder: The Zoo's run folder.
        num_timesteps: Environment steps trained, all sessions together.
        stopped: Whether it was asked to stop before its budget was used.
        resumable_at: Steps of the last checkpoint; None if there is none.
    """

    run_folder: Path
    num_timesteps: int
    stopped: bool
    resumable_at: int | None = None
