"""Draws the pictures of unit 3's lesson: `python notebooks/pictures.py [folder]`.

Frames come from the real game, curves from the unit's manifest and hyperparameter file, so that a changed number
changes its picture.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from rl_units.atari_frames import draw_decision, draw_stack, most_flicker, play_decisions
from rl_units.course import Assignment, load_course
from rl_units.files import atomic_path
from rl_units.yaml_files import read_yaml

UNIT = "unit3_dqn_atari"

# Okabe and Ito's colours: told apart by colour-blind readers too.
BLUE, ORANGE, GREEN, INK = "#0072b2", "#d55e00", "#009e73", "#222222"
CARD = "#faf8f3"  # a light card with dark text can be read on a light page and on a dark one

SIMULATED_EVALUATIONS = 20_000


def main(folder: Path) -> None:
    """Draws every picture into `folder`."""
    unit = load_course().unit(UNIT)
    assignment = next(assignment for assignment in unit.assignments if assignment.required)
    hyperparameters = read_yaml(unit.hyperparameters["dqn"])["atari"]
    n_stacked = assignment.protocol.frame_stack
    decisions = play_decisions(assignment.protocol, 240)
    chosen = n_stacked + most_flicker(decisions[n_stacked:])  # the stack needs the ones before it
    stack = decisions[chosen + 1 - n_stacked : chosen + 1]
    pictures = {
        "decision": draw_decision(decisions[chosen]),
        "stack": draw_stack(np.stack([decision.observation for decision in stack])),
        "learning": draw_learning(hyperparameters),
        "exploration": draw_exploration(hyperparameters),
        "episodes": draw_episodes(assignment),
    }
    for name, figure in pictures.items():
        with atomic_path(folder / f"{name}.png") as path:
            figure.savefig(path)
        print(folder / f"{name}.png")


def draw_learning(hyperparameters: dict[str, Any]) -> Figure:
    """Draws who hands what to whom while DQN learns."""
    figure = Figure(figsize=(7.2, 3.5), dpi=100, facecolor=CARD)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 100), ylim=(0, 50))
    axes.set_axis_off()
    _box(axes, (15, 38), "game", "4 frames a decision", INK)
    _box(axes, (15, 12), "replay buffer", f"last {hyperparameters['buffer_size']:,} transitions", GREEN)
    _box(axes, (80, 38), "online network", "acts and learns", BLUE)
    _box(axes, (80, 12), "target network", "frozen in between", ORANGE)
    _arrow(axes, (67, 41), (28, 41), "action, sometimes a random one", (47.5, 43.5))
    _arrow(axes, (28, 35), (67, 35), "4 stacked pictures", (47.5, 36.5))
    _arrow(axes, (15, 32), (15, 18), "transition\n(s, a, r, s')", (7, 25))
    _arrow(axes, (28, 14), (67, 32), f"{hyperparameters['batch_size']} at random", (40, 25.5))
    _arrow(axes, (28, 10), (67, 10), "the next pictures s'", (47.5, 6.5))
    _arrow(axes, (76, 18), (76, 32), "TD\ntarget", (71, 25))
    _arrow(axes, (85, 32), (85, 18), f"copied every\n{hyperparameters['target_update_interval']:,} steps", (93, 25))
    return figure


def draw_exploration(hyperparameters: dict[str, Any]) -> Figure:
    """Draws the chance of a random action over training, for the whole budget and for a tenth of it."""
    budget, end = hyperparameters["n_timesteps"], hyperparameters["exploration_final_eps"]
    fraction, start = hyperparameters["exploration_fraction"], hyperparameters["learning_starts"]
    figure = Figure(figsize=(7.2, 2.7), dpi=100, facecolor=CARD, layout="constrained")
    axes = figure.add_subplot(facecolor=CARD)
    for steps, colour in ((budget, BLUE), (budget / 10, ORANGE)):
        axes.plot([0, fraction * steps, budget], [1, end, end], color=colour, lw=2, label=f"-n {steps:,.0f}")
    axes.axvspan(0, start, color=GREEN, alpha=0.25, lw=0, label="filling the buffer: all actions random")
    axes.set(xlim=(0, fraction * budget * 1.25), ylim=(0, 1.03), xlabel="decisions played", ylabel="epsilon")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def draw_episodes(assignment: Assignment) -> Figure:
    """Draws what one evaluation reports about an agent just below the threshold, by its number of episodes.

    The agent is simulated: its returns are skewed as those of games are (a gamma distribution), their standard
    deviation is the threshold, and its true score is nine tenths of the threshold.
    """
    threshold = assignment.threshold
    if threshold is None:
        raise ValueError("an open challenge has no threshold to draw")
    deviation, mean = threshold, 1.9 * threshold
    shape = (mean / deviation) ** 2
    rng = np.random.default_rng(0)
    counts = np.array([5, 10, 20, 50, 100, 200])
    scores = []
    for count in counts:
        returns = rng.gamma(shape, mean / shape, size=(SIMULATED_EVALUATIONS, count))
        scores.append(returns.mean(axis=1) - returns.std(axis=1))
    figure = Figure(figsize=(7.2, 3.2), dpi=100, facecolor=CARD, layout="constrained")
    axes = figure.add_subplot(facecolor=CARD)
    places = np.arange(len(counts))
    low, middle, high = np.percentile(scores, [5, 50, 95], axis=1)
    axes.fill_between(places, low, high, color=BLUE, alpha=0.2, lw=0, label="nine evaluations in ten")
    axes.plot(places, middle, color=BLUE, lw=2, marker="o", label="the middle one")
    axes.axhline(threshold, color=ORANGE, ls="--", lw=1.5, label="threshold")
    axes.axhline(mean - deviation, color=INK, ls=":", lw=1.5, label="the agent's true score")
    for place, values, top in zip(places, scores, high, strict=True):
        passing = np.mean(values >= threshold)
        axes.annotate(f"passes\n{passing:.0%}", (place, top), (0, 4), textcoords="offset points", ha="center")
    axes.margins(y=0.22)
    axes.set_xticks(places, [f"{count}" for count in counts])
    axes.set(xlabel="episodes in the evaluation", ylabel="reported score")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=2, loc="lower right", fontsize=9)
    return figure


def _box(axes: Axes, centre: tuple[float, float], name: str, note: str, colour: str) -> None:
    x, y = centre
    axes.add_patch(
        FancyBboxPatch((x - 11, y - 4.5), 22, 9, boxstyle="round,pad=1.2", facecolor="white", edgecolor=colour, lw=2)
    )
    axes.text(x, y + 1.6, name, ha="center", va="center", fontsize=12, weight="bold", color=colour)
    axes.text(x, y - 2.6, note, ha="center", va="center", fontsize=9, color=INK)


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], text: str, place: tuple[float, float]
) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.4})
    axes.text(*place, text, ha="center", va="center", fontsize=9, color=INK)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else load_course().unit(UNIT).folder / "pictures")
