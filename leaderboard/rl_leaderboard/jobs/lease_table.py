"""The queue as a table of the classroom's database, on SQLite and on PostgreSQL.

`free_at` says when a job may be taken: after its delay, or when the lease of whoever has it ends. So a job whose worker
was killed is simply free again, and nobody has to look for it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rl_hub.database.engine import Database
from rl_leaderboard.database.tables import evaluation_jobs as _table
from rl_leaderboard.jobs import database_time
from rl_leaderboard.jobs.queue import MOST_ATTEMPTS, Claim, LostLease

_jobs = _table.c
_LONGEST_NAME = 128


@dataclass(frozen=True)
class LeaseQueue:
    """A `Queue` in the table `evaluation_jobs`.

    Attributes:
        database: The classroom's.
        most_attempts: How often a job is tried.
    """

    database: Database
    most_attempts: int = MOST_ATTEMPTS

    def enqueue(self, connection: Connection, submission_id: int, *, turn: int = 0, delay_seconds: float = 0.0) -> None:
        """See `Queue.enqueue`."""
        now = database_time.now(connection)
        free_at = _later(now, delay_seconds)
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(_table).values(
            submission_id=submission_id, turn=turn, asked_at=now, free_at=free_at, attempts=0, token=0
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[_jobs.submission_id],
                set_={"again_at": free_at, "asked_at": now, "turn": turn},
                where=_jobs.worker.is_not(None),
            )
        )

    def has_job(self, submission_id: ColumnElement[int]) -> ColumnElement[bool]:
        """See `Queue.has_job`."""
        return exists().where(_jobs.submission_id == submission_id)

    def claim(self, worker: str, lease_seconds: float) -> Claim | None:
        """See `Queue.claim`."""
        if self.database.is_sqlite and not self._has_work():
            return None
        with self.database.write() as connection:
            now = database_time.now(connection)
            row = connection.execute(NEXT, {"now": now}).one_or_none()
            if row is None:
                return None
            # What was asked for while the last attempt ran begins now, with new attempts.
            attempt = 1 if row.again_at is not None else row.attempts + 1
            claim = Claim(row.id, row.submission_id, row.token + 1, attempt, worker, self.most_attempts)
            taken = {
                "token": claim.token,
                "attempts": attempt,
                "worker": worker[:_LONGEST_NAME],
                "free_at": _later(now, lease_seconds),
                "again_at": None,
            }
            connection.execute(update(_table).where(_jobs.id == row.id).values(taken))
        return claim

    def heartbeat(self, claim: Claim, lease_seconds: float) -> bool:
        """See `Queue.heartbeat`."""
        with self.database.write() as connection:
            free_at = _later(database_time.now(connection), lease_seconds)
            return connection.execute(update(_table).where(_is_of(claim)).values(free_at=free_at)).rowcount == 1

    def check(self, connection: Connection, claim: Claim) -> None:
        """See `Queue.check`."""
        self._again_at(connection, claim)

    def finish(self, connection: Connection, claim: Claim, *, retry_after: float | None = None) -> None:
        """See `Queue.finish`."""
        again_at = self._again_at(connection, claim)
        if again_at is None and retry_after is None:
            connection.execute(delete(_table).where(_jobs.id == claim.job_id))
            return
        waits: dict[str, Any] = {"worker": None}
        if again_at is not None:
            waits |= {"free_at": again_at, "attempts": 0, "again_at": None}
        elif retry_after is not None:
            waits["free_at"] = _later(database_time.now(connection), retry_after)
        connection.execute(update(_table).where(_jobs.id == claim.job_id).values(waits))

    def _again_at(self, connection: Connection, claim: Claim) -> datetime | None:
        """When a job was asked for once more, if it was; nobody can take it until the transaction ends."""
        row = connection.execute(select(_jobs.again_at).where(_is_of(claim)).with_for_update()).one_or_none()
        if row is None:
            raise LostLease
        again_at: datetime | None = row.again_at
        return again_at

    def _has_work(self) -> bool:
        """Whether it is worth keeping every other writer of SQLite waiting."""
        with self.database.read() as connection:
            now = database_time.now(connection)
            return connection.execute(NEXT, {"now": now}).first() is not None


def _later(moment: datetime, seconds: float) -> datetime:
    return moment + timedelta(seconds=seconds)


def _is_of(claim: Claim) -> ColumnElement[bool]:
    return and_(_jobs.id == claim.job_id, _jobs.token == claim.token, _jobs.worker.is_not(None))


NEXT = (
    select(_jobs.id, _jobs.submission_id, _jobs.token, _jobs.attempts, _jobs.again_at)
    .where(_jobs.free_at <= bindparam("now", type_=_jobs.free_at.type))
    .order_by(_jobs.turn, _jobs.asked_at, _jobs.id)
    .limit(1)
    # What another worker is taking at this moment is passed over, not waited for; SQLite has one writer anyway.
    .with_for_update(skip_locked=True)
)
