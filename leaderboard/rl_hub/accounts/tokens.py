"""Access tokens: what a client sends instead of a password."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select

from rl_hub import clock
from rl_hub.accounts import organisations
from rl_hub.accounts.identity import Identity, Role
from rl_hub.database.tables import accounts, tokens
from rl_hub.errors import BadRequest, Conflict, NotFound

# What people recognise a token by. The client refuses those that begin with `api_org`.
PREFIX = "hf_"
LONGEST_NAME = 64
MOST_PER_USER = 100
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Token:
    """What is known of a token once it was shown."""

    id: int
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None


def create(connection: Connection, user_id: int, name: str, role: Role, expires_at: datetime | None = None) -> str:
    """Makes a token.

    Args:
        connection: A transaction that writes.
        user_id: Whose token.
        name: What the user's list of tokens shows; a number is put behind it if there is one of this name.
        role: What the token allows.
        expires_at: When it ends; None for never.

    Returns:
        The token itself, 256 random bits. Nobody can see it again: the database keeps a digest.

    Raises:
        BadRequest: If the name or the role cannot be accepted, or the expiry has passed.
        Conflict: If the user has too many tokens.
    """
    name = name.strip()
    _check(name, role, expires_at)
    now = clock.now()
    connection.execute(delete(tokens).where(tokens.c.user_id == user_id, tokens.c.expires_at <= now))
    names = connection.execute(select(tokens.c.name).where(tokens.c.user_id == user_id)).scalars().all()
    if len(names) >= MOST_PER_USER:
        raise Conflict(f"There are {MOST_PER_USER} tokens already, and no more are allowed: delete some first.")
    token = PREFIX + secrets.token_urlsafe(32)
    values = {"name": _free(name, names), "role": role, "digest": _digest(token), "expires_at": expires_at}
    connection.execute(insert(tokens).values(user_id=user_id, created_at=now, **values))
    return token


def list_tokens(connection: Connection, user_id: int) -> list[Token]:
    """A user's tokens, newest first, without those that have expired."""
    query = (
        select(tokens.c.id, tokens.c.name, tokens.c.role, tokens.c.created_at, tokens.c.expires_at)
        .where(tokens.c.user_id == user_id, _valid())
        .order_by(tokens.c.id.desc())
    )
    return [Token(*row) for row in connection.execute(query)]


def remove(connection: Connection, user_id: int, token_id: int) -> None:
    """Removes one of a user's tokens; clients that use it are refused from then on.

    Raises:
        NotFound: If the user has no such token.
    """
    removed = connection.execute(delete(tokens).where(tokens.c.user_id == user_id, tokens.c.id == token_id))
    if not removed.rowcount:
        raise NotFound("There is no such token: it may have been deleted already.")


def identify(connection: Connection, token: str) -> Identity | None:
    """Who a token belongs to; None if it is unknown or has expired."""
    query = (
        select(accounts.c.id, accounts.c.name, accounts.c.is_admin, tokens.c.role, tokens.c.name.label("token_name"))
        .join_from(tokens, accounts, tokens.c.user_id == accounts.c.id)
        .where(tokens.c.digest == _digest(token), _valid())
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Identity(
        user_id=row.id,
        name=row.name,
        role=row.role,
        is_admin=row.is_admin,
        organisations=organisations.roles_of(connection, row.id),
        token_name=row.token_name,
        via="token",
    )


def _valid() -> ColumnElement[bool]:
    return or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > clock.now())


def _free(wish: str, taken: Collection[str]) -> str:
    candidates = (wish if number == 1 else f"{wish} ({number})" for number in range(1, len(taken) + 2))
    return next(name for name in candidates if name not in taken)


def _check(name: str, role: Role, expires_at: datetime | None) -> None:
    # The client keeps tokens in an INI file, a section for each name, and there DEFAULT has a meaning of its own.
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or name == "DEFAULT":
        raise BadRequest(f"A token's name has 1 to {LONGEST_NAME} printable characters and is not DEFAULT.")
    if role not in ROLES:
        raise BadRequest(f"There is no role {role!r} for a token: take one of {', '.join(ROLES)}.")
    if expires_at is not None and expires_at <= clock.now():
        raise BadRequest("The token would have expired already: take a later time.")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
