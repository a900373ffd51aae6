"""What happens in the classroom, written in the transaction that makes it true, and told to everybody who looks on.

A payload holds what anybody may see: `student` (never the name behind a pseudonym), `agent`, `assignment`, `score`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select

from rl_hub import clock
from rl_hub.events.order import keep_order
from rl_leaderboard.activity import subscriptions
from rl_leaderboard.database.tables import activities

Kind = Literal["received", "queued", "running", "scored", "failed", "certified"]
KINDS: tuple[Kind, ...] = ("received", "queued", "running", "scored", "failed", "certified")
RECORDED = "recorded activity"
"""Where a transaction's `connection.info` says that there is news."""


@dataclass(frozen=True)
class Activity:
    """Something that happened.

    Attributes:
        id: Grows from one to the next.
        kind: What.
        assignment_id: Where, if it belongs to an assignment.
        submission_id: The submission, which may be gone by now.
        payload: What anybody may see.
        created_at: When.
    """

    id: int
    kind: Kind
    assignment_id: str | None
    submission_id: int | None
    payload: Mapping[str, Any]
    created_at: datetime


def record(
    connection: Connection,
    kind: Kind,
    payload: Mapping[str, Any],
    *,
    assignment_id: str | None = None,
    submission_id: int | None = None,
    person_id: int | None = None,
) -> int:
    """Writes what happened, and a delivery to each webhook that asks for it; call it last in the transaction.

    Returns:
        The activity's id.
    """
    # Ids become visible in their order, so that whoever has seen one has seen all before it.
    keep_order(connection)
    row = {
        "kind": kind,
        "assignment_id": assignment_id,
        "submission_id": submission_id,
        "person_id": person_id,
        "payload": json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
        "created_at": clock.now(),
    }
    number = int(connection.execute(insert(activities).values(row).returning(activities.c.id)).scalar_one())
    subscriptions.enqueue(connection, kind, number)
    connection.info[RECORDED] = True
    return number


def after(connection: Connection, activity_id: int, limit: int) -> list[Activity]:
    """What followed an activity, oldest first."""
    return _read(connection, activities.c.id > activity_id, limit, newest_first=False)


def latest(connection: Connection, limit: int) -> list[Activity]:
    """What happened last, newest first."""
    return _read(connection, activities.c.id > 0, limit, newest_first=True)


def newest_id(connection: Connection) -> int:
    """The id of the last activity; 0 if there is none."""
    return connection.scalar(select(func.max(activities.c.id))) or 0


def _read(connection: Connection, where: ColumnElement[bool], limit: int, *, newest_first: bool) -> list[Activity]:
    order = activities.c.id.desc() if newest_first else activities.c.id
    return [_activity(row) for row in connection.execute(select(activities).where(where).order_by(order).limit(limit))]


def _activity(row: Row[Any]) -> Activity:
    return Activity(row.id, row.kind, row.assignment_id, row.submission_id, json.loads(row.payload), row.created_at)
