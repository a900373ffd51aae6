"""People with an account."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from rl_hub import clock
from rl_hub.accounts import passwords, throttle, tokens
from rl_hub.database.tables import accounts, repositories, sessions
from rl_hub.errors import BadRequest, Conflict, NotFound
from rl_hub.names import check_account_name

ADMINISTRATOR = "admin"
# RFC 5321 allows no longer address; whether it receives mail is nothing that a Hub without a network can check.
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
_LONGEST_FULL_NAME = 128


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
    return _insert(connection, name, password, is_admin, check_full_name(full_name), check_email(email))


def find(connection: Connection, name: str) -> User | None:
    """The user of this name, whatever its case."""
    row = connection.execute(_select().where(accounts.c.key == name.lower())).one_or_none()
    return _user(row) if row else None


def get(connection: Connection, name: str) -> User:
    """The same.

    Raises:
        NotFound: If there is none.
    """
    user = find(connection, name)
    if user is None:
        raise NotFound(f"There is no user {name!r} on this Hub.")
    return user


def list_users(connection: Connection, *, after: str = "", limit: int = 1000) -> list[User]:
    """Users by name, from the one after `after` on."""
    query = _select().where(accounts.c.key > after.lower()).order_by(accounts.c.key).limit(limit)
    return [_user(row) for row in connection.execute(query)]


def find_password_hash(connection: Connection, name: str) -> str | None:
    """What `passwords.verify` compares with; None if there is no such user or the user has no password."""
    return connection.execute(
        select(accounts.c.password_hash).where(accounts.c.key == name.lower(), accounts.c.kind == "user")
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
    throttle.forget(connection, throttle.account(user.name))


def remove(connection: Connection, user: User) -> None:
    """Removes a user with tokens, sessions and memberships; what the user committed elsewhere stays.

    Raises:
        Conflict: If the user still owns repositories, or is the only administrator.
    """
    owned = connection.execute(select(func.count()).where(repositories.c.owner_id == user.id)).scalar_one()
    if owned:
        raise Conflict(f"{user.name} still has {owned} {_plural(owned)}: delete or move them first.")
    others = select(func.count()).where(accounts.c.is_admin, accounts.c.id != user.id)
    if user.is_admin and not connection.execute(others).scalar_one():
        raise Conflict(f"{user.name} is the only administrator: add another one first.")
    connection.execute(delete(accounts).where(accounts.c.id == user.id))


def ensure_administrator(connection: Connection) -> NewAdministrator | None:
    """Adds the first administrator to a Hub that has no user yet.

    Returns:
        The name, password and token, to be shown once; None if there are users already.
    """
    if connection.execute(select(func.count()).where(accounts.c.kind == "user")).scalar_one():
        return None
    password = passwords.generate()
    try:
        user = _insert(connection, ADMINISTRATOR, password, True, "Administrator", None)
    except Conflict:  # another process was faster
        return None
    return NewAdministrator(user.name, password, tokens.create(connection, user.id, "First start", "write"))


def check_full_name(text: str) -> str:
    """A name as people write theirs, without what a page or a terminal cannot show.

    Raises:
        BadRequest: If it is too long or has control characters.
    """
    text = unicodedata.normalize("NFC", text.strip())
    if len(text) > _LONGEST_FULL_NAME or not text.isprintable():
        raise BadRequest(f"A full name has at most {_LONGEST_FULL_NAME} characters, all of them printable.")
    return text


def check_email(text: str | None) -> str | None:
    """An address of the usual form, or none.

    Raises:
        BadRequest: If it is something else.
    """
    if not text:
        return None
    if not _EMAIL.fullmatch(text) or not text.isprintable():
        raise BadRequest("An e-mail address looks like name@example.org.")
    return text


def _insert(
    connection: Connection, name: str, password: str | None, is_admin: bool, full_name: str, email: str | None
) -> User:
    values = {
        "name": name,
        "key": name.lower(),
        "kind": "user",
        "full_name": full_name,
        "email": email,
        "password_hash": passwords.hash_password(password) if password is not None else None,
        "is_admin": is_admin,
        "created_at": clock.now(),
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(accounts).values(values))
    except IntegrityError as error:
        raise Conflict(f"The name {name!r} is taken.") from error
    return get(connection, name)


def _select() -> "Select[tuple[object, ...]]":
    return select(accounts).where(accounts.c.kind == "user")


def _user(row: Row[Any]) -> User:
    return User(
        row.id, row.name, row.full_name, row.email, row.is_admin, row.password_hash is not None, row.created_at
    )


def _plural(number: int) -> str:
    return "repository" if number == 1 else "repositories"
