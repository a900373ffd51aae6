"""Snowball Fight: agent steps a second by arenas and threads, both agents' observations and a reset at every end."""

import statistics
import time
from collections.abc import Iterator

import numpy as np

from snowball_fight import ONE_VS_ONE, Arenas

ARENAS = (1, 16, 256, 1024, 16_384, 65_536)
THREADS = (1, 2)
REPETITIONS = 5
SECONDS = 0.4


def measure() -> Iterator[str]:
    """The median of several runs for each size; random actions, drawn beforehand."""
    yield f"{'arenas':>7} {'threads':>8} {'steps/s':>10} {'agent-steps/s':>14} {'ns/agent-step':>14}"
    for n_arenas in ARENAS:
        for threads in THREADS:
            if threads <= n_arenas:
                rate = statistics.median(_steps_per_second(n_arenas, threads))
                agent_steps = rate * n_arenas * ONE_VS_ONE.n_agents
                yield f"{n_arenas:7,} {threads:8} {rate:10,.0f} {agent_steps:14,.0f} {1e9 / agent_steps:14.0f}"


def _steps_per_second(n_arenas: int, threads: int) -> list[float]:
    arenas = Arenas(ONE_VS_ONE, n_arenas, threads=threads)
    arenas.reset(0)
    random = np.random.default_rng(0)
    actions = [random.integers(0, [3, 3, 3, 2], (n_arenas, 2, 4)) for _ in range(4)]
    # The arenas drift apart before anything is timed.
    for step in range(max(4, 4096 // n_arenas)):
        arenas.step(actions[step % 4])
    rates = []
    for _ in range(REPETITIONS):
        steps, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < SECONDS:
            arenas.step(actions[steps % 4])
            steps += 1
        rates.append(steps / elapsed)
    return rates
