"""How often the interval of a score includes the true score; the percentile bootstrap beside it."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from rl_leaderboard.rules.intervals import score_interval

REPETITIONS = 2000
EPISODES = 50, 100
EXACT = 8_000_000  # draws for the true score
PERCENTILE_RESAMPLES = 2000

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def normal(rng, shape):
    return rng.normal(500, 150, shape)


def log_normal(rng, shape):
    return np.exp(rng.normal(6, 0.5, shape))


def bimodal(rng, shape):
    return np.where(rng.random(shape) < 0.5, rng.normal(100, 20, shape), rng.normal(400, 30, shape))


def rare_crash(rng, shape):
    return np.where(rng.random(shape) < 0.85, rng.normal(250, 20, shape), rng.normal(-100, 40, shape))


def heavy_tailed(rng, shape):
    return 200 + 50 * rng.standard_t(5, shape)


def space_invaders(rng, shape):
    """Multiples of 5; now and then a mother ship of 200."""
    return 5 * np.round((rng.gamma(4, 150, shape) + 200 * (rng.random(shape) < 0.3)) / 5)


def ceiling(rng, shape):
    """CartPole, of an agent that fails in 8 of 100 games."""
    return np.where(rng.random(shape) < 0.92, 500, np.round(rng.uniform(100, 499, shape)))


def succeed_or_fail(rng, shape):
    """Frozen lake, of an agent that reaches the goal in 70 of 100 games."""
    return 1.0 * (rng.random(shape) < 0.7)


def very_heavy_tailed(rng, shape):
    """A fourth moment does not exist: no interval of this kind can be right here."""
    return 200 + 50 * rng.standard_t(3, shape)


def nearly_perfect(rng, shape):
    """Fails in 3 of 100 games: of 50 games a fifth of the samples shows none of them."""
    return np.where(rng.random(shape) < 0.97, 500, np.round(rng.uniform(100, 499, shape)))


USUAL: tuple[Draw, ...] = (normal, log_normal, bimodal, rare_crash, heavy_tailed, space_invaders)
HARD: tuple[Draw, ...] = (succeed_or_fail, ceiling, very_heavy_tailed, nearly_perfect)


def measure() -> Iterator[str]:
    """Coverage of both, on which side they miss, and lengths; then what an interval costs."""
    yield f"95 % intervals of mean - std (ddof 0); {REPETITIONS:,} evaluations each"
    yield "returns              episodes   ours  too low  too high  percentile  length to percentile's"
    tasks = [(draw, count) for draw in (*USUAL, *HARD) for count in EPISODES]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(_row, *zip(*tasks, strict=True))
    for count in (50, 100, 200):
        yield f"an interval of {count:3} episodes takes {_milliseconds(count):.1f} ms (median)"


def coverage(draw: Draw, count: int, repetitions: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Ends of our intervals and of the percentile bootstrap's, each of shape (repetitions, 2), and the true score."""
    rng = np.random.default_rng([count, *draw.__name__.encode()])
    exact = draw(rng, (EXACT,))
    samples = draw(rng, (repetitions, count))
    ours = np.array([score_interval(sample.tolist()) for sample in samples])
    places = rng.integers(0, count, (PERCENTILE_RESAMPLES, count))
    shares = np.array([np.bincount(row, minlength=count) for row in places]) / count
    centred = samples - samples.mean(axis=1, keepdims=True)
    means, squares = shares @ centred.T, shares @ (centred**2).T
    scores = means - np.sqrt(np.maximum(squares - means**2, 0))
    percentile = np.quantile(scores, [0.025, 0.975], axis=0).T + samples.mean(axis=1, keepdims=True)
    return ours, percentile, float(_scores(exact[None])[0])


def _row(draw: Draw, count: int) -> str:
    ours, percentile, exact = coverage(draw, count, REPETITIONS)
    below, above = (ours[:, 1] < exact).mean(), (ours[:, 0] > exact).mean()
    theirs = ((percentile[:, 0] <= exact) & (exact <= percentile[:, 1])).mean()
    length = np.diff(ours).mean() / np.diff(percentile).mean()
    name = draw.__name__.replace("_", " ")
    shares = f"{1 - below - above:6.1%} {below:7.1%} {above:8.1%} {theirs:10.1%}"
    return f"{name:20} {count:8} {shares}  {length:14.2f}"


def _scores(samples: np.ndarray) -> np.ndarray:
    return samples.mean(axis=1) - samples.std(axis=1)


def _milliseconds(count: int) -> float:
    sample = normal(np.random.default_rng(0), count).tolist()

    def once() -> float:
        start = time.perf_counter()
        score_interval(sample)
        return time.perf_counter() - start

    return 1000 * statistics.median(once() for _ in range(21))
