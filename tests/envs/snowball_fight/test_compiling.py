"""Compiling once, with a word about it."""

import os
import subprocess
import sys

import pytest

PLAY = """
from snowball_fight import Arenas
from snowball_fight.kernel import drivers
Arenas().reset(0)
print(sum(drivers.begin.stats.cache_hits.values()))
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A process that finds no machine code, and one after it."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("machine_code"))}
    return [
        subprocess.run([sys.executable, "-c", PLAY], env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]


def test_the_first_use_says_that_it_compiles(runs):
    assert runs[0].stderr.count("Compiling the game") == 1


def test_the_second_use_finds_the_machine_code_and_says_nothing(runs):
    assert runs[1].stderr == ""
    assert runs[1].stdout.strip() == "1"
