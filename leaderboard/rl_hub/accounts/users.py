"""People with an account."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from rl_hub.accounts import passwords, records, throttle, tokens
from rl_hub.database.tables import accounts, sessions
from rl_hub.errors import BadRequest, Conflict, NotFound
from rl_hub.names import check_account_name, shown

ADMINISTRATOR = "admin"
# Whether an address of this form receives mail is nothing that a Hub without a network can find out.
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")


@dataclass(frozen=True)
class User:
    """A person with an account.

    Attributes:
        id: Key in the database.
        name: As the person writes it; compared without regard to case.
        full_name: Shown beside the name; may be empty.
        email: Shown to the person alone.
        is_admin: Whether this is an administrator of the Hub.
        has_password: Whether the person can sign in to the pages.
        created_at: When the account was made.
    """

    id: int
    name: str
    full_name: str
    email: str | None
    is_admin: bool
    has_password: bool
    created_at: datetime


@dataclass(frozen=True)
class NewAdministrator:
    """The first administrator, with secrets that are shown once and never again."""

    name: str
    password: str
    token: str


def create(
    connection: Connection,
    name: str,
    password: str | None = None,
    *,
    is_admin: bool = False,
    full_name: str = "",
    email: str | None = None,
) -> User:
    """Adds a person.

    Args:
        connection: A transaction that writes.
        name: The account's name.
        password: None for an account that signs in with tokens only. For many people at once compute the hashes
            beforehand and use `set_password`: a hash inside the transaction keeps every other writer waiting.
        is_admin: Whether the person administers the Hub.
        full_name: Shown beside the name.
        email: Shown to the person alone.

    Raises:
        BadRequest: If the name or something else cannot be accepted.
        Conflict: If the name is taken, by a user or an organisation.
    """
    check_account_name(name)
    return _add(connection, name, password, is_admin, full_name, email)


def find(connection: Connection, name: str) -> User | None:
    """The user of this name, whatever its case."""
    row = connection.execute(_users().where(accounts.c.key == records.key(name))).one_or_none()
    return _user(row) if row else None


def get(connection: Connection, name: str) -> User:
    """The same.

    Raises:
        NotFound: If there is none.
    """
    user = find(connection, name)
    if user is None:
        raise NotFound(f"There is no user {shown(name)} on this Hub.")
    return user


def list_users(connection: Connection) -> list[User]:
    """All users by name."""
    return [_user(row) for row in connection.execute(_users().order_by(accounts.c.key))]


def find_password_hash(connection: Connection, name: str) -> str | None:
    """What `passwords.verify` compares with; None if there is no such user or the user has no password."""
    return connection.execute(
        select(accounts.c.password_hash).where(accounts.c.key == records.key(name), accounts.c.kind == "user")
    ).scalar_one_or_none()


def set_password(connection: Connection, user: User, password_hash: str) -> None:
    """Gives a user a new password: whoever is signed in must sign in again, and failed attempts are forgotten.

    Args:
        connection: A transaction that writes.
        user: Whose password.
        password_hash: From `passwords.hash_password`, computed before the transaction.
    """
    connection.execute(update(accounts).where(accounts.c.id == user.id).values(password_hash=password_hash))
    connection.execute(delete(sessions).where(sessions.c.user_id == user.id))
    throttle.forget_account(connection, user.name)


def remove(connection: Connection, user: User) -> None:
    """Removes a user with tokens, sessions and memberships; what the user committed elsewhere stays.

    Raises:
        Conflict: If the user still owns repositories, or is the only administrator.
    """
    others = select(func.count()).where(accounts.c.is_admin, accounts.c.id != user.id)
    if user.is_admin and not connection.execute(others).scalar_one():
        raise Conflict(f"{user.name} is the only administrator: add another one first.")
    records.remove(connection, user.id, user.name)


def ensure_administrator(connection: Connection) -> NewAdministrator | None:
    """Adds the first administrator to a Hub that has none.

    Returns:
        The name, password and token, to be shown once; None if there is an administrator already.
    """
    if connection.execute(select(func.count()).where(accounts.c.is_admin)).scalar_one():
        return None
    password = passwords.generate()
    try:
        user = _add(connection, ADMINISTRATOR, password, is_admin=True, full_name="Administrator")
    except Conflict:  # another process was faster
        return None
    return NewAdministrator(user.name, password, tokens.create(connection, user.id, "First start", "write"))


def _add(
    connection: Connection,
    name: str,
    password: str | None,
    is_admin: bool,
    full_name: str,
    email: str | None = None,
) -> User:
    if email and not (_EMAIL.fullmatch(email) and email.isprintable()):
        raise BadRequest(f"An e-mail address looks like name@example.org, not {email!r}.")
    values = {
        "full_name": records.check_full_name(full_name),
        "email": email or None,
        "password_hash": None if password is None else passwords.hash_password(password),
        "is_admin": is_admin,
    }
    records.add(connection, name, "user", values)
    return get(connection, name)


def _users() -> Select[Any]:
    return select(accounts).where(accounts.c.kind == "user")


def _user(row: Row[Any]) -> User:
    return User(row.id, row.name, row.full_name, row.email, row.is_admin, row.password_hash is not None, row.created_at)
