"""Learning curves: what the training games and the evaluations during training returned, over the agent's steps."""

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_units.course import load_course
from rl_units.errors import ConfigError, RunNotFoundError
from rl_units.files import atomic_path
from rl_units.runs import file_name
from rl_units.yaml_files import read_yaml

# Okabe and Ito's palette, which people with any kind of colour blindness can tell apart; its yellow is too pale for a
# line on white, and its black is kept for the threshold.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_ATARI_WRAPPER_SKIP = 4  # emulator frames a decision in SB3's AtariWrapper, its default

# What zipfile and numpy raise for damaged or encrypted content; MemoryError for a header that lies.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
    RuntimeError,  # NotImplementedError is one
    MemoryError,
)

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """What a run learned.

    Attributes:
        label: Name in the legend.
        steps: `(n,)` steps of the agent at the end of every training game, over all its environments.
        returns: `(n,)` full, unclipped returns of those games.
        eval_steps: `(m,)` steps of the agent at every evaluation; exact, while `steps` counts Atari's emulator frames
            and divides.
        eval_means: `(m,)` mean return of the evaluation's episodes.
        eval_stds: `(m,)` their population standard deviation.
    """

    label: str
    steps: Numbers
    returns: Numbers
    eval_steps: Numbers
    eval_means: Numbers
    eval_stds: Numbers


def read_curve(folder: Path, env_id: str) -> Curve:
    """Reads the logs of a run.

    Args:
        folder: The run's folder.
        env_id: Gymnasium id.

    Raises:
        RunNotFoundError: If neither a training game nor an evaluation has finished yet.
        ConfigError: If a log is damaged.
    """
    lengths, returns = _read_monitors(folder)
    skip = _frames_per_step(folder, env_id)
    eval_steps, eval_means, eval_stds = _read_evaluations(folder / "evaluations.npz")
    if not len(returns) and not len(eval_steps):
        raise RunNotFoundError(f"No game has finished in {folder} yet, so there is nothing to draw. Train longer.")
    label = f"run {folder.name.removeprefix(file_name(env_id) + '_')}"
    return Curve(label, np.cumsum(lengths) / skip, returns, eval_steps, eval_means, eval_stds)


def rolling(values: Numbers, window: int) -> tuple[Numbers, Numbers]:
    """Mean and population standard deviation of the last `window` values at each place, of fewer at the start.

    Args:
        values: `(n,)`.
        window: At least 1.

    Returns:
        Two arrays `(n,)`.
    """
    import pandas as pd

    rolled = pd.Series(values).rolling(window, min_periods=1)
    return rolled.mean().to_numpy(), rolled.std(ddof=0).to_numpy()


def draw_curves(curves: Sequence[Curve], env_id: str, path: Path, *, window: int = 100) -> Path:
    """Draws learning curves as a PNG.

    Args:
        curves: One a run.
        env_id: Gymnasium id, for the title and the threshold of the course.
        path: Where the picture goes.
        window: Training games in the rolling mean.

    Returns:
        `path`.

    Raises:
        ConfigError: If `window` is not positive.
        StorageError: If the picture cannot be written.
    """
    # The object-oriented interface: pyplot would keep every figure alive and choose a screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if window < 1:
        raise ConfigError(f"The rolling mean needs at least 1 game, not {window}.")
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for index, curve in enumerate(curves):
        _draw_curve(axes, curve, _COLOURS[index % len(_COLOURS)], window)
    assignment = load_course().assignment_for(env_id)
    if assignment is not None and assignment.threshold is not None:
        label = f"to pass: mean - std of {assignment.threshold:g}"
        axes.axhline(assignment.threshold, color="black", linestyle=":", linewidth=1.5, label=label)
    axes.set_title(env_id, fontsize=14)
    axes.set_xlabel("steps of the agent (decisions)", fontsize=12)
    axes.set_ylabel("return of a full game", fontsize=12)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, fontsize=10, frameon=False)  # never over a curve
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
    return path


def _draw_curve(axes: Any, curve: Curve, colour: str, window: int) -> None:
    if len(curve.returns):
        mean, std = rolling(curve.returns, window)
        label = f"{curve.label}: training, mean of {min(window, len(curve.returns))} games"
        marker = "." if len(mean) == 1 else ""  # a single point makes no line
        axes.plot(curve.steps, mean, color=colour, linewidth=2, marker=marker, label=label)
        axes.fill_between(curve.steps, mean - std, mean + std, color=colour, alpha=0.15, linewidth=0)
    if len(curve.eval_steps):
        axes.errorbar(
            curve.eval_steps,
            curve.eval_means,
            yerr=curve.eval_stds,
            color=colour,
            marker="o",
            markerfacecolor="white",
            linestyle="none",
            capsize=3,
            label=f"{curve.label}: evaluation, mean and std",
        )


def _read_monitors(folder: Path) -> tuple[Numbers, Numbers]:
    """Lengths in steps of the bare environment and returns of all finished training games, in order of their end."""
    from stable_baselines3.common.monitor import LoadMonitorResultsError, load_results

    try:
        # Several files are several environments abreast, or a resumed run; each row's absolute time orders them all.
        games = load_results(str(folder)).dropna(subset=["t"])  # a killed process can leave half a last row
        lengths, returns = games["l"].to_numpy(np.float64), games["r"].to_numpy(np.float64)
    except LoadMonitorResultsError:
        return np.empty(0), np.empty(0)
    except (
        AssertionError,
        IndexError,
        KeyError,
        OSError,  # a folder of that name
        OverflowError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise ConfigError(f"A monitor.csv in {folder} is damaged: {error}. Move it away and draw again.") from error
    if not (np.isfinite(lengths).all() and np.isfinite(returns).all()):
        raise ConfigError(f"A monitor.csv in {folder} holds numbers that are not finite. Move it away and draw again.")
    return lengths, returns


def _read_evaluations(path: Path) -> tuple[Numbers, Numbers, Numbers]:
    """Steps, means and standard deviations of the evaluations during training; empty if there were none."""
    if not path.is_file():
        return np.empty(0), np.empty(0), np.empty(0)
    try:
        # Opened here, because numpy leaves a file open that it cannot read.
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            steps, results = np.asarray(file["timesteps"], np.float64), np.asarray(file["results"], np.float64)
        if results.ndim != 2 or steps.shape != results.shape[:1] or not np.isfinite(results).all():
            raise ValueError("its arrays do not fit together or are not finite")
    except _DAMAGE as error:
        raise ConfigError(f"{path} is damaged: {error}. Move it away and draw again.") from error
    return steps, results.mean(axis=1), results.std(axis=1)


def _frames_per_step(folder: Path, env_id: str) -> int:
    """Steps of the bare environment, which the monitor counts, in one decision of the agent.

    Atari's no-op and fire resets take a few frames more, so that steps from the monitor run about one in a hundred
    ahead.
    """
    path = folder / file_name(env_id) / "config.yml"
    wrappers = read_yaml(path).get("env_wrapper") if path.is_file() else None
    return _ATARI_WRAPPER_SKIP if "AtariWrapper" in str(wrappers) else 1
