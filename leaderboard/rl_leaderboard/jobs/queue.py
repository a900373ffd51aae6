"""What every engine of the queue promises.

A job is done by whoever has claimed it, for as long as the lease lasts; a heartbeat makes it last longer. When it
ends, anybody may take the job. No queue can keep a worker that was only slow from going on, so what it finds is kept
only if its claim is still the job's newest: `finish` says so in the transaction that publishes.
"""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement, Connection

MOST_ATTEMPTS = 3
"""How often a job is tried, by default."""


class LostLease(Exception):
    """The job is somebody else's by now, or gone: what was found must not be published."""

    def __init__(self) -> None:
        super().__init__("Another worker has taken this job over, or it is gone. Throw away what was found.")


@dataclass(frozen=True)
class Claim:
    """A job that a worker has, until its lease ends.

    Attributes:
        job_id: The job.
        submission_id: What is to be measured.
        token: Grows with every claim of the job; only the newest counts.
        attempt: 1 for the first.
        worker: Who has it.
        most_attempts: How often it is tried.
    """

    job_id: int
    submission_id: int
    token: int
    attempt: int
    worker: str
    most_attempts: int = MOST_ATTEMPTS

    @property
    def is_last(self) -> bool:
        """Whether it will not be tried again after this."""
        return self.attempt >= self.most_attempts

    @property
    def is_over(self) -> bool:
        """Whether it was tried often enough, and nobody has finished it: it must not be tried now, only finished.

        That is how a submission gets its end whose agent takes every worker down with it.
        """
        return self.attempt > self.most_attempts


class Queue(Protocol):
    """Submissions that wait to be measured. All times are the database's, so workers' clocks may be wrong."""

    def enqueue(self, connection: Connection, submission_id: int, *, turn: int = 0, delay_seconds: float = 0.0) -> None:
        """Asks for a measurement, in the caller's transaction.

        A submission has one unfinished job at most. Asking for one that waits changes nothing; if it runs already, it
        is run once more afterwards, with new attempts.

        Args:
            connection: A transaction that writes.
            submission_id: What is to be measured.
            turn: Lower ones go first, and older ones within a turn; see `turns`.
            delay_seconds: How long it waits at least.
        """

    def has_job(self, submission_id: ColumnElement[int]) -> ColumnElement[bool]:
        """Whether there is an unfinished job of a submission, as an expression for a statement on its database.

        A statement sees one moment, in which a submission's state and its job belong together.
        """

    def claim(self, worker: str, lease_seconds: float) -> Claim | None:
        """Takes the next job, in a transaction of its own.

        Args:
            worker: Who takes it, for people.
            lease_seconds: How long it is theirs without a heartbeat.

        Returns:
            None if no job may be taken now. A claim that `is_over` is to be finished as failed, not to be tried.
        """

    def heartbeat(self, claim: Claim, lease_seconds: float) -> bool:
        """Makes a lease last so long from now; False if the job is somebody else's by now, or gone."""

    def check(self, connection: Connection, claim: Claim) -> None:
        """Makes sure that a job is still this worker's, and stays so until the transaction ends.

        Raises:
            LostLease: If it is not.
        """

    def finish(self, connection: Connection, claim: Claim, *, retry_after: float | None = None) -> None:
        """Ends a job, in the caller's transaction that publishes, before anything is written there.

        Args:
            connection: The transaction.
            claim: The job.
            retry_after: Seconds after which it comes again, because it failed for a reason that may pass. After the
                last attempt it comes only to be finished: the claim `is_over`.

        Raises:
            LostLease: If it is somebody else's by now: the transaction must not be kept.
        """
