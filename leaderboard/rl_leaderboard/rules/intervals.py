"""How sure a score is: an interval for mean minus standard deviation that holds what it promises.

A score is mostly missed from above: few episodes do not show an agent's rare bad games, and the standard deviation
comes out too small. So the interval is that of the studentized bootstrap (each resample's distance from the score, in
units of its own standard error from the influence function), whose lower end is set for 1.5 % of misses instead of
2.5 %. Where the score hardly depends on the share of wins (returns of two values, one of them in about one game of
seven), the standard error says too little; so an end of the percentile bootstrap that lies further out takes over.

Seen with `make bench` ("coverage", 2,000 evaluations each, so give or take 1 %): how many intervals of 95 % include the
true score, for 50 / 100 episodes, beside the percentile bootstrap.

| returns | this interval | percentile bootstrap |
|---|---|---|
| normal | 96.7 / 97.5 % | 92.8 / 95.0 % |
| log-normal (0.5) | 94.6 / 95.3 % | 88.9 / 90.4 % |
| bimodal, half and half | 97.0 / 96.7 % | 95.0 / 94.8 % |
| bimodal, a crash in 15 of 100 games | 98.2 / 97.7 % | 93.6 / 94.5 % |
| heavy tails (Student's t, 5 degrees) | 95.4 / 94.8 % | 87.2 / 89.8 % |
| like Space Invaders: skewed, multiples of 5 | 96.2 / 96.5 % | 93.0 / 93.0 % |
| 0 or 1, 70 wins of 100 | 98.6 / 95.8 % | 94.5 / 93.7 % |
| at a ceiling, below it in 8 of 100 games | 95.1 / 99.0 % | 83.5 / 89.5 % |
| very heavy tails (3 degrees) | 87.4 / 89.2 % | 72.9 / 77.8 % |
| at a ceiling, below it in 3 of 100 games | 74.5 / 91.5 % | 63.1 / 77.4 % |

It is 6 to 34 % longer than the percentile bootstrap's in the first seven rows, and 1.5 to 3.4 times as long in the
others. The last two rows are what it cannot promise: of what no episode has shown, no interval of the episodes knows.
In 22 of 100 evaluations of 50 episodes, an agent that fails in 3 of 100 games does not fail at all.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rl_units import results

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]

LEVEL = 0.95
LEAST_EPISODES = 2

RESAMPLES = 4000
"""The 1.5 % tail then has 60 of them; twice as many move an end by about a hundredth of the interval's length."""

_SEED = 20230517  # any number, but always this one
_MOST_AT_ONCE = 2**18  # episodes of resamples in an array: 2 MiB
_ROUNDING = 1e-9  # a smaller variance, of a sample's 1, is what rounding leaves of equal returns

_LOWER_SHARE = 0.6
"""Of half the misses, how many the lower end may have: see the module's docstring."""

_BORROWED = 4
"""Episodes' worth of the whole sample's error that goes into each resample's: without it a resample without any bad
game has an error of nearly nothing, and the lower end falls without limit."""


def score_interval(returns: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """An interval for the score that an agent would have after endlessly many episodes.

    The same episodes in any order have the same interval; it always includes the score.

    Args:
        returns: Return of each episode, `LEAST_EPISODES` or more.
        level: Share of agents whose true score their interval is to include.

    Returns:
        The lower and the upper end, in the unit of the returns; twice the score if all returns are equal.

    Raises:
        ValueError: If there are too few episodes, or the level is not between 0 and 1.
        ResultError: If a return is not finite or too large.
    """
    if len(returns) < LEAST_EPISODES:
        raise ValueError(f"An interval needs {LEAST_EPISODES} episodes or more.")
    if not 0 < level < 1:
        raise ValueError("The level of an interval is between 0 and 1.")
    mean, std = results.mean(returns), results.std(returns)
    score = mean - std
    if not std:
        return score, score
    low, high = _standard_interval([(value - mean) / std for value in sorted(returns)], level)
    return min(score, mean + std * low), max(score, mean + std * high)


def _standard_interval(sample: Sequence[float], level: float) -> tuple[float, float]:
    """The interval of a sample of mean 0 and standard deviation 1, whose score is -1."""
    import numpy as np  # late: the web process imports the rules, and numpy takes longer than all of them

    values = np.array(sample)
    powers = np.stack([values, values**2, values**3, values**4], axis=1)
    _, variance = _scores(powers.mean(axis=0, keepdims=True))
    at_once = max(1, _MOST_AT_ONCE // len(values))
    blocks = [(start, min(at_once, RESAMPLES - start)) for start in range(0, RESAMPLES, at_once)]
    scores, variances = _scores(np.concatenate([_shares(len(values), *block) @ powers for block in blocks]))
    errors = np.sqrt((len(values) * variances + _BORROWED * variance) / (len(values) + _BORROWED))
    # Their least is not 0: only a sample of two values in one irrational proportion has no variance at all.
    studentized = (scores + 1) / np.maximum(errors, math.ulp(1.0))
    lower, upper = _LOWER_SHARE * (1 - level) / 2, (1 - level) / 2
    furthest, nearest = np.quantile(studentized, [1 - lower, upper]) * math.sqrt(variance[0])
    lowest, highest = np.quantile(scores, [upper, 1 - upper])
    return min(-1 - float(furthest), float(lowest)), max(-1 - float(nearest), float(highest))


@lru_cache(maxsize=16)
def _shares(count: int, start: int, rows: int) -> "Floats":
    """How much of each resample, a row, is of each of `count` episodes; kept, since evaluations are equally long."""
    import numpy as np

    # The raw bits of a generator are the same in every release of numpy, which its methods do not promise.
    bits = np.random.PCG64([_SEED, start]).random_raw(rows * count)
    places = ((bits >> 32) * count >> 32).astype(np.intp).reshape(rows, count)
    places += count * np.arange(rows)[:, None]
    found: Floats = np.bincount(places.ravel(), minlength=rows * count).reshape(rows, count) / count
    return found


def _scores(powers: "Floats") -> "tuple[Floats, Floats]":
    """Mean minus standard deviation of each row, and the variance of the influence function.

    An episode at a distance d from the mean moves the score by d - (d**2 - std**2) / (2 std), over the number of
    episodes. The variance of that is std**2 - m3 / std + (m4 - std**4) / (4 std**2), with the central moments m3, m4.

    Args:
        powers: Of shape (rows, 4): the means of the returns and of their second, third and fourth powers.
    """
    import numpy as np

    mean, second, third, fourth = powers.T
    variance = second - mean**2
    variance[variance < _ROUNDING] = 0.0
    m3 = third - 3 * mean * second + 2 * mean**3
    m4 = fourth - 4 * mean * third + 6 * mean**2 * second - 3 * mean**4
    std = np.sqrt(variance)
    divisor = np.where(variance > 0, std, 1.0)
    influence = variance - m3 / divisor + (m4 - variance**2) / (4 * divisor**2)
    return mean - std, np.where(variance > 0, np.maximum(influence, 0.0), 0.0)
