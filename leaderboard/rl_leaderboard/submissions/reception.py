"""Taking in what Hubs tell: commits become submissions, once each, however often they are told."""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, tuple_, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from rl_hub import clock
from rl_hub.names import shown
from rl_leaderboard.boards import standings
from rl_leaderboard.boards.standings import Place
from rl_leaderboard.database.tables import LONGEST_KEY, assignments, submissions
from rl_leaderboard.errors import TooManyRequests
from rl_leaderboard.jobs import Queue
from rl_leaderboard.people import departures
from rl_leaderboard.rules.claims import Claim
from rl_leaderboard.submissions import judging, quotas
from rl_leaderboard.submissions import submissions as records
from rl_leaderboard.submissions.submissions import Submission
from rl_units.course import Course

# What was committed before that is history, and not told as news.
_NEWS = timedelta(hours=1)
_CHUNK = 200
_WAITS = (
    "An earlier submission of this student was taken off this board, so a teacher has to look at this one before it "
    "counts."
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Push:
    """The head of a repository's main branch, as a Hub tells it.

    Attributes:
        source: The Hub.
        repo_id: owner/name.
        sha: The commit.
        student: The account that it counts for: the owner, or who committed to an organisation's repository.
        submitted_at: The commit's time.
        claims: What the card says, for each environment of the course.
        algorithm: As the card calls it.
        library: As the card calls it.
        has_replay: Whether the repository has a video.
    """

    source: str
    repo_id: str
    sha: str
    student: str
    submitted_at: datetime
    claims: tuple[Claim, ...]
    algorithm: str = ""
    library: str = ""
    has_replay: bool = False

    @property
    def is_acceptable(self) -> bool:
        """Whether its names fit: what does not can be no repository of any Hub."""
        names = ((self.repo_id, 200), (self.sha, 64), (self.student, LONGEST_KEY))
        # A name may be longer in lower case.
        fits = all(len(name) > 0 and max(len(name), len(name.lower())) <= most for name, most in names)
        return fits and self.repo_id.count("/") == 1 and all(name.isprintable() for name, _ in names)


def receive(connection: Connection, course: Course, pushes: Sequence[Push], queue: Queue | None = None) -> list[int]:
    """Keeps what is new; what cannot be kept, for a reason that nobody has thought of, is left out and logged.

    Args:
        connection: A transaction that writes.
        course: Whose assignments the claims are for.
        pushes: Any number; those that are known already change nothing.
        queue: Where what is new waits to be measured; None if nobody measures it.

    Returns:
        The ids of the new submissions.
    """
    # From here on, whether a commit is new and what is left of a quota is known for certain.
    found = (course.assignment_for(claim.env_id) for push in pushes for claim in push.claims)
    standings.hold(connection, {assignment.id for assignment in found if assignment is not None})
    new: list[int] = []
    for start in range(0, len(pushes), _CHUNK):
        new += _receive_fit(connection, course, pushes[start : start + _CHUNK], queue)
    return new


def take_again(connection: Connection, submission: Submission, queue: Queue | None = None) -> Submission:
    """Takes in anew what was over the day's quota, or has failed; what has not stays as it is.

    Args:
        connection: A transaction that writes.
        submission: What is handed in again.
        queue: Where it waits to be measured, also if it has waited for nothing so far; None if nobody measures it.

    Raises:
        TooManyRequests: If today's quota is used up as well, or its tries are.
    """
    standings.hold(connection, [submission.assignment_id])
    submission = records.get(connection, submission.id)
    if submission.state != "failed":
        if queue is not None and submission.state == "received" and submission.counts:
            judging.ask(connection, queue, submission)
        return records.get(connection, submission.id)
    now = clock.now()
    quota = connection.scalar(select(assignments.c.quota_per_day).where(assignments.c.id == submission.assignment_id))
    if quota is not None and (problem := quotas.today(connection, submission.place, now).refusal(quota)):
        raise TooManyRequests(f"{problem} {quotas.AGAIN}.")
    tries = 1 + (submission.tries if submission.received_at >= quotas.midnight(now) else 0)
    values = {"over_quota": False, "tries": tries, "state": "received", "reason": "", "received_at": now}
    if submission.retracted_at is None and records.under_review(connection, [submission.place]):
        values |= _waiting(now)
    connection.execute(update(submissions).where(submissions.c.id == submission.id).values(values))
    standings.refresh(connection, [submission.place])
    again = records.get(connection, submission.id)
    records.tell(connection, "received", again, score=again.claimed_score)
    if queue is not None and again.counts:
        judging.ask(connection, queue, again)
    return records.get(connection, submission.id)


def of_commit(connection: Connection, source: str, repo_id: str, sha: str) -> list[Submission]:
    """What a commit was submitted for, in the order in which it came."""
    here = (submissions.c.source == source) & (submissions.c.repo_key == repo_id.lower()) & (submissions.c.sha == sha)
    numbers = connection.scalars(select(submissions.c.id).where(here).order_by(submissions.c.id)).all()
    return [records.get(connection, number) for number in numbers]


def _receive_fit(connection: Connection, course: Course, pushes: Sequence[Push], queue: Queue | None) -> list[int]:
    """Keeps what is new of pushes, all at once or else one by one: a single one must not keep the others out."""
    try:
        with connection.begin_nested():
            return _receive(connection, course, pushes, queue)
    except (StatementError, ValueError, OverflowError) as error:
        if isinstance(error, DBAPIError) and not isinstance(error, DataError | IntegrityError):
            raise  # It says nothing about the pushes.
        if len(pushes) == 1:
            _log.exception("A commit of %s cannot be kept and is left out.", shown(pushes[0].repo_id))
            return []
    return [number for push in pushes for number in _receive_fit(connection, course, [push], queue)]


def _receive(connection: Connection, course: Course, pushes: Sequence[Push], queue: Queue | None) -> list[int]:
    rows: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for row in _rows(course, pushes):
        # A card may name an environment and its alias: the first result counts.
        known = rows.setdefault(_identity(row), row)
        if known["claimed_score"] is None and row["claimed_score"] is not None:
            rows[_identity(row)] = row
    there = _known(connection, list(rows)) if rows else set()
    new = departures.screen(connection, [row for identity, row in rows.items() if identity not in there])
    quotas.apply(connection, new)
    _apply_reviews(connection, new)
    if not new:
        return []
    turns = [None] * len(new) if queue is None else judging.mark(connection, new)
    statement = insert(submissions).returning(submissions.c.id, sort_by_parameter_order=True)
    ids = list(connection.scalars(statement, new))
    standings.refresh(connection, set(map(_place, new)))
    for number, turn in zip(ids, turns, strict=True):
        if queue is not None and turn is not None:
            queue.enqueue(connection, number, turn=turn)
    for number, row in zip(ids, new, strict=True):
        if row["received_at"] - row["submitted_at"] < _NEWS:
            submission = records.get(connection, number)
            refused = {"reason": submission.reason, "over_quota": True}
            more = refused if submission.over_quota else {"score": submission.claimed_score}
            records.tell(connection, "failed" if submission.over_quota else "received", submission, **more)
    return ids


def _known(connection: Connection, identities: list[tuple[str, str, str, str]]) -> set[tuple[Any, ...]]:
    """Those of some submissions that are there; SQLite finds single columns in an index, and whole keys nowhere."""
    columns = submissions.c.source, submissions.c.repo_key, submissions.c.sha, submissions.c.assignment_id
    sources, repo_keys = ({identity[column] for identity in identities} for column in range(2))
    near = submissions.c.source.in_(sources) & submissions.c.repo_key.in_(repo_keys)
    query = select(*columns).where(near, tuple_(*columns).in_(identities))
    return {tuple(row) for row in connection.execute(query)}


def _rows(course: Course, pushes: Sequence[Push]) -> Iterator[dict[str, Any]]:
    now = clock.now()
    for push in pushes:
        if not push.is_acceptable:
            continue
        for claim in push.claims:
            assignment = course.assignment_for(claim.env_id)
            if assignment is not None:
                yield _row(push, claim, assignment.id, now)


def _row(push: Push, claim: Claim, assignment_id: str, now: datetime) -> dict[str, Any]:
    return {
        "source": push.source,
        "repo_id": push.repo_id,
        "repo_key": push.repo_id.lower(),
        "sha": push.sha,
        "assignment_id": assignment_id,
        "env_id": claim.env_id,
        "student_name": push.student,
        "student_key": push.student.lower(),
        "algorithm": push.algorithm,
        "library": push.library,
        "claimed_mean": claim.mean,
        "claimed_std": claim.std,
        "claimed_score": claim.score,
        "claimed_episodes": claim.n_episodes,
        "claim_problem": claim.problem,
        "has_replay": push.has_replay,
        "state": "received",
        "reason": "",
        # A commit's time is what its author's clock says; nothing is from the future.
        "submitted_at": min(push.submitted_at, now),
        "received_at": now,
        "over_quota": False,
        "tries": 1,
        "retracted_at": None,
        "retraction": "",
        "review": "",
    }


def _identity(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["source"], row["repo_key"], row["sha"], row["assignment_id"]


def _apply_reviews(connection: Connection, rows: Collection[dict[str, Any]]) -> None:
    """Lets wait what comes after a retraction."""
    waiting = records.under_review(connection, set(map(_place, rows)))
    for row in rows:
        if _place(row) in waiting and row["retracted_at"] is None:
            row |= _waiting(row["received_at"])


def _waiting(now: datetime) -> dict[str, Any]:
    return {"retracted_at": now, "retraction": _WAITS, "review": "pending"}


def _place(row: dict[str, Any]) -> Place:
    return Place(row["assignment_id"], row["source"], row["student_key"])
