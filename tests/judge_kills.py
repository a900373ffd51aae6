"""Kills workers of the judge's queue without warning, again and again, while they measure.

Started by `benchmarks.judge_queue` in a process of its own. A worker measures nothing: it waits for a moment, then ends
its job and writes an activity in one transaction, as the judge does. Another process goes on asking. Leases are short,
so that a worker that is only slow loses jobs, too.

At the end each submission that was asked for has exactly one activity, and the queue is empty. The exit code is 1 if
not. A seed makes the same pauses again.

    python tests/judge_kills.py JOBS KILLS SEED KIND PROCESSES
"""

import contextlib
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import insert, select

from judge_queues import leaderboard_database
from judge_submissions import add_submissions
from postgresql import running_server
from rl_hub import clock
from rl_hub.database.engine import Database
from rl_leaderboard.database.tables import activities
from rl_leaderboard.jobs import LostLease, open_queue

LEASE_SECONDS = 1.0
_MEASURES_SECONDS = 0.02
_PATIENCE_SECONDS = 120.0
# Told to end, perhaps before it could listen.
_ENDS = (0, -signal.SIGTERM)
# Forked: a new interpreter each time would be most of what the machine does. Nothing is open at that moment.
_PROCESSES = multiprocessing.get_context("fork")


def work(url: str, engine: str, seed: int) -> None:
    """What a worker does until it is killed, or told that all is done."""
    chance, stopping = random.Random(seed), threading.Event()
    # Not an event of `multiprocessing`: who is killed while it looks would keep it from the others for ever.
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    with contextlib.closing(Database(url)) as database:
        queue = open_queue(database, engine)
        while not stopping.is_set():
            claim = queue.claim(f"worker {os.getpid()}", LEASE_SECONDS)
            if claim is None:
                stopping.wait(0.05)
                continue
            if not claim.is_over:
                time.sleep(chance.uniform(0, _MEASURES_SECONDS))
                queue.heartbeat(claim, LEASE_SECONDS)
            with contextlib.suppress(LostLease), database.write() as connection:
                queue.finish(connection, claim)
                kind = "failed" if claim.is_over else "scored"
                row = {"kind": kind, "submission_id": claim.submission_id, "payload": f'"{claim.attempt}"'}
                connection.execute(insert(activities).values(created_at=clock.now(), **row))


def ask(url: str, engine: str, numbers: list[int]) -> None:
    """Asks for all measurements, a few in a transaction, while workers do the first ones."""
    with contextlib.closing(Database(url)) as database:
        queue = open_queue(database, engine)
        for start in range(0, len(numbers), 5):
            with database.write() as connection:
                for number in numbers[start : start + 5]:
                    queue.enqueue(connection, number, turn=number % 3)


def outcomes(url: str) -> list[tuple[int, str, str]]:
    """Each activity: the submission, its kind, and at which attempt."""
    with contextlib.closing(Database(url)) as database, database.read() as connection:
        columns = activities.c.submission_id, activities.c.kind, activities.c.payload
        return [tuple(row) for row in connection.execute(select(*columns))]


def campaign(url: str, engine: str, jobs: int, kills: int, seed: int, processes: int) -> list[str]:
    """Does all jobs and kills workers meanwhile; returns what went wrong."""
    chance = random.Random(seed)
    with contextlib.closing(leaderboard_database(url)) as database:
        numbers = add_submissions(database, jobs, students=20)
        open_queue(database, engine)
    seeds = iter(range(seed, seed + 10**9))

    def start():
        process = _PROCESSES.Process(target=work, args=(url, engine, next(seeds)))
        process.start()
        return process

    began = time.monotonic()
    asking = _PROCESSES.Process(target=ask, args=(url, engine, numbers))
    asking.start()
    workers = [start() for _ in range(processes)]
    killed = 0
    # The kills are spread over the whole queue.
    while killed < kills and time.monotonic() - began < _PATIENCE_SECONDS + kills:
        time.sleep(chance.uniform(0.02, 0.2))
        if len(outcomes(url)) * kills < killed * jobs * 0.9:
            continue
        victim = chance.randrange(processes)
        os.kill(workers[victim].pid, signal.SIGKILL)
        workers[victim].join()
        killed += 1
        workers[victim] = start()
    asking.join()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while len(outcomes(url)) < jobs and time.monotonic() < deadline:
        time.sleep(0.1)
    seconds = time.monotonic() - began
    # Who still had a lease would publish a second time now, if anybody did.
    time.sleep(2 * LEASE_SECONDS)
    for process in workers:
        process.terminate()
        process.join()
    problems = [f"a worker ended with {process.exitcode}" for process in workers if process.exitcode not in _ENDS]
    problems += [f"{killed} kills instead of {kills}"] if killed != kills else []
    return problems + check(url, engine, numbers, f"{killed} kills, {processes} processes, {seconds:.1f} s")


def check(url: str, engine: str, numbers: list[int], what: str) -> list[str]:
    """Looks whether every job has ended exactly once, and prints what has happened."""
    seen = outcomes(url)
    ends = Counter(number for number, _, _ in seen)
    lost = [number for number in numbers if not ends[number]]
    twice = [number for number, count in ends.items() if count > 1]
    with contextlib.closing(Database(url)) as database:
        left = open_queue(database, engine).claim("nobody", LEASE_SECONDS)
    repeated = sum(attempt != '"1"' for _, _, attempt in seen)
    given_up = sum(kind == "failed" for _, kind, _ in seen)
    print(
        f"{engine} on {url.split(':')[0].partition('+')[0]}: {len(numbers)} jobs, {what}: {len(lost)} lost, "
        f"{len(twice)} published twice; {repeated} ended at a later attempt, {given_up} of these given up"
    )
    problems = [f"lost: {lost}"] * bool(lost) + [f"published twice: {twice}"] * bool(twice)
    return problems + [f"still in the queue: {left}"] * (left is not None)


def main(jobs: int, kills: int, seed: int, kind: str, processes: int) -> int:
    """Runs a campaign on a new database."""
    engine, _, backend = kind.partition("-")
    with contextlib.ExitStack() as stack:
        if backend == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{Path(folder) / 'leaderboard.sqlite'}"
        else:
            url = stack.enter_context(running_server()).create_database()
        problems = campaign(url, engine, jobs, kills, seed, processes)
    for problem in problems:
        print(f"{problem} (seed {seed})", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    jobs, kills, seed = map(int, sys.argv[1:4])
    sys.exit(main(jobs, kills, seed, sys.argv[4], int(sys.argv[5])))
