"""Taking in what Hubs tell: commits become submissions, once each, however often they are told."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, tuple_, update

from rl_hub import clock
from rl_leaderboard.boards import standings
from rl_leaderboard.boards.standings import Place
from rl_leaderboard.database.tables import LONGEST_KEY, assignments, submissions
from rl_leaderboard.errors import TooManyRequests
from rl_leaderboard.rules.claims import Claim
from rl_leaderboard.submissions import submissions as records
from rl_leaderboard.submissions.submissions import Submission
from rl_units.course import Course

# What was committed before that is history, and not told as news.
_NEWS = timedelta(hours=1)
_CHUNK = 200


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
        names = (self.repo_id, self.sha, self.student)
        fits = len(self.repo_id) <= 200 and len(self.sha) <= 64 and 1 <= len(self.student) <= LONGEST_KEY
        return fits and self.repo_id.count("/") == 1 and all(name.isprintable() and name for name in names)


def receive(connection: Connection, course: Course, pushes: Sequence[Push]) -> list[int]:
    """Keeps what is new.

    Args:
        connection: A transaction that writes.
        course: Whose assignments the claims are for.
        pushes: Any number; those that are known already change nothing.

    Returns:
        The ids of the new submissions.
    """
    # From here on, whether a commit is new and what is left of a quota is known for certain.
    found = (course.assignment_for(claim.env_id) for push in pushes for claim in push.claims)
    standings.hold(connection, {assignment.id for assignment in found if assignment is not None})
    new: list[int] = []
    for start in range(0, len(pushes), _CHUNK):
        new += _receive(connection, course, pushes[start : start + _CHUNK])
    return new


def take_again(connection: Connection, submission: Submission) -> Submission:
    """Takes in anew what was over the day's quota, or has failed; what has not stays as it is.

    Raises:
        TooManyRequests: If today's quota is used up as well.
    """
    standings.hold(connection, [submission.assignment_id])
    submission = records.get(connection, submission.id)
    if submission.state != "failed":
        return submission
    now = clock.now()
    quota = connection.scalar(select(assignments.c.quota_per_day).where(assignments.c.id == submission.assignment_id))
    if quota is not None and _taken_today(connection, submission.place, now) >= quota:
        raise TooManyRequests(f"Today's quota of {quota} is used up. Hand this commit in again tomorrow.")
    values = {"over_quota": False, "state": "received", "reason": "", "received_at": now}
    connection.execute(update(submissions).where(submissions.c.id == submission.id).values(values))
    standings.refresh(connection, [submission.place])
    again = records.get(connection, submission.id)
    records.tell(connection, "received", again, score=again.claimed_score)
    return again


def of_commit(connection: Connection, source: str, repo_id: str, sha: str) -> list[Submission]:
    """What a commit was submitted for, in the order in which it came."""
    here = (submissions.c.source == source) & (submissions.c.repo_key == repo_id.lower()) & (submissions.c.sha == sha)
    numbers = connection.scalars(select(submissions.c.id).where(here).order_by(submissions.c.id)).all()
    return [records.get(connection, number) for number in numbers]


def _receive(connection: Connection, course: Course, pushes: Sequence[Push]) -> list[int]:
    rows: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for row in _rows(course, pushes):
        # A card may name an environment and its alias: the first result counts.
        known = rows.setdefault(_identity(row), row)
        if known["claimed_score"] is None and row["claimed_score"] is not None:
            rows[_identity(row)] = row
    there = _known(connection, list(rows)) if rows else set()
    new = [row for identity, row in rows.items() if identity not in there]
    _apply_quotas(connection, new)
    ids: list[int] = []
    if new:
        statement = insert(submissions).returning(submissions.c.id, sort_by_parameter_order=True)
        ids = list(connection.scalars(statement, new))
        standings.refresh(connection, {Place(row["assignment_id"], row["source"], row["student_key"]) for row in new})
    for number, row in zip(ids, new, strict=True):
        if row["received_at"] - row["submitted_at"] < _NEWS:
            submission = records.get(connection, number)
            more = {"reason": submission.reason} if submission.over_quota else {"score": submission.claimed_score}
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
    }


def _identity(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["source"], row["repo_key"], row["sha"], row["assignment_id"]


def _apply_quotas(connection: Connection, rows: Collection[dict[str, Any]]) -> None:
    """Marks what is more than a student may hand in on a day; what came earlier is no longer counted."""
    limited = assignments.c.quota_per_day.is_not(None)
    quotas = {row.id: row.quota_per_day for row in connection.execute(select(assignments).where(limited))}
    used: defaultdict[Place, int] = defaultdict(int)
    for row in rows:
        quota = quotas.get(row["assignment_id"])
        if quota is None:
            continue
        place = Place(row["assignment_id"], row["source"], row["student_key"])
        if place not in used:
            used[place] = _taken_today(connection, place, row["received_at"])
        used[place] += 1
        if used[place] > quota:
            reason = f"Today's quota of {quota} is used up. Hand this commit in again tomorrow: rl_units submit."
            row |= {"over_quota": True, "state": "failed", "reason": reason}


def _taken_today(connection: Connection, place: Place, now: datetime) -> int:
    """Submissions of this day, in UTC; those that failed do not count."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    counted = select(func.count()).where(
        submissions.c.assignment_id == place.assignment_id,
        submissions.c.source == place.source,
        submissions.c.student_key == place.student_key,
        submissions.c.received_at >= midnight,
        submissions.c.state != "failed",
    )
    return connection.scalar(counted) or 0
