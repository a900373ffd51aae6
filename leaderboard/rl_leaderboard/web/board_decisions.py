"""What teachers of the site decide about boards, each decision written into the audit log."""

from sqlalchemy import Connection

from rl_leaderboard.audit import log
from rl_leaderboard.boards import assignments
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.people.people import Person
from rl_leaderboard.submissions import rejudging
from rl_units.course import Assignment


def change(
    connection: Connection, teacher: Person, assignment_id: str, *, counting: str, quota_per_day: int | None
) -> None:
    """Changes what counts and how much is taken in a day; what stays as it is is no decision.

    Raises:
        BadRequest: If a value is not allowed.
        NotFound: If the course has none of this id.
    """
    before = assignments.get(connection, assignment_id)
    if (counting, quota_per_day) != (before.counting, before.quota_per_day):
        assignments.change(connection, assignment_id, counting=counting, quota_per_day=quota_per_day)
        log.record(connection, teacher, "board.change", assignment_id, counting=counting, quota_per_day=quota_per_day)


def freeze(connection: Connection, teacher: Person, assignment_id: str) -> None:
    """Lets the board stay as it is, if it moves.

    Raises:
        NotFound: If the course has none of this id.
    """
    if assignments.get(connection, assignment_id).frozen_at is None:
        assignments.freeze(connection, assignment_id)
        log.record(connection, teacher, "board.freeze", assignment_id)


def thaw(connection: Connection, teacher: Person, assignment_id: str) -> None:
    """Lets the board move again, if it is frozen.

    Raises:
        NotFound: If the course has none of this id.
    """
    if assignments.get(connection, assignment_id).frozen_at is not None:
        assignments.thaw(connection, assignment_id)
        log.record(connection, teacher, "board.thaw", assignment_id)


def rejudge(connection: Connection, classroom: Classroom, teacher: Person, assignment: Assignment) -> int:
    """Asks for everything to be judged again that stands on the board and has games left to play in this season.

    Returns:
        How many have been queued; none is no decision.
    """
    queued = rejudging.queue_board(connection, classroom.queue, assignment, classroom.settings.season)
    if queued:
        log.record(connection, teacher, "board.rejudge", assignment.id, queued=queued)
    return queued
