"""Sessions: how a browser stays signed in, and how a form shows that it comes from our own page."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from rl_hub import clock
from rl_hub.accounts import organisations
from rl_hub.accounts.identity import Identity
from rl_hub.database.tables import accounts, sessions
from rl_hub.errors import Forbidden

COOKIE = "rl_hub_session"
LIFETIME = timedelta(days=14)
Cookie = Literal["session", "anonymous"]
"""Which cookie a form is bound to. One kind's token is never good for the other: of the cookie of somebody who is not
signed in, the browser itself may choose the value."""


@dataclass(frozen=True)
class Session:
    """A session that has just begun.

    Attributes:
        id: 256 random bits for the cookie; the database keeps a digest.
        expires_at: When the person has to sign in again.
    """

    id: str = field(repr=False)
    expires_at: datetime


def create(connection: Connection, user_id: int) -> Session:
    """Begins a session; those that are over are removed."""
    now = clock.now()
    connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
    session = Session(secrets.token_urlsafe(32), now + LIFETIME)
    connection.execute(
        insert(sessions).values(
            digest=_digest(session.id), user_id=user_id, created_at=now, expires_at=session.expires_at
        )
    )
    return session


def identify(connection: Connection, session_id: str) -> Identity | None:
    """Who is signed in by this cookie; None if nobody, or nobody any more."""
    query = (
        select(accounts.c.id, accounts.c.name, accounts.c.is_admin)
        .join_from(sessions, accounts, sessions.c.user_id == accounts.c.id)
        .where(sessions.c.digest == _digest(session_id), sessions.c.expires_at > clock.now())
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Identity(
        user_id=row.id,
        name=row.name,
        role="write",
        is_admin=row.is_admin,
        organisations=organisations.roles_of(connection, row.id),
        via="session",
    )


def remove(connection: Connection, session_id: str) -> None:
    """Ends a session."""
    connection.execute(delete(sessions).where(sessions.c.digest == _digest(session_id)))


def form_token(secret: bytes, cookie: Cookie, value: str) -> str:
    """What a form carries in a hidden field, bound to a cookie: nobody can compute it without the Hub's secret."""
    return hmac.new(secret, f"form:{cookie}:".encode() + _bytes(value), hashlib.sha256).hexdigest()


def check_form_token(secret: bytes, cookie: Cookie, value: str, token: str) -> None:
    """Accepts the token of a form.

    Raises:
        Forbidden: If it belongs to another cookie or to none at all.
    """
    if not hmac.compare_digest(_bytes(form_token(secret, cookie, value)), _bytes(token)):
        raise Forbidden("This form is out of date: go back, reload the page and send it again.")


def _digest(session_id: str) -> str:
    return hashlib.sha256(_bytes(session_id)).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")
