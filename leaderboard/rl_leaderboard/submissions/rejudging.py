"""Asking for a whole board to be evaluated again."""

from collections import Counter

from sqlalchemy import Connection, func, select, update

from rl_leaderboard.boards import generations
from rl_leaderboard.boards.standings import hold
from rl_leaderboard.database.tables import standings, submissions
from rl_leaderboard.jobs import LAST_TURN, Queue

_RESTING = ("received", "scored", "failed")


def queue_board(connection: Connection, queue: Queue, assignment_id: str) -> int:
    """Queues every submission that stands on a board; those that are queued or being played already stay as they are.

    What is known of their scores stays until there is a new result. It is told as one decision in the audit log, not
    as an activity for each.

    Returns:
        How many have been queued.
    """
    hold(connection, [assignment_id])
    standing = select(standings.c.submission_id).where(standings.c.assignment_id == assignment_id)
    chosen = submissions.c.id.in_(standing) & submissions.c.state.in_(_RESTING)
    statement = update(submissions).where(chosen).values(state="queued", reason="").returning(submissions.c.id)
    numbers = sorted(connection.scalars(statement))
    for number in numbers:
        # After whoever hands something in meanwhile: their score is known.
        queue.enqueue(connection, number, turn=LAST_TURN)
    generations.bump(connection, [assignment_id])
    return len(numbers)


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
