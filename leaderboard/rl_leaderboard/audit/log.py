"""The audit log: what teachers and administrators decided, kept for good."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select

from rl_hub import clock
from rl_leaderboard.database.tables import audit_entries
from rl_leaderboard.people.people import Person

# No account's name has a space in it.
_OPERATOR = "the operator"
_OF_TEACHERS = ("board.", "certificate.", "submission.")


@dataclass(frozen=True)
class Entry:
    """A decision.

    Attributes:
        id: Grows from one to the next.
        actor_name: Who.
        action: What, as a word with dots: `board.freeze`.
        subject: On what.
        details: What else is worth knowing.
        created_at: When.
    """

    id: int
    actor_name: str
    action: str
    subject: str
    details: Mapping[str, Any]
    created_at: datetime


def record(
    connection: Connection,
    actor: Person | None,
    action: str,
    subject: str,
    *,
    class_id: int | None = None,
    **details: Any,
) -> None:
    """Writes a decision, in the transaction that carries it out; None is whoever types commands on the machine."""
    row = {
        "actor_id": None if actor is None else actor.id,
        "actor_name": _OPERATOR if actor is None else actor.name,
        "action": action,
        "subject": subject,
        "class_id": class_id,
        "details": json.dumps(details, ensure_ascii=False, default=str),
        "created_at": clock.now(),
    }
    connection.execute(insert(audit_entries).values(row))


def latest(
    connection: Connection,
    limit: int,
    *,
    before_id: int | None = None,
    class_id: int | None = None,
    of_teachers: bool = False,
) -> Sequence[Entry]:
    """The newest decisions first.

    Args:
        connection: A transaction.
        limit: How many.
        before_id: Only those before this one.
        class_id: Only those of one class.
        of_teachers: Only those that every teacher of the site may take: of boards, submissions and certificates.
    """
    query = select(audit_entries).order_by(audit_entries.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(audit_entries.c.id < before_id)
    if class_id is not None:
        query = query.where(audit_entries.c.class_id == class_id)
    if of_teachers:
        query = query.where(or_(*(audit_entries.c.action.startswith(kind) for kind in _OF_TEACHERS)))
    return [
        Entry(row.id, row.actor_name, row.action, row.subject, json.loads(row.details), row.created_at)
        for row in connection.execute(query)
    ]
