"""A classroom that is killed without warning while people write to it: nothing that was acknowledged is lost.

What is looked at stands in `tests/leaderboard_kills.py`.
"""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .campaigns import run_script

KILLS = 100
ENGINES = ("sqlite", "postgresql")
_SCRIPT = Path(__file__).parents[1] / "leaderboard_kills.py"
_SECONDS_A_KILL = 20


def measure() -> Iterator[str]:
    """What has happened, on each database.

    Raises:
        RuntimeError: If something was lost or damaged; what was seen is yielded before.
    """
    for engine in ENGINES:
        finished = campaign(KILLS, random.randrange(2**32), engine)
        yield from finished.stdout.splitlines()
        if finished.returncode:
            raise RuntimeError(f"the classroom does not bear to be killed: {finished.stderr}")


def campaign(kills: int, seed: int, engine: str) -> subprocess.CompletedProcess:
    """Kills a classroom so many times, on "sqlite" or "postgresql"."""
    return run_script(_SCRIPT, kills, seed, engine, seconds=120 + _SECONDS_A_KILL * kills)
