"""What the course says of assignments, and what teachers decide about them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, func, insert, select, update

from rl_hub import clock
from rl_hub.database.engine import Database
from rl_leaderboard.boards import generations, standings
from rl_leaderboard.database.tables import assignments, evaluations, submissions
from rl_leaderboard.errors import BadRequest, NotFound
from rl_units.course import Assignment, Course

Counting = Literal["best", "latest", "declared"]
COUNTINGS: tuple[Counting, ...] = ("best", "latest", "declared")
MOST_A_DAY = 1000


@dataclass(frozen=True)
class AssignmentSettings:
    """What teachers decide about an assignment.

    Attributes:
        id: The assignment.
        protocol_version: The version under which scores count.
        counting: Which of a student's submissions stands on the board: the best, the latest, or the one that the
            student declares.
        quota_per_day: Submissions of a student that are taken in a day (UTC); None for no limit.
        frozen_at: Since when the board stays as it is; None while it moves.
    """

    id: str
    protocol_version: int
    counting: Counting
    quota_per_day: int | None
    frozen_at: datetime | None


def follow_course(database: Database, course: Course) -> None:
    """Takes over the course's assignments; boards whose protocol has a new version are made anew."""
    with database.read() as connection:
        known = {row.id: row.protocol_version for row in connection.execute(select(assignments))}
    wanted = {assignment.id: assignment.protocol.version for assignment in course.assignments}
    if all(known.get(name) == version for name, version in wanted.items()):
        return
    with database.write() as connection:
        database.lock_schema(connection)
        for name, version in wanted.items():
            row = connection.execute(select(assignments).where(assignments.c.id == name)).one_or_none()
            if row is None:
                connection.execute(insert(assignments).values(id=name, protocol_version=version, counting="best"))
            elif row.protocol_version != version:
                _change_protocol(connection, name, version)


def get(connection: Connection, assignment_id: str) -> AssignmentSettings:
    """The settings of an assignment.

    Raises:
        NotFound: If the course has none of this id.
    """
    row = connection.execute(select(assignments).where(assignments.c.id == assignment_id)).one_or_none()
    if row is None:
        raise NotFound("The course has no such assignment.")
    return AssignmentSettings(*row)


def by_id(course: Course, assignment_id: str) -> Assignment:
    """An assignment of the course.

    Raises:
        NotFound: If there is none of this id.
    """
    for assignment in course.assignments:
        if assignment.id == assignment_id:
            return assignment
    raise NotFound("The course has no such assignment.")


def change(connection: Connection, assignment_id: str, *, counting: str, quota_per_day: int | None) -> None:
    """Changes what counts and how much is taken; the board is made anew.

    Raises:
        BadRequest: If a value is not allowed.
        NotFound: If the course has none of this id.
    """
    if counting not in COUNTINGS:
        raise BadRequest(f"What counts is one of {', '.join(COUNTINGS)}.")
    if quota_per_day is not None and not 1 <= quota_per_day <= MOST_A_DAY:
        raise BadRequest(f"A quota is a number from 1 to {MOST_A_DAY} submissions a day, or empty for none.")
    get(connection, assignment_id)
    values = {"counting": counting, "quota_per_day": quota_per_day}
    connection.execute(update(assignments).where(assignments.c.id == assignment_id).values(values))
    standings.rebuild(connection, assignment_id)


def freeze(connection: Connection, assignment_id: str) -> None:
    """Lets the board stay as it is, whatever arrives."""
    get(connection, assignment_id)
    connection.execute(update(assignments).where(assignments.c.id == assignment_id).values(frozen_at=clock.now()))
    generations.bump(connection, [assignment_id])


def thaw(connection: Connection, assignment_id: str) -> None:
    """Lets the board follow what has arrived."""
    get(connection, assignment_id)
    connection.execute(update(assignments).where(assignments.c.id == assignment_id).values(frozen_at=None))
    _count_newest(connection, assignment_id)
    standings.rebuild(connection, assignment_id)


def _count_newest(connection: Connection, assignment_id: str) -> None:
    """Lets the newest evaluation of each submission count that has one under the current protocol."""
    version = select(assignments.c.protocol_version).where(assignments.c.id == assignment_id).scalar_subquery()
    newest = select(func.max(evaluations.c.id)).where(
        evaluations.c.submission_id == submissions.c.id, evaluations.c.protocol_version == version
    )
    mine = (submissions.c.assignment_id == assignment_id) & submissions.c.evaluation_id.is_not(None)
    connection.execute(update(submissions).where(mine).values(evaluation_id=newest.scalar_subquery()))


def _change_protocol(connection: Connection, assignment_id: str, version: int) -> None:
    """Scores of another version are never ranked with those of this one."""
    connection.execute(update(assignments).where(assignments.c.id == assignment_id).values(protocol_version=version))
    mine = submissions.c.assignment_id == assignment_id
    connection.execute(update(submissions).where(mine).values(evaluation_id=None))
    connection.execute(update(submissions).where(mine, submissions.c.state == "scored").values(state="received"))
    standings.rebuild(connection, assignment_id)
