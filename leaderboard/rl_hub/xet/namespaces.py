"""Each user's own space of xorbs.

A client remembers, under the address that it sends xorbs to, what it has sent there, and later refers to it without
asking (its "shard cache"). So this address carries a random name that belongs to one user: nobody can refer to
somebody else's xorbs, and with a new name the client refers to nothing that is gone.
"""

import secrets
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from rl_hub import clock
from rl_hub.database import tables
from rl_hub.database.engine import insert_ignore

_spaces = tables.xet_namespaces.c


def current(connection: Connection, user_id: int) -> str:
    """The name of a user's space, which is created if there is none, and counts as used now."""
    row = {"user_id": user_id, "name": secrets.token_hex(16), "last_used_at": clock.now()}
    insert_ignore(connection, tables.xet_namespaces, [row])
    touch(connection, user_id)
    return str(connection.scalar(select(_spaces.name).where(_spaces.user_id == user_id)))


def is_current(connection: Connection, user_id: int, name: str) -> bool:
    """Whether this is the name of the user's space now."""
    return connection.scalar(select(_spaces.name).where(_spaces.user_id == user_id)) == name


def touch(connection: Connection, user_id: int) -> None:
    """Notes that a user's space is in use."""
    connection.execute(update(tables.xet_namespaces).where(_spaces.user_id == user_id).values(last_used_at=clock.now()))


def drop(connection: Connection, name: str) -> None:
    """Gives up a space: its user gets one with a new name. The caller removes its xorbs after the transaction."""
    connection.execute(delete(tables.xet_namespaces).where(_spaces.name == name))


def drop_idle(connection: Connection, older_than: datetime) -> list[str]:
    """Gives up the spaces that were last used before a time.

    An upload that is under way notes its use once in an hour at least (see `access.LIFETIME`), so `older_than` has to
    lie further back.

    Returns:
        Their names, whose xorbs can be removed after the transaction.
    """
    names = [str(name) for name in connection.scalars(select(_spaces.name).where(_spaces.last_used_at < older_than))]
    connection.execute(delete(tables.xet_namespaces).where(_spaces.last_used_at < older_than))
    return names


def known(connection: Connection) -> set[str]:
    """The names of all spaces."""
    return set(connection.scalars(select(_spaces.name)))
