"""Workers, the judge and the server killed without warning while agents are measured: each ends exactly once.

What is looked at stands in `tests/judge_campaign.py`.
"""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .campaigns import run_script

CAMPAIGNS = (("table-sqlite", 1000, 100), ("table-postgresql", 200, 20), ("procrastinate-postgresql", 100, 10))
"""What keeps the queue, how many agents are pushed, and how often something is killed."""
_SCRIPT = Path(__file__).parents[1] / "judge_campaign.py"
_SECONDS_A_JOB, _SECONDS_A_KILL = 3, 30


def measure() -> Iterator[str]:
    """What has happened in each campaign; the longest takes a quarter of an hour on two cores.

    Raises:
        RuntimeError: If a submission was lost, or has not ended once; what was seen is yielded before.
    """
    for kind, jobs, kills in CAMPAIGNS:
        finished = campaign(jobs, kills, random.randrange(2**31), kind)
        yield from finished.stdout.splitlines()
        if finished.returncode:
            raise RuntimeError(f"the judge does not bear to be killed: {finished.stderr}")


def campaign(jobs: int, kills: int, seed: int, kind: str) -> subprocess.CompletedProcess:
    """Has so many agents measured and kills something so often; the kinds are those of `judge_queue`."""
    seconds = 240 + jobs * _SECONDS_A_JOB + kills * _SECONDS_A_KILL
    return run_script(_SCRIPT, jobs, kills, seed, kind, seconds=seconds)
