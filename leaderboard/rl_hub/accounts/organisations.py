"""Organisations: a class, a team, a school; each member has a role."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from rl_hub.accounts import records
from rl_hub.accounts.identity import Membership
from rl_hub.database.engine import insert_ignore
from rl_hub.database.tables import accounts, memberships
from rl_hub.errors import BadRequest, NotFound
from rl_hub.names import check_account_name, shown

ROLES: tuple[Membership, ...] = get_args(Membership)


@dataclass(frozen=True)
class Organisation:
    """An account that several people share."""

    id: int
    name: str
    full_name: str
    created_at: datetime


@dataclass(frozen=True)
class Member:
    """A person in an organisation, and the person's role there."""

    user_id: int
    name: str
    full_name: str
    role: Membership


@dataclass(frozen=True)
class Place:
    """The same seen from the person: an organisation, and the person's role there."""

    organisation: Organisation
    role: Membership


def create(connection: Connection, name: str, *, full_name: str = "") -> Organisation:
    """Adds an organisation without members.

    Raises:
        BadRequest: If the name cannot be accepted.
        Conflict: If the name is taken, by a user or an organisation.
    """
    check_account_name(name)
    records.add(connection, name, "org", {"full_name": records.check_full_name(full_name)})
    return get(connection, name)


def find(connection: Connection, name: str) -> Organisation | None:
    """The organisation of this name, whatever its case."""
    row = connection.execute(_organisations().where(accounts.c.key == records.key(name))).one_or_none()
    return _organisation(row) if row else None


def get(connection: Connection, name: str) -> Organisation:
    """The same.

    Raises:
        NotFound: If there is none.
    """
    organisation = find(connection, name)
    if organisation is None:
        raise NotFound(f"There is no organisation {shown(name)} on this Hub. `org add` makes it.")
    return organisation


def list_organisations(connection: Connection) -> list[Organisation]:
    """All organisations by name."""
    return [_organisation(row) for row in connection.execute(_organisations().order_by(accounts.c.key))]


def remove(connection: Connection, organisation: Organisation) -> None:
    """Removes an organisation; its members keep their accounts.

    Raises:
        Conflict: If it still owns repositories.
    """
    records.remove(connection, organisation.id, organisation.name)


def add_member(connection: Connection, organisation_id: int, user_id: int, role: Membership) -> None:
    """Makes a user a member, or gives a member another role.

    Raises:
        BadRequest: If there is no such role.
    """
    if role not in ROLES:
        raise BadRequest(f"There is no role {role!r} in an organisation: take one of {', '.join(ROLES)}.")
    row = {"organisation_id": organisation_id, "user_id": user_id, "role": role}
    insert_ignore(connection, memberships, [row])
    connection.execute(
        update(memberships)
        .where(memberships.c.organisation_id == organisation_id, memberships.c.user_id == user_id)
        .values(role=role)
    )


def remove_member(connection: Connection, organisation_id: int, user_id: int) -> bool:
    """Takes a user out of an organisation.

    Returns:
        Whether the user was a member.
    """
    removed = connection.execute(
        delete(memberships).where(memberships.c.organisation_id == organisation_id, memberships.c.user_id == user_id)
    )
    return bool(removed.rowcount)


def members(connection: Connection, organisation_id: int, *, after: str = "", limit: int | None = None) -> list[Member]:
    """Members by name, from the one after `after` on; None: all of them."""
    query = (
        select(accounts.c.id, accounts.c.name, accounts.c.full_name, memberships.c.role)
        .join_from(memberships, accounts, memberships.c.user_id == accounts.c.id)
        .where(memberships.c.organisation_id == organisation_id, accounts.c.key > records.key(after))
        .order_by(accounts.c.key)
        .limit(limit)
    )
    return [Member(*row) for row in connection.execute(query)]


def count_members(connection: Connection, organisation_id: int) -> int:
    """How many members there are."""
    query = select(func.count()).where(memberships.c.organisation_id == organisation_id)
    return int(connection.execute(query).scalar_one())


def places_of(connection: Connection, user_id: int) -> list[Place]:
    """The organisations of a user by name."""
    query = (
        _organisations()
        .add_columns(memberships.c.role)
        .join(memberships, memberships.c.organisation_id == accounts.c.id)
        .where(memberships.c.user_id == user_id)
        .order_by(accounts.c.key)
    )
    return [Place(_organisation(row), row.role) for row in connection.execute(query)]


def roles_of(connection: Connection, user_id: int) -> Mapping[str, Membership]:
    """The lower-case names of a user's organisations, and the role in each: what an `Identity` carries."""
    query = (
        select(accounts.c.key, memberships.c.role)
        .join_from(memberships, accounts, memberships.c.organisation_id == accounts.c.id)
        .where(memberships.c.user_id == user_id)
    )
    return {row.key: row.role for row in connection.execute(query)}


def _organisations() -> Select[Any]:
    return select(accounts.c.id, accounts.c.name, accounts.c.full_name, accounts.c.created_at).where(
        accounts.c.kind == "org"
    )


def _organisation(row: Row[Any]) -> Organisation:
    return Organisation(row.id, row.name, row.full_name, row.created_at)
