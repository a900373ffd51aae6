"""What happens in the classroom, written in the transaction that makes it true, and told to everybody who looks on.

A payload holds what anybody may see: `student` (never the name behind a pseudonym), `agent`, `assignment`, `score`.
Names are not written down: they are read as they are shown now, not as they were when it happened.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select

from rl_hub import clock
from rl_hub.events.order import keep_order
from rl_leaderboard.activity import subscriptions
from rl_leaderboard.database.tables import activities, people, submissions
from rl_leaderboard.errors import NotFound
from rl_leaderboard.rules import names

Kind = Literal["received", "queued", "running", "scored", "failed", "certified"]
KINDS: tuple[Kind, ...] = ("received", "queued", "running", "scored", "failed", "certified")
RECORDED = "recorded activity"
"""Where a transaction's `connection.info` says that there is news."""
ANONYMOUS = "A student"
"""Who has earned a certificate, for others, as long as their progress page is private."""

_holders = people.alias("holders")


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


def get(connection: Connection, activity_id: int) -> Activity:
    """An activity.

    Raises:
        NotFound: If there is none of this id.
    """
    row = connection.execute(_select().where(activities.c.id == activity_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such activity.")
    return _activity(row)


def after(connection: Connection, activity_id: int, limit: int) -> list[Activity]:
    """What followed an activity, oldest first, as far as it may be told."""
    return _read(connection, activity_id, limit, newest_first=False)


def latest(connection: Connection, limit: int, *, after_id: int = 0) -> list[Activity]:
    """What happened last and may be told, newest first; only what followed an activity, if one is given."""
    return _read(connection, after_id, limit, newest_first=True)


def newest_id(connection: Connection) -> int:
    """The id of the last activity; 0 if there is none."""
    return connection.scalar(select(func.max(activities.c.id))) or 0


def _read(connection: Connection, after_id: int, limit: int, *, newest_first: bool) -> list[Activity]:
    order = activities.c.id.desc() if newest_first else activities.c.id
    query = _select().where(activities.c.id > after_id, _may_be_told()).order_by(order).limit(limit)
    return [_activity(row) for row in connection.execute(query)]


def _may_be_told() -> ColumnElement[bool]:
    """What belongs to an agent that was deleted, hidden or retracted is left out."""
    stands = submissions.c.gone_at.is_(None) & submissions.c.retracted_at.is_(None)
    return activities.c.submission_id.is_(None) | (submissions.c.id.is_not(None) & stands)


def _select() -> Select[Any]:
    """Activities, each with its student as others see them now."""
    known_as = (people.c.source == submissions.c.source) & (people.c.key == submissions.c.student_key)
    return (
        select(
            activities,
            submissions.c.repo_id,
            submissions.c.student_name,
            people.c.pseudonym,
            _holders.c.name.label("holder"),
            _holders.c.pseudonym.label("holder_pseudonym"),
            _holders.c.is_public.label("holder_is_public"),
        )
        .outerjoin(submissions, submissions.c.id == activities.c.submission_id)
        .outerjoin(people, known_as)
        .outerjoin(_holders, _holders.c.id == activities.c.person_id)
    )


def _activity(row: Row[Any]) -> Activity:
    payload = json.loads(row.payload)
    if row.repo_id is not None:
        agent = names.shown_agent(row.repo_id, row.pseudonym, row.submission_id)
        payload |= {"student": row.pseudonym or row.student_name, "agent": agent}
    elif row.holder is not None:
        payload["student"] = row.holder_pseudonym or (row.holder if row.holder_is_public else ANONYMOUS)
    return Activity(row.id, row.kind, row.assignment_id, row.submission_id, payload, row.created_at)
