"""The pictures of unit 3's lesson.

Frames come from the real game, curves from the unit's manifest and hyperparameter file, so that a changed number
changes its picture.
"""

from pathlib import Path
from typing import Any

import numpy as np
from drawing import BLUE, GREEN, INK, ORANGE, blank_card, chart_card, draw_arrow, draw_box, save_pictures
from matplotlib.figure import Figure

from rl_units.atari_frames import draw_decision, draw_stack, most_flicker, play_decisions
from rl_units.course import Assignment, load_course
from rl_units.yaml_files import read_yaml

UNIT = "unit3_dqn_atari"

SIMULATED_EVALUATIONS = 20_000


def draw(folder: Path) -> None:
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
    save_pictures(pictures, folder)


def draw_learning(hyperparameters: dict[str, Any]) -> Figure:
    """Draws who hands what to whom while DQN learns."""
    figure, axes = blank_card(3.5)
    draw_box(axes, (15, 38), "game", "4 frames a decision", INK)
    draw_box(axes, (15, 12), "replay buffer", f"last {hyperparameters['buffer_size']:,} transitions", GREEN)
    draw_box(axes, (80, 38), "online network", "acts and learns", BLUE)
    draw_box(axes, (80, 12), "target network", "frozen in between", ORANGE)
    draw_arrow(axes, (67, 41), (28, 41), "action, sometimes a random one", (47.5, 43.5))
    draw_arrow(axes, (28, 35), (67, 35), "4 stacked pictures", (47.5, 36.5))
    draw_arrow(axes, (15, 32), (15, 18), "transition\n(s, a, r, s')", (7, 25))
    draw_arrow(axes, (28, 14), (67, 32), f"{hyperparameters['batch_size']} at random", (40, 25.5))
    draw_arrow(axes, (28, 10), (67, 10), "the next pictures s'", (47.5, 6.5))
    draw_arrow(axes, (76, 18), (76, 32), "TD\ntarget", (71, 25))
    draw_arrow(axes, (85, 32), (85, 18), f"copied every\n{hyperparameters['target_update_interval']:,} steps", (93, 25))
    return figure


def draw_exploration(hyperparameters: dict[str, Any]) -> Figure:
    """Draws the chance of a random action over training, for the whole budget and for a tenth of it."""
    budget, end = hyperparameters["n_timesteps"], hyperparameters["exploration_final_eps"]
    fraction, start = hyperparameters["exploration_fraction"], hyperparameters["learning_starts"]
    figure, axes = chart_card(2.7)
    for steps, colour in ((budget, BLUE), (budget / 10, ORANGE)):
        axes.plot([0, fraction * steps, budget], [1, end, end], color=colour, lw=2, label=f"-n {steps:,.0f}")
    axes.axvspan(0, start, color=GREEN, alpha=0.25, lw=0, label="filling the buffer: all actions random")
    axes.set(xlim=(0, fraction * budget * 1.25), ylim=(0, 1.03), xlabel="decisions played", ylabel="epsilon")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
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
    figure, axes = chart_card(3.2)
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
    axes.legend(frameon=False, ncols=2, loc="lower right", fontsize=9)
    return figure
