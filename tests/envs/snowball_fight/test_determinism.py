"""A game depends on its seed and its actions alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from snowball_fight import ONE_VS_ONE, Arenas
from snowball_games import SPECS, fingerprint

TESTS = Path(__file__).parents[2]


def uncompiled_fingerprints(n_arenas, steps):
    """The same games in a process whose game is plain Python."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-W", "error", "-m", "snowball_games", str(n_arenas), str(steps)]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def test_plain_python_plays_the_same_games_to_the_last_bit():
    expected = {name: fingerprint(spec, 12, 20) for name, spec in SPECS.items()}
    assert uncompiled_fingerprints(12, 20) == expected


@pytest.mark.slow
def test_plain_python_plays_a_hundred_thousand_agent_steps_to_the_last_bit():
    expected = {name: fingerprint(spec, 72, 200) for name, spec in SPECS.items()}
    assert uncompiled_fingerprints(72, 200) == expected


@pytest.mark.parametrize("name", list(SPECS))
def test_threads_change_nothing(name):
    assert fingerprint(SPECS[name], 50, 40, threads=1) == fingerprint(SPECS[name], 50, 40, threads=3)


def test_other_arenas_change_nothing():
    many, alone = Arenas(ONE_VS_ONE, 33), Arenas(ONE_VS_ONE, 1)
    many.reset(100)
    alone.reset(117)
    random = np.random.default_rng(0)
    for _ in range(700):
        actions = random.integers(0, [3, 3, 3, 2], (33, 2, 4))
        crowd, single = many.step(actions), alone.step(actions[17:18])
        assert np.array_equal(crowd.observations[17], single.observations[0])
        assert np.array_equal(crowd.rewards[17], single.rewards[0])
