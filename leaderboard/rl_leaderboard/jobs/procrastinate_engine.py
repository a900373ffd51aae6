"""The queue in Procrastinate's tables, on PostgreSQL only, by the functions that it has in the database.

They run on the caller's connection, so that asking for a measurement is part of the caller's transaction. What the
contract asks for maps to what Procrastinate has:

- every claim registers a worker of its own, whose number is the token: numbers only grow;
- that worker's heartbeat is written ahead, to the moment at which the lease ends;
- the queueing lock keeps a submission from waiting twice, the lock from running twice. What is asked for while it runs
  is a second job, which takes the place of any further try of the first.

With locks, fetching a job needs PostgreSQL's statistics, which autovacuum keeps: with 10,000 jobs that were all asked
for a moment ago a claim took 4 seconds, and 4 milliseconds after ANALYZE.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, String, TextClause, cast, column, exists, table, text
from sqlalchemy.exc import IntegrityError

from rl_hub.database.engine import Database
from rl_hub.errors import CommandError
from rl_leaderboard.jobs.queue import MOST_ATTEMPTS, Claim, LostLease

QUEUE = "evaluations"
"""The queue's name, for Procrastinate's own tools."""


@dataclass(frozen=True)
class ProcrastinateQueue:
    """A `Queue` that Procrastinate keeps; see `open`.

    Attributes:
        database: The classroom's.
        most_attempts: How often a job is tried.
    """

    database: Database
    most_attempts: int = MOST_ATTEMPTS

    @classmethod
    def open(cls, database: Database, most_attempts: int = MOST_ATTEMPTS) -> "ProcrastinateQueue":
        """The queue of a database, in which Procrastinate's tables are made if they are not there.

        Raises:
            CommandError: If it is not PostgreSQL, or the tables are those of another version of Procrastinate.
        """
        if database.is_sqlite:
            raise CommandError(
                "Procrastinate keeps its queue in PostgreSQL, and this classroom's database is SQLite: let the "
                "judge's queue be a table, or move the classroom to PostgreSQL."
            )
        with database.write() as connection:
            database.lock_schema(connection)
            if connection.execute(_HAS_TABLES).scalar_one() is None:
                _make_tables(connection)
            elif connection.execute(_HAS_FUNCTIONS).scalar_one() is None:
                raise CommandError(
                    "The tables of Procrastinate in this database are those of another version. Run its migrations "
                    "(https://procrastinate.readthedocs.io) up to 3.10."
                )
        return cls(database, most_attempts)

    def enqueue(self, connection: Connection, submission_id: int, *, turn: int = 0, delay_seconds: float = 0.0) -> None:
        """See `Queue.enqueue`."""
        job = {"queue": QUEUE, "submission": submission_id, "name": str(submission_id), "priority": -turn}
        _unless_it_waits(connection, _DEFER, **job, seconds=delay_seconds)

    def has_job(self, submission_id: ColumnElement[int]) -> ColumnElement[bool]:
        """See `Queue.has_job`."""
        mine = (_JOBS.c.queue_name == QUEUE) & (_JOBS.c.lock == cast(submission_id, String))
        return exists().where(mine, cast(_JOBS.c.status, String).in_(("todo", "doing")))

    def claim(self, worker: str, lease_seconds: float) -> Claim | None:
        """See `Queue.claim`."""
        with self.database.write() as connection:
            for stalled in connection.execute(_STALLED, {"queue": QUEUE}).all():
                _come_again(connection, stalled.id, stalled.worker_id, None)
            # Looking costs less than a number for a worker that finds nothing.
            while connection.execute(_HAS_WORK, {"queue": QUEUE}).scalar_one():
                token = connection.execute(_REGISTER).scalar_one()
                job = connection.execute(_FETCH, {"queue": QUEUE, "token": token}).one()
                if job.id is None:
                    _drop_worker(connection, token)
                    return None
                if job.submission_id is None:  # deleted, with its student
                    _end(connection, job.id, token)
                    continue
                connection.execute(_LEASE, {"token": token, "seconds": lease_seconds})
                return Claim(job.id, job.submission_id, token, job.attempts + 1, worker, self.most_attempts)
        return None

    def heartbeat(self, claim: Claim, lease_seconds: float) -> bool:
        """See `Queue.heartbeat`."""
        with self.database.write() as connection:
            if not _holds(connection, claim):
                return False
            connection.execute(_LEASE, {"token": claim.token, "seconds": lease_seconds})
        return True

    def check(self, connection: Connection, claim: Claim) -> None:
        """See `Queue.check`."""
        if not _holds(connection, claim):
            raise LostLease

    def finish(self, connection: Connection, claim: Claim, *, retry_after: float | None = None) -> None:
        """See `Queue.finish`."""
        self.check(connection, claim)
        if retry_after is None:
            _end(connection, claim.job_id, claim.token)
        else:
            _come_again(connection, claim.job_id, claim.token, retry_after)


def _make_tables(connection: Connection) -> None:
    from procrastinate.schema import SchemaManager

    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  a connection that is in use has one
    # Many statements at once, whose percent signs are no parameters.
    driver.execute(SchemaManager.get_schema())


def _holds(connection: Connection, claim: Claim) -> bool:
    """Whether a job is still this claim's; nobody else can take it until the transaction ends, then."""
    return connection.execute(_OWN, {"job": claim.job_id, "token": claim.token}).one_or_none() is not None


def _come_again(connection: Connection, job_id: int, token: int | None, seconds: float | None) -> None:
    """Lets a job be claimed again, at once or after a while; one that was asked for meanwhile takes its place."""
    if _unless_it_waits(connection, _RETRY, job=job_id, seconds=seconds):
        _drop_worker(connection, token)
    else:
        _end(connection, job_id, token)


def _end(connection: Connection, job_id: int, token: int | None) -> None:
    connection.execute(_FINISH, {"job": job_id})
    _drop_worker(connection, token)


def _drop_worker(connection: Connection, token: int | None) -> None:
    # After the job's row, always in this order: two transactions must not wait for each other.
    connection.execute(_UNREGISTER, {"token": token})


def _unless_it_waits(connection: Connection, statement: TextClause, **values: object) -> bool:
    """Runs what makes a job wait; False, and nothing happens, if another job of the submission waits already."""
    try:
        with connection.begin_nested():
            connection.execute(statement, values)
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != _UNIQUE_VIOLATION:
            raise
        return False
    return True


_UNIQUE_VIOLATION = "23505"
_JOBS = table("procrastinate_jobs", *(column(name, String()) for name in ("queue_name", "lock", "status")))
_HAS_TABLES = text("SELECT to_regclass('procrastinate_jobs')::text")
_HAS_FUNCTIONS = text("SELECT to_regprocedure('procrastinate_fetch_job_v2(varchar[], bigint)')::text")
_DEFER = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(:queue, 'evaluate', :priority, :name, :name, "
    "jsonb_build_object('submission_id', CAST(:submission AS bigint)), "
    "clock_timestamp() + make_interval(secs => :seconds))::procrastinate_job_to_defer_v1])"
)
_STALLED = text(
    "SELECT job.id, job.worker_id FROM procrastinate_jobs job "
    "LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id "
    "WHERE job.status = 'doing' AND job.queue_name = :queue "
    "AND (worker.id IS NULL OR worker.last_heartbeat <= clock_timestamp()) "
    "ORDER BY job.id FOR UPDATE OF job SKIP LOCKED"
)
_HAS_WORK = text(
    "SELECT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = :queue "
    "AND (scheduled_at IS NULL OR scheduled_at <= now()))"
)
_REGISTER = text("SELECT worker_id FROM procrastinate_register_worker_v1()")
_FETCH = text(
    "SELECT job.id, job.attempts, submissions.id AS submission_id "
    "FROM procrastinate_fetch_job_v2(ARRAY[CAST(:queue AS varchar)], :token) job "
    "LEFT JOIN submissions ON submissions.id = CAST(job.args ->> 'submission_id' AS bigint)"
)
_LEASE = text(
    "UPDATE procrastinate_workers SET last_heartbeat = clock_timestamp() + make_interval(secs => :seconds) "
    "WHERE id = :token"
)
_OWN = text("SELECT id FROM procrastinate_jobs WHERE id = :job AND worker_id = :token AND status = 'doing' FOR UPDATE")
_FINISH = text("SELECT procrastinate_finish_job_v1(:job, 'succeeded', true)")
_RETRY = text(
    "SELECT procrastinate_retry_job_v2(:job, "
    # Without seconds there is no time to wait for, not even that of this transaction.
    "clock_timestamp() + make_interval(secs => CAST(:seconds AS double precision)), NULL, NULL, NULL)"
)
_UNREGISTER = text("SELECT procrastinate_unregister_worker_v1(:token)")
