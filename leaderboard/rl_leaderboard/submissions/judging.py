"""Asking the judge: a submission's state and its job in the queue, in one transaction."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, and_, exists, func, select

from rl_leaderboard.database.tables import people, submissions
from rl_leaderboard.jobs import Queue, turn_of
from rl_leaderboard.people.people import HUB
from rl_leaderboard.submissions import submissions as records
from rl_leaderboard.submissions.submissions import Submission

UNFINISHED = ("queued", "running")
"""States of submissions that the judge has to do with."""

_Owner = tuple[str, str]  # the Hub, and the student's key there


def ask(connection: Connection, queue: Queue, submission: Submission) -> None:
    """Asks for an evaluation, the first one or another; what is known so far stays until there is a new result."""
    turn = _turn(connection, submission)
    records.queue(connection, submission)
    queue.enqueue(connection, submission.id, turn=turn)


def mark(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[int | None]:
    """Marks rows of the table `submissions`, not yet in it, that the judge measures as soon as they come.

    Everybody's of the embedded Hub; of another Hub, which may have thousands of agents of strangers, those of people
    who have signed in here.

    Returns:
        The turn of each; None for those that are not measured now.
    """
    owners = {_owner(row) for row in rows}
    judged = _known(connection, owners)
    counts = _unfinished(connection, owners)
    turns: list[int | None] = []
    for row in rows:
        owner = _owner(row)
        if row["state"] != "received" or row["retracted_at"] is not None or owner not in judged:
            turns.append(None)
            continue
        row["state"] = "queued"
        turns.append(turn_of(counts[owner]))
        counts[owner] += 1
    return turns


def catch_up(connection: Connection, queue: Queue, limit: int = 100) -> int:
    """Asks for what nobody has asked for so far, and for what was asked for in a queue that is gone.

    The one came while there was no judge, was taken off the board for a while, or is of somebody who has signed in
    since. The other was restored from a backup without its queue, or is from before another one was chosen.

    Returns:
        How many submissions wait from now on that have not.
    """
    owner_is_known = exists().where(people.c.source == submissions.c.source, people.c.key == submissions.c.student_key)
    standing = submissions.c.gone_at.is_(None), submissions.c.retracted_at.is_(None), ~submissions.c.over_quota
    unasked = and_(
        submissions.c.state == "received",
        submissions.c.evaluation_id.is_(None),
        *standing,
        (submissions.c.source == HUB) | owner_is_known,
    )
    # Also what does not count any more: whoever takes the job says that it waits for nothing.
    forgotten = submissions.c.state.in_(UNFINISHED) & ~queue.has_job(submissions.c.id)
    query = select(submissions.c.id).where(unasked | forgotten).order_by(submissions.c.id).limit(limit)
    numbers = connection.scalars(query).all()
    for number in numbers:
        submission = records.get(connection, number)
        turn = _turn(connection, submission)
        # Nobody is told of each: there may be many.
        records.wait(connection, submission)
        queue.enqueue(connection, number, turn=turn)
    return len(numbers)


def _turn(connection: Connection, submission: Submission) -> int:
    owner = (submission.source, submission.student_key)
    return turn_of(_unfinished(connection, {owner})[owner] - (submission.state in UNFINISHED))


def _owner(row: dict[str, Any]) -> _Owner:
    return row["source"], row["student_key"]


def _known(connection: Connection, owners: Collection[_Owner]) -> set[_Owner]:
    keys = {key for source, key in owners if source != HUB}
    query = select(people.c.source, people.c.key).where(people.c.key.in_(keys), people.c.source.is_not(None))
    known = {(row.source, row.key) for row in connection.execute(query)} if keys else set()
    return {owner for owner in owners if owner[0] == HUB or owner in known}


def _unfinished(connection: Connection, owners: Collection[_Owner]) -> Counter[_Owner]:
    """How many submissions of each student wait or are being played."""
    owner = submissions.c.source, submissions.c.student_key
    query = (
        select(*owner, func.count())
        # SQLite finds single columns in an index, and whole keys nowhere.
        .where(submissions.c.source.in_({source for source, _ in owners}))
        .where(submissions.c.student_key.in_({key for _, key in owners}), submissions.c.state.in_(UNFINISHED))
        .group_by(*owner)
    )
    return Counter({(source, key): number for source, key, number in connection.execute(query)})
