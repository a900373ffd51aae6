"""Asking for what has a score to be evaluated again: a whole board, or what stands first when a season begins.

Within one version of a protocol and one season nobody's games are drawn again, so whatever has played them all is
passed over: it would cost the judge's time and change nothing.
"""

from collections import Counter

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from rl_leaderboard.boards import generations
from rl_leaderboard.boards.cursors import ORDER
from rl_leaderboard.boards.standings import hold
from rl_leaderboard.database.tables import assignments, evaluations, standings, submissions
from rl_leaderboard.jobs import LAST_TURN, Queue
from rl_leaderboard.rules.batches import season_prefix
from rl_leaderboard.submissions.confirmations import confirmation
from rl_units.course import Assignment, Course

FIRST_OF_BOARD = 10
"""So many of each board are judged again when a season begins: what a class looks at first."""

_RESTING = ("received", "scored", "failed")


def queue_board(connection: Connection, queue: Queue, assignment: Assignment, season: str) -> int:
    """Queues every submission that stands on a board and has games left to play in a season.

    Those that are queued or being played already stay as they are. What is known of scores stays until there is a new
    result. It is told as one decision in the audit log, not as an activity for each.

    Returns:
        How many have been queued.
    """
    hold(connection, [assignment.id])
    chosen = submissions.c.id.in_(_standing(assignment.id)) & submissions.c.state.in_(_RESTING)
    return _queue(connection, queue, assignment.id, chosen & ~_has_played_all(assignment, season))


def follow_season(connection: Connection, queue: Queue, course: Course, season: str) -> int:
    """Queues the first of each board that were judged in another season; boards that are frozen stay as they are.

    Returns:
        How many have been queued.
    """
    moving = set(connection.scalars(select(assignments.c.id).where(assignments.c.frozen_at.is_(None))))
    hold(connection, moving)
    count = 0
    for assignment in course.assignments:
        if assignment.id in moving:
            first = _standing(assignment.id).where(standings.c.tier == 0).order_by(*ORDER).limit(FIRST_OF_BOARD)
            measured = evaluations.c.id == submissions.c.evaluation_id
            elsewhen = select(evaluations.c.id).where(measured, ~_is_of(season)).exists()
            chosen = submissions.c.id.in_(first) & (submissions.c.state == "scored") & elsewhen
            count += _queue(connection, queue, assignment.id, chosen)
    return count


def has_played_all(connection: Connection, submission_id: int, assignment: Assignment, season: str) -> bool:
    """Whether judging a submission again would play nothing that it has not played."""
    query = select(submissions.c.id).where(submissions.c.id == submission_id, _has_played_all(assignment, season))
    return connection.scalar(query) is not None


def count_played(connection: Connection, assignment: Assignment, season: str) -> int:
    """How many of the submissions on a board have played all their games of a season."""
    here = submissions.c.id.in_(_standing(assignment.id))
    query = select(func.count()).select_from(submissions).where(here, _has_played_all(assignment, season))
    return connection.scalar(query) or 0


def count_states(connection: Connection, assignment_id: str) -> Counter[str]:
    """How many of the submissions on a board are in which state."""
    here = standings.c.assignment_id == assignment_id
    counted = (
        select(submissions.c.state, func.count().label("number"))
        .join_from(standings, submissions, submissions.c.id == standings.c.submission_id)
        .where(here)
        .group_by(submissions.c.state)
    )
    return Counter({row.state: row.number for row in connection.execute(counted)})


def _standing(assignment_id: str) -> Select[tuple[int]]:
    return select(standings.c.submission_id).where(standings.c.assignment_id == assignment_id)


def _queue(connection: Connection, queue: Queue, assignment_id: str, chosen: ColumnElement[bool]) -> int:
    statement = update(submissions).where(chosen).values(state="queued", reason="").returning(submissions.c.id)
    numbers = sorted(connection.scalars(statement))
    for number in numbers:
        # After whoever hands something in meanwhile: their score is known.
        queue.enqueue(connection, number, turn=LAST_TURN)
    if numbers:
        generations.bump(connection, [assignment_id])
    return len(numbers)


def _has_played_all(assignment: Assignment, season: str) -> ColumnElement[bool]:
    """Submissions whose score is of this season, and confirmed if it passes; one that has failed may be tried again."""
    played = select(evaluations.c.id).where(evaluations.c.id == submissions.c.evaluation_id, _is_of(season))
    if assignment.threshold is not None:
        # What passes now may not have passed when it was judged.
        played = played.where((evaluations.c.score < assignment.threshold) | confirmation().is_not(None))
    return (submissions.c.state == "scored") & played.exists()


def _is_of(season: str) -> ColumnElement[bool]:
    return evaluations.c.batch.startswith(season_prefix(season))
