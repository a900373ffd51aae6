"""The repositories of a Hub: found, created, moved, hidden and deleted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from rl_hub import cards, clock
from rl_hub.accounts import permissions
from rl_hub.accounts.identity import Identity
from rl_hub.database import tables
from rl_hub.database.engine import Database
from rl_hub.errors import Conflict, Forbidden, HiddenRepository, NotFound, RepositoryNotFound
from rl_hub.events import feed
from rl_hub.events.payloads import UpdatedRef
from rl_hub.names import check_repo_name, shown, split_repo_id
from rl_hub.repositories import history

Kind = Literal["model", "dataset", "space"]

_MAIN = "main"


@dataclass(frozen=True)
class Repository:
    """A repository.

    Attributes:
        id: Its number, which a move does not change.
        kind: model, dataset or space.
        owner_id: The account that it belongs to.
        owner_name: The name of that account.
        name: Its name within that account.
        private: Whether only the owner's people see it.
        created_at: When it was made.
        last_modified: When its main branch moved last.
        sha: The head of its main branch.
    """

    id: int
    kind: Kind
    owner_id: int
    owner_name: str
    name: str
    private: bool
    created_at: datetime
    last_modified: datetime
    sha: str

    @property
    def repo_id(self) -> str:
        """Its name as clients give it: owner/name."""
        return f"{self.owner_name}/{self.name}"


def find(
    connection: Connection,
    identity: Identity,
    kind: str,
    repo_id: str,
    *,
    write: bool = False,
    manage: bool = False,
) -> Repository:
    """The repository of this name, whatever its case.

    Args:
        connection: Any transaction.
        identity: Who asks.
        kind: model, dataset or space.
        repo_id: owner/name.
        write: Whether it is to be committed to.
        manage: Whether it is to be deleted, moved, published or hidden.

    Raises:
        RepositoryNotFound: If there is none, or none that this person may see: the two look the same.
        Forbidden: If this person may see it, but not change it.
    """
    query = _select().where(tables.repositories.c.kind == kind, tables.repositories.c.key == repo_id.lower())
    # Names are ASCII. Some other letters have lower-case forms that are, and databases refuse a few characters.
    is_name = repo_id.isascii() and repo_id.isprintable()
    row = connection.execute(query).one_or_none() if is_name else None
    return _allowed(identity, row, kind, repo_id, write=write, manage=manage)


def find_by_id(
    connection: Connection, identity: Identity, repository_id: int, *, write: bool = False, manage: bool = False
) -> Repository:
    """The repository with this number; see `find`.

    Raises:
        RepositoryNotFound: If it is gone, or this person may not see it any more.
        Forbidden: If this person may not change it.
    """
    row = connection.execute(_select().where(tables.repositories.c.id == repository_id)).one_or_none()
    repo_id = f"{row.owner_name}/{row.name}" if row else f"number {repository_id}"
    return _allowed(identity, row, row.kind if row else "repository", repo_id, write=write, manage=manage)


def find_locked(
    database: Database,
    connection: Connection,
    identity: Identity,
    kind: str,
    repo_id: str,
    *,
    write: bool = False,
    manage: bool = False,
) -> Repository:
    """The same as `find`, with every other change of the repository waiting until the transaction ends."""
    found = find(connection, identity, kind, repo_id, write=write, manage=manage)
    database.lock_repository(connection, found.id)
    # It may have been moved, hidden or deleted by whoever had the lock before.
    return find_by_id(connection, identity, found.id, write=write, manage=manage)


def create(
    connection: Connection, identity: Identity, kind: Kind, owner_name: str, name: str, *, private: bool
) -> Repository:
    """Makes a repository with an empty first commit.

    Args:
        connection: A write transaction.
        identity: Who asks.
        kind: model, dataset or space.
        owner_name: A user or an organisation.
        name: Its name there.
        private: Whether only the owner's people may see it.

    Raises:
        BadRequest: If the name cannot be accepted.
        Forbidden: If this person may not write there.
        Conflict: If the name is taken; `repo_id` in `extra` is the name as it was given first.
    """
    check_repo_name(name)
    owner = _owner(connection, identity, owner_name)
    _refuse_taken(connection, kind, owner.name, name)
    now = clock.now()
    first = history.first_commit(identity.name, now)
    row = {
        "kind": kind,
        "owner_id": owner.id,
        "owner_name": owner.name,
        "name": name,
        "key": f"{owner.name}/{name}".lower(),
        "private": private,
        "created_at": now,
        "last_modified": now,
        "sha": first.sha,
    }
    inserted = insert(tables.repositories).values(row).returning(tables.repositories.c.id)
    with _name_taken_meanwhile(connection, kind, owner.name, name):
        repository_id: int = connection.execute(inserted).scalar_one()
    history.add(connection, repository_id, identity.user_id, first)
    ref = {"repository_id": repository_id, "kind": "branch", "name": _MAIN, "sha": first.sha}
    connection.execute(insert(tables.refs).values(ref))
    card = {"repository_id": repository_id, "data": cards.index(cards.Card()).data_json, "tags": "[]"}
    connection.execute(insert(tables.repository_cards).values(card))
    repository = find_by_id(connection, identity, repository_id)
    feed.record(connection, "create", "repo", repository, [UpdatedRef(f"refs/heads/{_MAIN}", None, first.sha)])
    return repository


def remove(connection: Connection, repository: Repository) -> None:
    """Deletes a repository, its commits and its settings; contents that no other needs go with the next clean-up."""
    feed.record(connection, "delete", "repo", repository)
    connection.execute(delete(tables.repositories).where(tables.repositories.c.id == repository.id))


def move(connection: Connection, identity: Identity, repository: Repository, new_id: str) -> Repository:
    """Renames a repository, or gives it to another account of this person.

    Raises:
        BadRequest: If the name cannot be accepted.
        Forbidden: If this person may not write there.
        Conflict: If the name is taken.
    """
    owner_name, name = split_repo_id(new_id)
    check_repo_name(name)
    owner = _owner(connection, identity, owner_name)
    _refuse_taken(connection, repository.kind, owner.name, name, unless=repository.id)
    values = {"owner_id": owner.id, "owner_name": owner.name, "name": name, "key": f"{owner.name}/{name}".lower()}
    with _name_taken_meanwhile(connection, repository.kind, owner.name, name):
        _update(connection, repository.id, values)
    moved = replace(repository, owner_id=owner.id, owner_name=owner.name, name=name)
    feed.record(connection, "move", "repo", moved, moved_from=repository.repo_id)
    return moved


def set_private(connection: Connection, repository: Repository, *, private: bool) -> Repository:
    """Hides a repository from others, or shows it to them."""
    if private == repository.private:
        return repository
    _update(connection, repository.id, {"private": private})
    changed = replace(repository, private=private)
    feed.record(connection, "update", "repo.config", changed)
    return changed


def _select() -> Any:
    repositories = tables.repositories.c
    return select(*(repositories[name] for name in Repository.__dataclass_fields__))


def _repository(row: Row[Any]) -> Repository:
    return Repository(**row._mapping)


def _allowed(
    identity: Identity, row: Row[Any] | None, kind: str, repo_id: str, *, write: bool, manage: bool
) -> Repository:
    repository = _repository(row) if row is not None else None
    if repository is None or not permissions.may_read(identity, repository):
        if identity.user_id is None:
            raise HiddenRepository(
                f"There is no public {kind} {shown(repo_id)} on this Hub. If it is private, sign in first."
            )
        raise RepositoryNotFound(f"There is no {kind} {shown(repo_id)} on this Hub, or {identity.name} may not see it.")
    if manage and not permissions.may_manage(identity, repository.owner_name):
        raise _forbidden(identity, repository.repo_id, "change the settings of")
    if write and not permissions.may_write(identity, repository.owner_name):
        raise _forbidden(identity, repository.repo_id, "write to")
    return repository


def _forbidden(identity: Identity, what: str, action: str) -> Forbidden:
    if identity.user_id is None:
        return Forbidden(f"Sign in first: only its owner may {action} {what}")
    if identity.role != "write":
        return Forbidden(
            f"The token of {identity.name} may read only, so it cannot {action} {what}. Use a token with the role write"
        )
    return Forbidden(
        f"{identity.name} may not {action} {what}. Is the namespace yours? Your own begins with {identity.name}/"
    )


def _owner(connection: Connection, identity: Identity, owner_name: str) -> Any:
    """The account under which a repository is put."""
    if not permissions.may_write(identity, owner_name):
        raise _forbidden(identity, f"the namespace {shown(owner_name)}", "write to")
    query = select(tables.accounts.c.id, tables.accounts.c.name).where(tables.accounts.c.key == owner_name.lower())
    is_name = owner_name.isascii() and owner_name.isprintable()
    row = connection.execute(query).one_or_none() if is_name else None
    if row is None:
        raise NotFound(f"There is no user or organisation {shown(owner_name)} on this Hub.")
    return row


def _refuse_taken(connection: Connection, kind: str, owner_name: str, name: str, unless: int | None = None) -> None:
    query = select(tables.repositories.c.id, tables.repositories.c.owner_name, tables.repositories.c.name).where(
        tables.repositories.c.kind == kind, tables.repositories.c.key == f"{owner_name}/{name}".lower()
    )
    row = connection.execute(query).one_or_none()
    if row is not None and row.id != unless:
        taken = f"{row.owner_name}/{row.name}"
        raise Conflict(f"There is a {kind} {taken} already. Take another name, or commit to that one.", repo_id=taken)


@contextmanager
def _name_taken_meanwhile(connection: Connection, kind: str, owner_name: str, name: str) -> Iterator[None]:
    """Says so if somebody else took the name after it was looked for, which only PostgreSQL lets happen."""
    try:
        with connection.begin_nested():
            yield
    except IntegrityError:
        _refuse_taken(connection, kind, owner_name, name)
        raise


def _update(connection: Connection, repository_id: int, values: dict[str, Any]) -> None:
    connection.execute(update(tables.repositories).where(tables.repositories.c.id == repository_id).values(values))
