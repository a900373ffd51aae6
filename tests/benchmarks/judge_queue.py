"""The judge's queue: how long a claim takes in a long queue, and that workers who are killed lose and double nothing.

What is looked at in the campaigns stands in `tests/judge_kills.py`.
"""

import contextlib
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from judge_queues import leaderboard_database
from judge_submissions import add_submissions
from postgresql import running_server
from rl_leaderboard.jobs import Queue, open_queue

from .campaigns import run_script

KINDS = ("table-sqlite", "table-postgresql", "procrastinate-postgresql")
JOBS = 10_000
CLAIMS = 2_000
KILLED_JOBS, KILLS = 1_000, 100
_SCRIPT = Path(__file__).parents[1] / "judge_kills.py"
_PROCESSES = 8


def measure() -> Iterator[str]:
    """Times of claims, then the campaigns.

    Raises:
        RuntimeError: If a job was lost or published twice; what was seen is yielded before.
    """
    yield f"{CLAIMS:,} claims, one after the other, with {JOBS:,} jobs in the queue; milliseconds"
    for kind in KINDS:
        for name, delayed in (("all may be taken", 0), ("the first 7,500 are delayed", 7_500)):
            yield f"{kind:24} {name:28} {_claims(kind, delayed)}"
    yield f"{_PROCESSES} processes, nobody is killed"
    for kind in KINDS:
        yield from _checked(campaign(KILLED_JOBS, 0, kind, _PROCESSES))
    yield "workers killed at random"
    for kind in KINDS:
        yield from _checked(campaign(KILLED_JOBS, KILLS, kind, 4))


def campaign(jobs: int, kills: int, kind: str, processes: int, seed: int | None = None) -> subprocess.CompletedProcess:
    """Does so many jobs and kills so many workers, with an engine on a database."""
    seed = random.randrange(2**31) if seed is None else seed
    return run_script(_SCRIPT, jobs, kills, seed, kind, processes, seconds=300 + kills * 2)


def _checked(finished: subprocess.CompletedProcess) -> Iterator[str]:
    yield from finished.stdout.splitlines()
    if finished.returncode:
        raise RuntimeError(f"the queue does not bear to be killed: {finished.stderr}")


def _claims(kind: str, delayed: int) -> str:
    with _filled_queue(kind, delayed) as queue:
        times = []
        for _ in range(CLAIMS):
            began = time.perf_counter()
            claim = queue.claim("benchmark", 600)
            times.append((time.perf_counter() - began) * 1000)
            if claim is None:
                raise RuntimeError("the queue was empty too early")
    return f"median {statistics.median(times):.2f}, p99 {statistics.quantiles(times, n=100)[98]:.2f}"


@contextlib.contextmanager
def _filled_queue(kind: str, delayed: int) -> Iterator[Queue]:
    engine, _, backend = kind.partition("-")
    with contextlib.ExitStack() as stack:
        if backend == "sqlite":
            url = f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/leaderboard.sqlite"
        else:
            url = stack.enter_context(running_server()).create_database()
        database = stack.enter_context(contextlib.closing(leaderboard_database(url)))
        queue = open_queue(database, engine)
        numbers = add_submissions(database, JOBS, students=100)
        with database.write() as connection:
            for place, number in enumerate(numbers):
                queue.enqueue(connection, number, delay_seconds=3600 if place < delayed else 0)
        if backend == "postgresql":
            # As autovacuum does, which the tests' server is without.
            with database.write() as connection:
                connection.execute(text("ANALYZE"))
        yield queue
