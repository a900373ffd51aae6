"""Access tokens: what a client sends instead of a password."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select

from rl_hub import clock
from rl_hub.accounts import memberships
from rl_hub.accounts.identity import Identity, Role
from rl_hub.database.tables import accounts, tokens
from rl_hub.errors import BadRequest, Conflict, NotFound

# The client refuses tokens that begin with `api_org`; `hf_` is what people recognise.
PREFIX = "hf_"
LONGEST_NAME = 64
MOST_PER_USER = 100
_LONGEST = 256


@dataclass(frozen=True)
class Token:
    """What is known of a token after it was shown."""

    id: int
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None


def create(connection: Connection, user_id: int, name: str, role: Role, expires_at: datetime | None = None) -> str:
    """Makes a token.

    Returns:
        The token itself: 256 random bits that only this call knows; the database keeps a digest.

    Raises:
        BadRequest: If the name or the role cannot be accepted, or the expiry has passed.
        Conflict: If the user has a token of this name, or too many.
    """
    _check(name, role, expires_at)
    connection.execute(delete(tokens).where(tokens.c.user_id == user_id, tokens.c.expires_at < clock.now()))
    names = set(connection.execute(select(tokens.c.name).where(tokens.c.user_id == user_id)).scalars())
    if name in names:
        raise Conflict(f"There is a token named {name!r} already: take another name, or delete that one first.")
    if len(names) >= MOST_PER_USER:
        raise Conflict(f"There are {MOST_PER_USER} tokens already, and no more are allowed: delete some first.")
    return _insert(connection, user_id, name, role, expires_at)
