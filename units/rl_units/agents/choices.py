"""From scores to an action that does not depend on what else was in the batch."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_units.agents.base import Observations, rows
from rl_units.errors import EvaluationError

TOLERANCE = 1e-4
"""Share of a row's largest score (at least 1) below which two scores count as tied.

A float32 dot product of some thousand terms, summed in another order, differs by about the square root of their number
times 6e-8 of the terms' size, and by a few times that after several layers: below 1e-5. Ten times as much is left for
scores that are small beside the values they were computed from, and a row that is recomputed without need costs a
millisecond.
"""


def choose(
    observations: Observations,
    score: Callable[[Observations], NDArray[np.float32]],
    predict: Callable[[Observations], NDArray[Any]],
) -> NDArray[np.int64]:
    """The best action of every row; near ties are decided by looking at the row alone.

    Args:
        observations: A batch.
        score: Gives `(n, actions)` scores of a batch.
        predict: Gives the actions of a batch; called with one row.

    Returns:
        `(n,)` actions.

    Raises:
        EvaluationError: If a score is not finite.
    """
    scores = check_finite(score(observations))
    actions: NDArray[np.int64] = scores.argmax(axis=1)
    if scores.shape[1] > 1:
        second, best = np.partition(scores, -2, axis=1)[:, -2:].T
        scale = np.maximum(1.0, np.abs(scores).max(axis=1))
        for row in np.flatnonzero(best - second < TOLERANCE * scale):
            actions[row] = predict(rows(observations, slice(row, row + 1)))[0]
    return actions


def check_finite(output: NDArray[Any]) -> NDArray[Any]:
    """Returns `output`.

    Raises:
        EvaluationError: If it holds NaN or infinity.
    """
    if not np.isfinite(output).all():
        raise EvaluationError("The agent's network put out a number that is not finite; it cannot be played.")
    return output
