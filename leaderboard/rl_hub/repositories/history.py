"""Commits: written once, and walked from the newest to the first.

A commit has one parent at most. Its position is the number of commits before it, so that a page of history is one
query for a range of positions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from rl_hub.database import tables
from rl_hub.database.engine import insert_ignore
from rl_hub.errors import RevisionNotFound
from rl_hub.repositories import git_objects

_FIRST_TITLE = "initial commit"
_WALKED_AT_ONCE = 200


@dataclass(frozen=True)
class Commit:
    """A commit of a repository.

    Attributes:
        sha: Git's id.
        parent: The commit before it; None for the first.
        tree: Git's id of the root folder.
        title: The first line of the message.
        message: What follows it.
        author_name: Who made it.
        created_at: When, to the millisecond; git's own object has the second.
        position: The number of commits before it.
    """

    sha: str
    parent: str | None
    tree: str
    title: str
    message: str
    author_name: str
    created_at: datetime
    position: int


def first_commit(author_name: str, created_at: datetime) -> Commit:
    """The empty commit with which a repository begins."""
    return _made(None, git_objects.EMPTY_TREE, author_name, created_at, _FIRST_TITLE, "")


def next_commit(parent: Commit, tree: str, author_name: str, created_at: datetime, title: str, message: str) -> Commit:
    """The commit that follows another."""
    return _made(parent, tree, author_name, created_at, title, message)


def add(connection: Connection, repository_id: int, author_id: int | None, commit: Commit) -> None:
    """Writes a commit with its git object. The same commit, made again in the same second, is one commit."""
    body = _body(commit)
    objects = [{"sha": commit.sha, "kind": "commit", "data": body.data}]
    if commit.tree == git_objects.EMPTY_TREE:
        objects.append({"sha": commit.tree, "kind": "tree", "data": b""})
    insert_ignore(connection, tables.git_objects, objects)
    row = {**commit.__dict__, "repository_id": repository_id, "author_id": author_id}
    insert_ignore(connection, tables.commits, [row])


def get(connection: Connection, repository_id: int, sha: str) -> Commit:
    """The commit with this full id.

    Raises:
        RevisionNotFound: If the repository has no such commit.
    """
    query = _select(repository_id).where(tables.commits.c.sha == sha)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise RevisionNotFound(f"This repository has no commit {sha}.")
    return _commit(row)


def page(connection: Connection, repository_id: int, sha: str, limit: int) -> Sequence[Commit]:
    """A commit and those before it, newest first, `limit` at most; the last one's parent begins the next page.

    Raises:
        RevisionNotFound: If the repository has no such commit.
    """
    newest = get(connection, repository_id, sha)
    position = tables.commits.c.position
    query = _select(repository_id).where(position < newest.position, position > newest.position - limit)
    # Commits of other branches are at the same positions.
    earlier = {row.sha: _commit(row) for row in connection.execute(query)}
    found = [newest]
    while found[-1].parent in earlier:
        found.append(earlier[found[-1].parent])
    return found


def walk(connection: Connection, repository_id: int, sha: str) -> Iterator[Commit]:
    """A commit and all before it, newest first.

    Raises:
        RevisionNotFound: If the repository has no such commit.
    """
    next_sha: str | None = sha
    while next_sha is not None:
        commits = page(connection, repository_id, next_sha, _WALKED_AT_ONCE)
        yield from commits
        next_sha = commits[-1].parent


def _made(parent: Commit | None, tree: str, author_name: str, created_at: datetime, title: str, message: str) -> Commit:
    parent_sha, position = (parent.sha, parent.position + 1) if parent else (None, 0)
    body = git_objects.commit_object(tree, parent_sha, author_name, created_at, title, message)
    return Commit(body.sha, parent_sha, tree, title, message, author_name, created_at, position)


def _body(commit: Commit) -> git_objects.StoredObject:
    return git_objects.commit_object(
        commit.tree, commit.parent, commit.author_name, commit.created_at, commit.title, commit.message
    )


def _select(repository_id: int) -> Any:
    columns = (tables.commits.c[name] for name in Commit.__dataclass_fields__)
    return select(*columns).where(tables.commits.c.repository_id == repository_id)


def _commit(row: Row[Any]) -> Commit:
    return Commit(**row._mapping)
