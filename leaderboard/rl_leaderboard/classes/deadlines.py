"""Deadlines: when a class expects its assignments."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select

from rl_hub.database.engine import upsert
from rl_leaderboard.database.tables import deadlines


def read(connection: Connection, class_id: int) -> Mapping[str, datetime]:
    """The deadlines of a class by assignment; assignments without one are missing."""
    query = select(deadlines.c.assignment_id, deadlines.c.due_at).where(deadlines.c.class_id == class_id)
    return {row.assignment_id: row.due_at for row in connection.execute(query)}


def change(
    connection: Connection, class_id: int, wished: Mapping[str, datetime | None]
) -> Mapping[str, datetime | None]:
    """Sets deadlines, or takes them back.

    Args:
        connection: A transaction that writes.
        class_id: Whose.
        wished: For assignments of the course, the new deadline or None for no deadline; others stay.

    Returns:
        Those that have changed.
    """
    known = read(connection, class_id)
    changed = {name: due_at for name, due_at in wished.items() if known.get(name) != due_at}
    gone = [name for name, due_at in changed.items() if due_at is None]
    if gone:
        connection.execute(
            delete(deadlines).where(deadlines.c.class_id == class_id, deadlines.c.assignment_id.in_(gone))
        )
    rows = [
        {"class_id": class_id, "assignment_id": name, "due_at": due_at}
        for name, due_at in changed.items()
        if due_at is not None
    ]
    upsert(connection, deadlines, rows)
    return changed
