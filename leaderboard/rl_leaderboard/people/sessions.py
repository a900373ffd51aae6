"""Sessions: how a browser stays signed in. The server keeps them; the cookie is a random number."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from rl_hub import clock
from rl_leaderboard.database.tables import people, sessions
from rl_leaderboard.people.people import Person, to_person

# Made once: every page of somebody who is signed in begins with it.
_FIND = (
    select(people, sessions.c.epoch)
    .join_from(sessions, people, sessions.c.person_id == people.c.id)
    .where(sessions.c.digest == bindparam("session"), sessions.c.expires_at > bindparam("now"))
)

COOKIE = "rl_classroom_session"
LIFETIME = timedelta(days=14)


@dataclass(frozen=True)
class Session:
    """A session that has just begun.

    Attributes:
        id: 256 random bits for the cookie; the database keeps a digest.
        expires_at: When the person has to sign in again.
    """

    id: str = field(repr=False)
    expires_at: datetime


def create(connection: Connection, person_id: int, epoch: str = "") -> Session:
    """Begins a session, always with a new number; those that are over are removed.

    Args:
        connection: A transaction that writes.
        person_id: Whose session.
        epoch: What it ends with: the session is over when `epoch_of` the person's password is no longer this.
    """
    now = clock.now()
    connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
    session = Session(secrets.token_urlsafe(32), now + LIFETIME)
    row = {"digest": digest(session.id), "person_id": person_id, "epoch": epoch}
    connection.execute(insert(sessions).values(**row, created_at=now, expires_at=session.expires_at))
    return session


def identify(connection: Connection, session_id: str) -> Person | None:
    """Who is signed in by this cookie; None if nobody, or nobody any more."""
    found = find(connection, session_id)
    return None if found is None else found[0]


def find(connection: Connection, session_id: str) -> tuple[Person, str] | None:
    """Who is signed in by this cookie, and the session's epoch."""
    row = connection.execute(_FIND, {"session": digest(session_id), "now": clock.now()}).one_or_none()
    return None if row is None else (to_person(row), row.epoch)


def epoch_of(password_hash: str | None) -> str:
    """What a session remembers of the password that it was begun with: a digest, empty without a password."""
    return digest(password_hash) if password_hash else ""


def remove(connection: Connection, session_id: str) -> None:
    """Ends a session."""
    connection.execute(delete(sessions).where(sessions.c.digest == digest(session_id)))


def remove_all(connection: Connection, person_id: int) -> None:
    """Ends every session of a person."""
    connection.execute(delete(sessions).where(sessions.c.person_id == person_id))


def count(connection: Connection, person_id: int) -> int:
    """In how many browsers a person is signed in."""
    mine = (sessions.c.person_id == person_id) & (sessions.c.expires_at > clock.now())
    return connection.scalar(select(func.count()).select_from(sessions).where(mine)) or 0


def digest(secret: str) -> str:
    """What the database keeps of a secret."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
