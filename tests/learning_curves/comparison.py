"""Both sides' curves with their intervals, and the table of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from learning_curves.games import Game
from learning_curves.runs import OURS, SB3, Plan, Result

CONFIDENCE = 0.95
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """The results of both sides with the same game and budget.

    Attributes:
        plans: Those of SB3, one a seed.
        theirs: SB3's results, in the order of `plans`.
        ours: Those of our side.
    """

    plans: Sequence[Plan]
    theirs: Sequence[Result]
    ours: Sequence[Result]

    @property
    def game(self) -> Game:
        """What was learned."""
        return self.plans[0].game

    @property
    def steps(self) -> list[int]:
        """The points of the curves."""
        return self.plans[0].points


def curves(results: Sequence[Result]) -> Numbers:
    """`[seeds, points]` mean returns."""
    return np.array([result.curve() for result in results])


def interval(values: Numbers) -> tuple[Numbers, Numbers]:
    """Mean over the seeds, and half the width of its interval after Student's t.

    Args:
        values: `[seeds, ...]`, of 2 seeds or more.
    """
    n_seeds = len(values)
    error = values.std(axis=0, ddof=1) / np.sqrt(n_seeds)
    return values.mean(axis=0), _quantile(n_seeds - 1) * error


def difference(ours: Numbers, theirs: Numbers) -> tuple[Numbers, Numbers]:
    """Ours less theirs, and half the width of its interval after Welch.

    Args:
        ours: `[seeds, ...]`.
        theirs: `[seeds, ...]`.
    """
    variances = [values.var(axis=0, ddof=1) / len(values) for values in (ours, theirs)]
    total = sum(variances)
    parts = sum(variance**2 / (len(values) - 1) for variance, values in zip(variances, (ours, theirs), strict=True))
    # Where no seed differs from another, the interval has no width, whatever the degrees of freedom.
    freedom = np.divide(total**2, parts, out=np.ones_like(total), where=parts > 0)
    return ours.mean(axis=0) - theirs.mean(axis=0), _quantile(freedom) * np.sqrt(total)


def _quantile(freedom: float | Numbers) -> Numbers:
    return np.asarray(stats.t.ppf((1 + CONFIDENCE) / 2, freedom))


def report(comparisons: Sequence[Comparison]) -> str:
    """Everything in Markdown: how it was measured, and a table for each game."""
    seeds = ", ".join(str(plan.seed) for plan in comparisons[0].plans)
    intervals = (
        f"Seeds {seeds}. Means over the seeds with intervals of {CONFIDENCE:.0%}: after Student's t for each side, "
        "after Welch for the difference."
    )
    return "\n".join(["# Learning curves: our DQN beside SB3's", "", intervals, *map(_section, comparisons)])


def _section(comparison: Comparison) -> str:
    head = f"| Steps | {SB3.title} | {OURS.title} | {OURS.title} - {SB3.title} |\n|---:|---:|---:|---:|"
    return f"\n## {comparison.game.title}\n\n{head}\n{_rows(comparison)}\n\n{caption(comparison)}\n"


def _rows(comparison: Comparison) -> str:
    theirs, ours = curves(comparison.theirs), curves(comparison.ours)
    labels = [f"{step:,}" for step in comparison.steps]
    rows = [_row(label, ours[:, place], theirs[:, place]) for place, label in enumerate(labels)]
    rows.append(_row("mean after the start", ours[:, 1:].mean(axis=1), theirs[:, 1:].mean(axis=1)))
    seconds = [np.array([result.seconds for result in results]) for results in (comparison.ours, comparison.theirs)]
    return "\n".join([*rows, _row("seconds of training", *seconds)])


def _row(label: str, ours: Numbers, theirs: Numbers) -> str:
    cells = [interval(theirs), interval(ours), difference(ours, theirs)]
    return f"| {label} | {' | '.join(f'{mean:z,.2f} ± {half:,.2f}' for mean, half in cells)} |"


def caption(comparison: Comparison) -> str:
    """What was measured, and with which settings."""
    plan, game = comparison.plans[0], comparison.game
    exploration = f"a random action in {game.epsilon:.0%} of the steps" if game.epsilon else "no random actions"
    settings = ", ".join(f"`{name}` {value}" for name, value in game.settings(plan.steps).items())
    return (
        f"{game.unit.capitalize()}: mean of {game.n_games} games at each point, with {exploration}. {SB3.title} trains "
        f"with {SB3.n_envs} environment, {OURS.title} with {OURS.n_envs}; both count transitions as steps and learn as "
        f"often for as many. {game.note} They are {settings}. The time of training is without the evaluations. Torch "
        f"has {plan.threads} thread{'s' if plan.threads > 1 else ''}; {OURS.title} may step environments in one more."
    )
