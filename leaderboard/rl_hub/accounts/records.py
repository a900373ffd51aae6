"""What users and organisations have in common: a name that nobody else has, a full name, and repositories."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from rl_hub import clock
from rl_hub.database.tables import accounts, repositories
from rl_hub.errors import BadRequest, Conflict
from rl_hub.names import LONGEST_NAME, shown

LONGEST_FULL_NAME = 128


def key(name: str) -> str:
    """What names are compared by: without regard to case.

    What cannot be a name, and might not even be sent to a database, has the key of no account.
    """
    return name.lower() if len(name) <= LONGEST_NAME and name.isascii() and name.isprintable() else ""


def check_full_name(text: str) -> str:
    """A name as people write theirs, without what a page or a terminal cannot show.

    Raises:
        BadRequest: If it is too long or has control characters.
    """
    text = unicodedata.normalize("NFC", text.strip())
    if len(text) > LONGEST_FULL_NAME or not text.isprintable():
        raise BadRequest(f"A full name has at most {LONGEST_FULL_NAME} characters, all of them printable.")
    return text


def add(connection: Connection, name: str, kind: str, values: Mapping[str, Any]) -> int:
    """Adds an account of a name that the caller has checked.

    Returns:
        Its key.

    Raises:
        Conflict: If the name is taken, whatever its case.
    """
    row = {"name": name, "key": key(name), "kind": kind, "created_at": clock.now(), **values}
    try:
        with connection.begin_nested():
            return int(connection.execute(insert(accounts).values(row).returning(accounts.c.id)).scalar_one())
    except IntegrityError as error:
        raise Conflict(f"The name {shown(name)} is taken.") from error


def remove(connection: Connection, account_id: int, name: str) -> None:
    """Removes an account with everything that has no sense without it.

    Raises:
        Conflict: If it still owns repositories.
    """
    owned = connection.execute(select(func.count()).where(repositories.c.owner_id == account_id)).scalar_one()
    if owned:
        noun = "repository" if owned == 1 else "repositories"
        raise Conflict(f"{name} still has {owned} {noun}: delete or move what is there first.")
    connection.execute(delete(accounts).where(accounts.c.id == account_id))


def count_repositories(connection: Connection, owner_id: int, *, include_private: bool) -> dict[str, int]:
    """How many models, datasets and spaces an account owns."""
    query = select(repositories.c.kind, func.count()).where(repositories.c.owner_id == owner_id)
    if not include_private:
        query = query.where(~repositories.c.private)
    counts = dict.fromkeys(("model", "dataset", "space"), 0)
    return counts | dict(connection.execute(query.group_by(repositories.c.kind)).all())
