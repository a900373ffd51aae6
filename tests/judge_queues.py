"""Every engine of the judge's queue, on every database that it works with, each test with an empty one.

from judge_queues import bench, empty_postgresql, empty_sqlite, new_bench  # noqa: F401  fixtures
from leaderboard_databases import postgresql  # noqa: F401  a fixture
"""

import contextlib
import shutil
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from judge_submissions import add_submissions
from rl_hub.database.engine import Database
from rl_leaderboard.database.schema import LEADERBOARD
from rl_leaderboard.jobs import Queue, open_queue

KINDS = ["table-sqlite", "table-postgresql", "procrastinate-postgresql"]


def leaderboard_database(url: str) -> Database:
    """An open database with the leaderboard's tables."""
    database = Database(url)
    LEADERBOARD.upgrade(database)
    return database


@dataclass
class QueueBench:
    """A queue and its database.

    Attributes:
        engine: What keeps the queue.
        database: The classroom's.
        queue: What is tested.
    """

    engine: str
    database: Database
    queue: Queue

    def submissions(self, count: int, **arguments) -> list[int]:
        """New submissions; see `add_submissions`."""
        return add_submissions(self.database, count, **arguments)

    def enqueue(self, *numbers: int, **arguments) -> None:
        """Asks for measurements in one transaction."""
        with self.database.write() as connection:
            for number in numbers:
                self.queue.enqueue(connection, number, **arguments)

    def claim(self, lease_seconds: float = 600.0, worker: str = "worker"):
        return self.queue.claim(worker, lease_seconds)

    def finish(self, claim, **arguments) -> None:
        with self.database.write() as connection:
            self.queue.finish(connection, claim, **arguments)

    def claim_all(self) -> list[int]:
        """The submissions of all jobs that may be taken now, in the queue's order."""
        return [claim.submission_id for claim in iter(self.claim, None)]

    def do(self) -> int | None:
        """Does the next job; returns its submission."""
        claim = self.claim()
        if claim is None:
            return None
        self.finish(claim)
        return claim.submission_id

    def let_pass(self, seconds: float) -> None:
        """Moves all times that the queue keeps into the past: as if so many seconds had gone by."""
        past = f"- interval '{seconds} seconds'"
        with self.database.write() as connection:
            if self.engine == "procrastinate":
                connection.execute(text(f"UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat {past}"))
                connection.execute(text(f"UPDATE procrastinate_jobs SET scheduled_at = scheduled_at {past}"))
            elif self.database.is_sqlite:
                for column in ("free_at", "again_at"):
                    earlier = f"strftime('%Y-%m-%d %H:%M:%f', {column}, '-{seconds} seconds') || '000'"
                    connection.execute(text(f"UPDATE evaluation_jobs SET {column} = {earlier}"))
            else:
                connection.execute(
                    text(f"UPDATE evaluation_jobs SET free_at = free_at {past}, again_at = again_at {past}")
                )


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory):
    """A file with all tables: copying it is quicker than migrating once a test."""
    path = tmp_path_factory.mktemp("empty-queue") / "leaderboard.sqlite"
    leaderboard_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def empty_postgresql(postgresql):
    """The name of a database with all tables."""
    url = postgresql.create_database()
    leaderboard_database(url).close()
    return url.rpartition("/")[2].partition("?")[0]


@pytest.fixture
def new_bench(request, tmp_path):
    """Opens a queue of a kind: `new_bench("table-sqlite")`."""
    with contextlib.ExitStack() as stack:

        def open_bench(kind: str) -> QueueBench:
            engine, _, backend = kind.partition("-")
            if backend == "sqlite":
                path = tmp_path / "leaderboard.sqlite"
                shutil.copyfile(request.getfixturevalue("empty_sqlite"), path)
                url = f"sqlite:///{path}"
            else:
                server = request.getfixturevalue("postgresql")
                url = server.create_database(request.getfixturevalue("empty_postgresql"))
                stack.callback(server.drop_database, url)
            database = stack.enter_context(contextlib.closing(Database(url)))
            return QueueBench(engine, database, open_queue(database, engine))

        yield open_bench


@pytest.fixture(params=KINDS)
def bench(request, new_bench):
    return new_bench(request.param)
