"""Both sides' learning curves as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from learning_curves.comparison import CONFIDENCE, Comparison, curves, interval
from learning_curves.runs import OURS, SB3, Result, Side
from rl_units.files import atomic_path

# Of Okabe and Ito's palette, which people with any kind of colour blindness can tell apart; the dashes do it in grey.
STYLES = {SB3.name: ("#0072B2", "-"), OURS.name: ("#D55E00", (0, (5, 1.5)))}


def draw(comparisons: Sequence[Comparison], path: Path) -> None:
    """Draws a panel for each game as a PNG.

    Args:
        comparisons: One a game.
        path: Where the picture goes.
    """
    figure = Figure(figsize=(5.6 * len(comparisons), 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(comparisons), squeeze=False)[0]
    for axes, comparison in zip(panels, comparisons, strict=True):
        _draw_panel(axes, comparison)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    seeds = len(comparisons[0].plans)
    figure.supxlabel(
        f"Thick lines: means of {seeds} seeds. Thin lines: each seed.\n"
        f"Bands: intervals of {CONFIDENCE:.0%} for the mean, after Student's t.",
        fontsize=9,
        color="0.35",
    )
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")


def _draw_panel(axes: Any, comparison: Comparison) -> None:
    for side, results in ((SB3, comparison.theirs), (OURS, comparison.ours)):
        _draw_side(axes, side, comparison.steps, results)
    axes.set_title(comparison.game.title, fontsize=14)
    axes.set_xlabel("steps", fontsize=12)
    axes.set_ylabel(comparison.game.unit, fontsize=12)
    axes.set_xlim(0, comparison.steps[-1])
    axes.set_ylim(bottom=0)  # no game takes points away
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_side(axes: Any, side: Side, steps: Sequence[int], results: Sequence[Result]) -> None:
    colour, dashes = STYLES[side.name]
    values = curves(results)
    mean, half = interval(values)
    axes.fill_between(steps, mean - half, mean + half, color=colour, alpha=0.18, linewidth=0)
    axes.plot(steps, values.T, color=colour, linestyle=dashes, linewidth=0.7, alpha=0.55)
    environments = "1 environment" if side.n_envs == 1 else f"{side.n_envs} environments"
    axes.plot(steps, mean, color=colour, linestyle=dashes, linewidth=2.4, label=f"{side.title}, {environments}")
