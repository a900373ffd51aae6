"""Retractions of several submissions at once, and what waits for a teacher because of one."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select, update

from rl_hub import clock
from rl_leaderboard.boards import standings
from rl_leaderboard.database.tables import submissions
from rl_leaderboard.submissions import submissions as records
from rl_leaderboard.submissions.submissions import Submission


def retract_repository(connection: Connection, submission: Submission, reason: str) -> int:
    """Takes a submission off the board, and what its student handed in of the same repository for the assignment.

    So no other commit of the same work takes its place. Only the submission itself lets later ones wait: each of the
    others is put back alone.

    Args:
        connection: A transaction that writes.
        submission: Which.
        reason: For the student.

    Returns:
        How many others were on the board or waited for a teacher until now.
    """
    standings.hold(connection, [submission.assignment_id])
    mine = (submissions.c.source == submission.source) & (submissions.c.student_key == submission.student_key)
    others = mine & (
        (submissions.c.repo_key == submission.repo_id.lower())
        & (submissions.c.assignment_id == submission.assignment_id)
        & (submissions.c.id != submission.id)
    )
    still = submissions.c.retracted_at.is_(None) | (submissions.c.review == "pending")
    values = {"retracted_at": clock.now(), "retraction": reason, "review": ""}
    changed = connection.execute(update(submissions).where(others, still).values(values)).rowcount
    records.retract(connection, submission, reason)
    return changed


def list_waiting(connection: Connection, *, limit: int) -> tuple[Sequence[Submission], int]:
    """What waits for a teacher, the newest first, and how much it is in all; without what is gone."""
    waiting = (submissions.c.review == "pending") & submissions.c.gone_at.is_(None)
    count = connection.scalar(select(func.count()).select_from(submissions).where(waiting)) or 0
    newest = select(submissions.c.id).where(waiting).order_by(submissions.c.id.desc()).limit(limit)
    return [records.get(connection, number) for number in connection.scalars(newest).all()], count
