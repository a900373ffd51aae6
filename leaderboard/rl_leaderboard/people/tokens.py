"""Access tokens of the classroom: what a program sends instead of signing in."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, delete, func, insert, or_, select

from rl_hub import clock
from rl_leaderboard.database.tables import people, tokens
from rl_leaderboard.errors import BadRequest, Conflict, NotFound
from rl_leaderboard.people.people import Person, to_person
from rl_leaderboard.people.sessions import digest

Role = Literal["read", "write"]
PREFIX = "rlc_"
LONGEST_NAME = 64
MOST_PER_PERSON = 50


@dataclass(frozen=True)
class Token:
    """What is known of a token once it was shown."""

    id: int
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None


def create(
    connection: Connection,
    person_id: int,
    name: str,
    role: str,
    expires_at: datetime | None = None,
    *,
    newest_known: int | None = None,
) -> str:
    """Makes a token.

    Args:
        connection: The transaction.
        person_id: Whose it is.
        name: What they call it.
        role: read or write.
        expires_at: When it ends, if it does.
        newest_known: The newest token that the person knew of when asking for this one, 0 for none; another one since
            then came of the same form, sent twice. None leaves this out.

    Returns:
        The token itself, 256 random bits. Nobody can see it again: the database keeps a digest.

    Raises:
        BadRequest: If the name or the role cannot be accepted.
        Conflict: If the person has too many tokens, or another one since.
    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadRequest(f"A token's name has 1 to {LONGEST_NAME} printable characters.")
    if role not in ("read", "write"):
        raise BadRequest("A token is for reading (read) or for writing as well (write).")
    connection.execute(select(people.c.id).where(people.c.id == person_id).with_for_update())
    mine = select(func.count(), func.coalesce(func.max(tokens.c.id), 0)).where(tokens.c.person_id == person_id)
    count, newest = connection.execute(mine).one()
    if newest_known is not None and newest != newest_known:
        raise Conflict(
            "Your tokens have changed since this page was loaded, so no token was made. If you want one more, send the "
            "form again."
        )
    if count >= MOST_PER_PERSON:
        raise Conflict(f"There are {MOST_PER_PERSON} tokens already: delete one first.")
    token = PREFIX + secrets.token_urlsafe(32)
    row = {"name": name, "role": role, "digest": digest(token), "expires_at": expires_at}
    connection.execute(insert(tokens).values(person_id=person_id, created_at=clock.now(), **row))
    return token


def list_tokens(connection: Connection, person_id: int) -> list[Token]:
    """A person's tokens, newest first."""
    columns = (tokens.c.id, tokens.c.name, tokens.c.role, tokens.c.created_at, tokens.c.expires_at)
    query = select(*columns).where(tokens.c.person_id == person_id).order_by(tokens.c.id.desc())
    return [Token(*row) for row in connection.execute(query)]


def remove(connection: Connection, person_id: int, token_id: int) -> None:
    """Removes one of a person's tokens.

    Raises:
        NotFound: If the person has no such token.
    """
    mine = (tokens.c.person_id == person_id) & (tokens.c.id == token_id)
    if not connection.execute(delete(tokens).where(mine)).rowcount:
        raise NotFound("There is no such token: it may have been deleted already.")


def identify(connection: Connection, token: str) -> tuple[Person, Role] | None:
    """Who a token belongs to and what it allows; None if it is unknown or has expired."""
    valid = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > clock.now())
    query = (
        select(people, tokens.c.role.label("token_role"))
        .join_from(tokens, people, tokens.c.person_id == people.c.id)
        .where(tokens.c.digest == digest(token), valid)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (to_person(row), row.token_role)
