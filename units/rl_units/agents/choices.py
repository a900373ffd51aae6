"""From scores to an action that does not depend on what else was in the batch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
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


def branches_of(space: spaces.Space[Any]) -> tuple[int, ...] | None:
    """Number of choices on each branch of an action; one branch for Discrete, None for spaces that are no choices."""
    if isinstance(space, spaces.Discrete):
        return (int(space.n),)
    if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1:
        return tuple(space.nvec.tolist())
    return None


def choose(
    observations: Observations,
    score: Callable[[Observations], NDArray[np.float32]],
    predict: Callable[[Observations], NDArray[Any]],
    branches: Sequence[int],
) -> NDArray[np.int64]:
    """The best choice of every row on every branch; near ties are decided by looking at the row alone.

    Args:
        observations: A batch.
        score: Gives `(n, sum(branches))` scores of a batch, branch after branch.
        predict: Gives the actions of a batch, `(n, len(branches))` or `(n,)`; called with one row.
        branches: Number of choices on each branch.

    Returns:
        `(n, len(branches))` actions.

    Raises:
        EvaluationError: If a score is not finite.
    """
    scores = check_finite(score(observations))
    actions = best_choices(scores, branches)
    scale = np.maximum(1.0, np.abs(scores).max(axis=1))
    is_near = np.zeros(len(scores), np.bool_)
    for part in _parts(scores, branches):
        if part.shape[1] > 1:
            second, best = np.partition(part, -2, axis=1)[:, -2:].T
            is_near |= best - second < TOLERANCE * scale
    for row in np.flatnonzero(is_near):
        actions[row] = predict(rows(observations, slice(row, row + 1)))[0]
    return actions


def best_choices(scores: NDArray[Any], branches: Sequence[int]) -> NDArray[np.int64]:
    """The first of the highest scores of each branch: `(n, len(branches))` for `(n, sum(branches))`."""
    return np.stack([part.argmax(axis=1) for part in _parts(scores, branches)], axis=1)


def _parts(scores: NDArray[Any], branches: Sequence[int]) -> list[NDArray[Any]]:
    return np.split(scores, np.cumsum(branches)[:-1], axis=1)


def check_finite(output: NDArray[Any]) -> NDArray[Any]:
    """Returns `output`.

    Raises:
        EvaluationError: If it holds NaN or infinity.
    """
    if not np.isfinite(output).all():
        raise EvaluationError(
            "The agent's network put out a number that is not finite; it cannot be played. "
            "Its training has probably diverged: train it again with a smaller learning rate."
        )
    return output
