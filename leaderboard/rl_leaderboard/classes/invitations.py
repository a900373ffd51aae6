"""Invitations: links by which people join a class, for a while."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, delete, func, insert, select

from rl_hub import clock
from rl_leaderboard.classes.members import ROLES
from rl_leaderboard.database.tables import classes, invitations
from rl_leaderboard.errors import BadRequest, Conflict, NotFound
from rl_leaderboard.people.visitor import ClassRole

LONGEST_DAYS = 365
MOST_INVITATIONS = 50
_CODE_BYTES = 16  # too many to try
_LONGEST_CODE = 32


@dataclass(frozen=True)
class Invitation:
    """A link into a class.

    Attributes:
        code: The secret part of the address.
        class_id: Where it leads.
        class_name: What that class is called.
        role: What whoever follows it becomes.
        created_at: When it was made.
        expires_at: Until when it is good.
    """

    code: str
    class_id: int
    class_name: str
    role: ClassRole
    created_at: datetime
    expires_at: datetime


def create(connection: Connection, class_id: int, *, role: str, days: int) -> Invitation:
    """Makes an invitation; those of the class that have expired are removed.

    Args:
        connection: A transaction that writes.
        class_id: Where it leads.
        role: student or teacher.
        days: For how long it is good, from 1 to a year.

    Raises:
        BadRequest: If a value is not allowed.
        Conflict: If the class has too many already.
    """
    if role not in ROLES:
        raise BadRequest(f"A role in a class is one of {', '.join(ROLES)}.")
    if not 1 <= days <= LONGEST_DAYS:
        raise BadRequest(f"An invitation is good for 1 to {LONGEST_DAYS} days.")
    now = clock.now()
    here = invitations.c.class_id == class_id
    connection.execute(delete(invitations).where(here, invitations.c.expires_at <= now))
    if (connection.scalar(select(func.count()).select_from(invitations).where(here)) or 0) >= MOST_INVITATIONS:
        raise Conflict(f"A class has at most {MOST_INVITATIONS} invitations: revoke one first.")
    code = secrets.token_urlsafe(_CODE_BYTES)
    row = {
        "code": code,
        "class_id": class_id,
        "role": role,
        "created_at": now,
        "expires_at": now + timedelta(days=days),
    }
    connection.execute(insert(invitations).values(row))
    return find(connection, code)


def find(connection: Connection, code: str) -> Invitation:
    """The invitation of a code.

    Raises:
        NotFound: If it was never given out, has expired or was revoked, or its class is archived.
    """
    found = None
    # PostgreSQL refuses some of the texts that an address may hold.
    if code.isascii() and code.isprintable() and len(code) <= _LONGEST_CODE:
        valid = (invitations.c.expires_at > clock.now()) & classes.c.archived_at.is_(None)
        found = connection.execute(_SELECT.where(invitations.c.code == code, valid)).one_or_none()
    if found is None:
        raise NotFound("This invitation is not valid, or not any more. Ask your teacher for a new one.")
    return _invitation(found)


def list_of_class(connection: Connection, class_id: int) -> Sequence[Invitation]:
    """The invitations of a class that are still good, the last to expire first."""
    good = (invitations.c.class_id == class_id) & (invitations.c.expires_at > clock.now())
    order = invitations.c.expires_at.desc(), invitations.c.code
    return [_invitation(row) for row in connection.execute(_SELECT.where(good).order_by(*order))]


def revoke(connection: Connection, class_id: int, code: str) -> Invitation:
    """Makes an invitation of a class worthless, and returns what it was.

    Raises:
        NotFound: If the class has none of this code that is still good.
    """
    invitation = find(connection, code)
    if invitation.class_id != class_id:
        raise NotFound("This class has no such invitation.")
    connection.execute(delete(invitations).where(invitations.c.code == code))
    return invitation


_SELECT = select(invitations, classes.c.name.label("class_name")).join_from(
    invitations, classes, classes.c.id == invitations.c.class_id
)


def _invitation(row: Row[tuple[object, ...]]) -> Invitation:
    return Invitation(**{name: getattr(row, name) for name in Invitation.__dataclass_fields__})
