"""Branches, tags, and what a revision in an address means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dulwich.refs import Ref, check_ref_format
from sqlalchemy import Connection, delete, insert, select, update

from rl_hub.database.tables import commits, refs
from rl_hub.errors import BadRequest, Conflict, RevisionNotFound
from rl_hub.names import collision_key, shown
from rl_hub.repositories.catalog import Repository

MAIN = "main"

RefKind = Literal["branch", "tag"]
FOLDERS: dict[RefKind, str] = {"branch": "refs/heads/", "tag": "refs/tags/"}

_LONGEST_NAME = 200  # bytes; refs are file names in a clone
_MOST_REFS = 1000  # of a repository; every clone is sent all of them
_ABBREVIATED = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class NamedCommit:
    """A branch or a tag.

    Attributes:
        kind: branch or tag.
        name: Without refs/heads/ or refs/tags/.
        sha: The commit it stands for.
        message: What was said of a tag.
    """

    kind: RefKind
    name: str
    sha: str
    message: str | None = None

    @property
    def ref(self) -> str:
        """The full name, such as refs/heads/main."""
        return FOLDERS[self.kind] + self.name


def resolve(connection: Connection, repository: Repository, revision: str) -> str:
    """The commit that a revision stands for.

    Args:
        connection: Any transaction.
        repository: The repository that is asked.
        revision: A branch or a tag, with or without refs/heads/ or refs/tags/, or a commit's id, of which the first
            seven digits suffice if no other commit begins so.

    Raises:
        RevisionNotFound: If the repository has no such revision.
    """
    if revision in (MAIN, "HEAD"):
        return repository.sha
    named = find(connection, repository, revision)
    if named is not None:
        return named.sha
    if _ABBREVIATED.fullmatch(revision.lower()):
        found = _commits_from(connection, repository, revision.lower())
        if len(found) == 1:
            return found[0]
    raise _missing(repository, revision)


def find(connection: Connection, repository: Repository, revision: str) -> NamedCommit | None:
    """The branch or tag of this name, a branch if there are both; None if there is neither."""
    if not revision.isprintable():  # databases refuse some of what is not
        return None
    wanted: list[tuple[RefKind, str]] = [("branch", revision), ("tag", revision)]
    for kind, folder in FOLDERS.items():
        if revision.startswith(folder):
            wanted.append((kind, revision.removeprefix(folder)))
    names = {name for _, name in wanted}
    query = select(refs).where(refs.c.repository_id == repository.id, refs.c.name.in_(names))
    found = {
        (row.kind, row.name): NamedCommit(row.kind, row.name, row.sha, row.message) for row in connection.execute(query)
    }
    return next((found[each] for each in wanted if each in found), None)


def branch(connection: Connection, repository: Repository, revision: str) -> NamedCommit:
    """The branch that a commit goes to.

    Raises:
        RevisionNotFound: If there is no such branch.
        BadRequest: If it is a tag or a commit, which cannot move.
    """
    found = find(connection, repository, revision)
    if found is not None and found.kind == "branch":
        return found
    resolve(connection, repository, revision)
    raise BadRequest(
        f"{shown(revision)} is not a branch, and commits go to branches only. Commit to main, for example."
    )


def list_refs(connection: Connection, repository: Repository) -> Sequence[NamedCommit]:
    """All branches and tags, by name, main first."""
    query = select(refs).where(refs.c.repository_id == repository.id)
    found = [NamedCommit(row.kind, row.name, row.sha, row.message) for row in connection.execute(query)]
    return sorted(found, key=lambda ref: (ref.kind, ref.name != MAIN, ref.name))


def create(connection: Connection, repository: Repository, ref: NamedCommit) -> None:
    """Adds a branch or a tag.

    Raises:
        BadRequest: If git does not allow the name.
        Conflict: If there is one already, or one that a clone could not hold beside it.
    """
    _check_name(ref.kind, ref.name)
    others = [other.name for other in list_refs(connection, repository) if other.kind == ref.kind]
    if ref.name in others:
        raise Conflict(f"There is a {ref.kind} {shown(ref.name)} already. Delete it first, or take another name.")
    if len(others) >= _MOST_REFS:
        raise Conflict(f"There are {_MOST_REFS} of them already, and no more are allowed: delete some first.")
    for other in others:
        if _collide(ref.name, other):
            raise Conflict(
                f"The {ref.kind} {shown(ref.name)} and the {ref.kind} {shown(other)} cannot be in one clone: git keeps "
                "them as files, one of which would replace the other or be its folder. Take another name."
            )
    row = {"repository_id": repository.id, "kind": ref.kind, "name": ref.name, "sha": ref.sha, "message": ref.message}
    connection.execute(insert(refs).values(row))


def move(connection: Connection, repository: Repository, ref: NamedCommit) -> None:
    """Lets a branch stand for another commit."""
    mine = (refs.c.repository_id == repository.id, refs.c.kind == ref.kind, refs.c.name == ref.name)
    connection.execute(update(refs).where(*mine).values(sha=ref.sha))


def remove(connection: Connection, repository: Repository, kind: RefKind, name: str) -> NamedCommit:
    """Removes a branch or a tag; commits stay.

    Returns:
        What it was.

    Raises:
        RevisionNotFound: If there is none.
        BadRequest: If it is the main branch.
    """
    if (kind, name) == ("branch", MAIN):
        raise BadRequest(f"The branch {MAIN} cannot be deleted: it is what the repository shows.")
    found = find(connection, repository, FOLDERS[kind] + name)
    if found is None or found.name != name:
        raise _missing(repository, name)
    mine = (refs.c.repository_id == repository.id, refs.c.kind == kind, refs.c.name == name)
    connection.execute(delete(refs).where(*mine))
    return found


def _commits_from(connection: Connection, repository: Repository, start: str) -> Sequence[str]:
    """Two commits at most whose ids begin so."""
    mine = commits.c.repository_id == repository.id
    query = select(commits.c.sha).where(mine, commits.c.sha >= start, commits.c.sha < start + "g").limit(2)
    return connection.scalars(query).all()


def _check_name(kind: RefKind, name: str) -> None:
    fine = name.isprintable() and len(name.encode()) <= _LONGEST_NAME
    if not fine or not check_ref_format(Ref((FOLDERS[kind] + name).encode())) or name.startswith(("-", "refs/")):
        raise BadRequest(
            f"git does not allow {shown(name)} as the name of a {kind}. Take letters, digits, . _ - and /."
        )
    if _ABBREVIATED.fullmatch(name.lower()) or name == "HEAD":
        raise BadRequest(f"{shown(name)} reads like a commit, so it cannot be the name of a {kind}. Take another one.")


def _collide(one: str, other: str) -> bool:
    """Whether two names are the same file, or one is a folder for the other."""
    first, second = sorted((collision_key(one) + "/", collision_key(other) + "/"), key=len)
    return second.startswith(first)


def _missing(repository: Repository, revision: str) -> RevisionNotFound:
    return RevisionNotFound(f"{repository.repo_id} has no branch, tag or commit {shown(revision)}.")
