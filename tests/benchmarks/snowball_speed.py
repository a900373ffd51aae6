"""Snowball Fight: agent steps a second by arenas and threads, both agents' observations and a reset at every end."""

import statistics
from collections.abc import Callable, Iterator

import numpy as np
from tests.benchmarks.rates import median_ratio, rates_in_turns

from snowball_fight import ONE_VS_ONE, Arenas

ARENAS = (1, 16, 256, 1024, 16_384, 65_536)
SECONDS = 0.4
APART = 4096  # arena-steps before anything is timed, so that the arenas have drifted apart


def measure() -> Iterator[str]:
    """Median and best over rounds for each size; random actions, drawn beforehand."""
    steps = {f"{n_arenas} {threads}": _steps(n_arenas, threads) for n_arenas in ARENAS for threads in (1, 2)}
    rates = rates_in_turns(steps, seconds=SECONDS, prelude=4)
    yield f"{'':>7} {'one thread, agent-steps/s':>32} {'two threads':>28}"
    yield f"{'arenas':>7} {'median':>12} {'best':>12} {'ns':>6} {'median':>14} {'best':>12} {'times':>6}"
    for n_arenas in ARENAS:
        agents = n_arenas * ONE_VS_ONE.n_agents
        one, two = ([agents * rate for rate in rates[f"{n_arenas} {threads}"]] for threads in (1, 2))
        median, pair = statistics.median(one), statistics.median(two)
        yield (
            f"{n_arenas:7,} {median:12,.0f} {max(one):12,.0f} {1e9 / median:6,.0f} "
            f"{pair:14,.0f} {max(two):12,.0f} {median_ratio(two, one):6.2f}"
        )


def _steps(n_arenas: int, threads: int) -> Callable[[int], object]:
    arenas = Arenas(ONE_VS_ONE, n_arenas, threads=threads)
    arenas.reset(0)
    random = np.random.default_rng(0)
    actions = [random.integers(0, [3, 3, 3, 2], (n_arenas, 2, 4)) for _ in range(4)]
    for number in range(APART // n_arenas):
        arenas.step(actions[number % 4])
    return lambda number: arenas.step(actions[number % 4])
