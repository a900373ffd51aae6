"""Submissions: one commit of a student's repository, for one assignment."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Select, and_, bindparam, select, update

from rl_hub import clock
from rl_leaderboard.activity import feed
from rl_leaderboard.boards import standings
from rl_leaderboard.boards.standings import Place
from rl_leaderboard.database.tables import evaluations, people, submissions
from rl_leaderboard.errors import NotFound
from rl_leaderboard.people.people import Person
from rl_leaderboard.rules import names


@dataclass(frozen=True)
class Submission:
    """What a student handed in, and what is known of it.

    Attributes:
        id: Key in the database.
        source: The Hub.
        repo_id: The repository, owner/name.
        sha: The commit.
        assignment_id: The assignment.
        env_id: The environment as the card names it: the assignment's, or an alias.
        student_name: The account that it counts for.
        student_key: The same in lower case.
        pseudonym: What others see instead of the name; they see nothing that leads to the repository then.
        algorithm: As the card calls it.
        library: As the card calls it.
        claimed_mean: What the card says, as the next three.
        claimed_std: Standard deviation of the returns.
        claimed_score: Mean minus standard deviation.
        claimed_episodes: Number of episodes, if the card says so.
        claim_problem: Why the card's score cannot be read; empty if it can.
        has_replay: Whether the repository has a video.
        state: received, queued, running, scored or failed.
        reason: Why it failed, a sentence for the student.
        submitted_at: The commit's time.
        received_at: When it came to us.
        declared_at: When the student declared that this one counts.
        over_quota: Whether it came when the day's quota was used up.
        tries: How often it was taken in on the day of `received_at`: not at all if it was over the quota.
        gone_at: When its repository was deleted or hidden.
        retracted_at: When a teacher took it off the board, or since when it waits for one.
        retraction: Why.
        review: "required" if a teacher took it off: what its student hands in for the assignment later waits for a
            teacher. "pending" if it is one that waits. Empty otherwise.
        evaluation_id: The evaluation that counts.
        verified_score: What the judge measured, under the current protocol.
    """

    id: int
    source: str
    repo_id: str
    sha: str
    assignment_id: str
    env_id: str
    student_name: str
    student_key: str
    pseudonym: str | None
    algorithm: str
    library: str
    claimed_mean: float | None
    claimed_std: float | None
    claimed_score: float | None
    claimed_episodes: int | None
    claim_problem: str
    has_replay: bool
    state: str
    reason: str
    submitted_at: datetime
    received_at: datetime
    declared_at: datetime | None
    over_quota: bool
    tries: int
    gone_at: datetime | None
    retracted_at: datetime | None
    retraction: str
    review: str
    evaluation_id: int | None
    verified_score: float | None

    @property
    def score(self) -> float | None:
        """What boards rank by: the verified score, or the claimed one as long as there is no other."""
        return self.claimed_score if self.verified_score is None else self.verified_score

    @property
    def counts(self) -> bool:
        """Whether it may stand on the board."""
        return self.gone_at is None and self.retracted_at is None and not self.over_quota

    @property
    def shown_student(self) -> str:
        """The student as others see them."""
        return self.pseudonym or self.student_name

    @property
    def shown_agent(self) -> str:
        """The repository as others see it: a number, if the student has a pseudonym."""
        return names.shown_agent(self.repo_id, self.pseudonym, self.id)

    @property
    def place(self) -> Place:
        """Where it may stand."""
        return Place(self.assignment_id, self.source, self.student_key)

    def belongs_to(self, person: Person | None) -> bool:
        """Whether it is this person's own."""
        return person is not None and (person.source, person.key) == (self.source, self.student_key)


def get(connection: Connection, submission_id: int) -> Submission:
    """A submission.

    Raises:
        NotFound: If there is none of this id.
    """
    row = connection.execute(_SELECT.where(submissions.c.id == submission_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such submission.")
    return Submission(*row)


def list_of_student(
    connection: Connection, source: str, student_key: str, *, limit: int, before_id: int | None = None
) -> list[Submission]:
    """A student's submissions, newest first."""
    last = _NO_ID if before_id is None else before_id
    given = {"source": source, "student_key": student_key, "before_id": last, "limit": limit}
    return [Submission(*row) for row in connection.execute(_OF_STUDENT, given)]


def list_of_repository(
    connection: Connection, source: str, repo_id: str, assignment_id: str, *, limit: int = 100
) -> Sequence[Submission]:
    """The commits of a repository that were submitted for an assignment, newest first."""
    query = _SELECT.where(
        submissions.c.source == source,
        submissions.c.repo_key == repo_id.lower(),
        submissions.c.assignment_id == assignment_id,
    )
    return [Submission(*row) for row in connection.execute(query.order_by(submissions.c.id.desc()).limit(limit))]


def declare(connection: Connection, submission: Submission) -> None:
    """Notes that the student wants this one to count where the assignment leaves the choice to them."""
    standings.hold(connection, [submission.assignment_id])
    connection.execute(update(submissions).where(_at(submission.place)).values(declared_at=None))
    _change(connection, submission, declared_at=clock.now())


def retract(connection: Connection, submission: Submission, reason: str) -> None:
    """Takes a submission off the board.

    The same agent is easily handed in again, as another commit or by another name. So what the student hands in for
    the assignment from now on waits for a teacher, until `restore`.
    """
    _change(connection, submission, retracted_at=clock.now(), retraction=reason, review="required")


def restore(connection: Connection, submission: Submission) -> None:
    """Puts a submission back on the board, and ends that its student's later ones wait.

    One that waited was looked at: what waits beside it waits on, and what comes from now on counts. One that a teacher
    took off brings back what has waited because of it.
    """
    standings.hold(connection, [submission.assignment_id])
    submission = get(connection, submission.id)
    back = {"retracted_at": None, "retraction": "", "review": ""}
    _change(connection, submission, **back)
    here = _at(submission.place)
    if submission.review == "pending":
        connection.execute(update(submissions).where(here, submissions.c.review == "required").values(review=""))
    elif not under_review(connection, [submission.place]):
        waiting = here & (submissions.c.review == "pending")
        numbers = connection.scalars(update(submissions).where(waiting).values(back).returning(submissions.c.id)).all()
        standings.refresh(connection, [submission.place], returning=numbers)


def under_review(connection: Connection, places: Collection[Place]) -> set[Place]:
    """Those of some places where what the student hands in waits for a teacher; a few hundred at most."""
    columns = submissions.c.assignment_id, submissions.c.source, submissions.c.student_key
    # SQLite finds single columns in an index, and whole keys nowhere.
    near = (
        submissions.c.source.in_({place.source for place in places}),
        submissions.c.student_key.in_({place.student_key for place in places}),
    )
    query = select(*columns).where(*near, submissions.c.review == "required")
    return {Place(*row) for row in connection.execute(query)} & set(places)


def queue(connection: Connection, submission: Submission) -> None:
    """Asks for an evaluation, the first one or another; what is known so far stays until there is a new result."""
    _change(connection, submission, state="queued", reason="")
    tell(connection, "queued", submission)


def start(connection: Connection, submission: Submission) -> None:
    """Notes that a judge plays it now."""
    _change(connection, submission, state="running", reason="")
    tell(connection, "running", submission)


def wait(connection: Connection, submission: Submission) -> None:
    """Notes that it waits for a judge; nobody is told."""
    _change(connection, submission, state="queued", reason="")


def rest(connection: Connection, submission: Submission) -> None:
    """Notes that nobody is going to play it; what is known of it stays."""
    _change(connection, submission, state="received" if submission.evaluation_id is None else "scored", reason="")


def fail(connection: Connection, submission: Submission, reason: str) -> None:
    """Notes that no score could be found, and why: a sentence for the student."""
    _change(connection, submission, state="failed", reason=reason)
    tell(connection, "failed", submission, reason=reason)


def tell(connection: Connection, kind: feed.Kind, submission: Submission, **more: Any) -> None:
    """Writes an activity about a submission; nothing is told of one that was retracted or is gone."""
    if submission.retracted_at is not None or submission.gone_at is not None:
        return
    payload = {"assignment": submission.assignment_id, "submission": submission.id, **more}
    feed.record(connection, kind, payload, assignment_id=submission.assignment_id, submission_id=submission.id)


def _change(connection: Connection, submission: Submission, **values: Any) -> None:
    standings.hold(connection, [submission.assignment_id])
    connection.execute(update(submissions).where(submissions.c.id == submission.id).values(values))
    standings.refresh(connection, [submission.place], returning=[submission.id])


def _at(place: Place) -> ColumnElement[bool]:
    columns = submissions.c.assignment_id, submissions.c.source, submissions.c.student_key
    return and_(*(column == value for column, value in zip(columns, place, strict=True)))


def _select() -> Select[Any]:
    """Submissions, their columns in the order of the fields of `Submission`."""
    elsewhere = {"pseudonym": people.c.pseudonym, "verified_score": evaluations.c.score.label("verified_score")}
    columns = [elsewhere[field.name] if field.name in elsewhere else submissions.c[field.name] for field in _FIELDS]
    known_as = (people.c.source == submissions.c.source) & (people.c.key == submissions.c.student_key)
    return (
        select(*columns)
        .select_from(submissions)
        .outerjoin(people, known_as)
        .outerjoin(evaluations, evaluations.c.id == submissions.c.evaluation_id)
    )


_FIELDS = fields(Submission)
_NO_ID = 2**63 - 1
_SELECT = _select()
# Made once: a student's page is looked at often, and making the statement takes as long as running it.
_OF_STUDENT = (
    _SELECT.where(
        submissions.c.source == bindparam("source"),
        submissions.c.student_key == bindparam("student_key"),
        submissions.c.id < bindparam("before_id"),
    )
    .order_by(submissions.c.id.desc())
    .limit(bindparam("limit", type_=Integer))
)
