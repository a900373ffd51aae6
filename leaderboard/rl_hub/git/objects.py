"""The objects of a repository: listed for a pack, and read for it.

Ids of trees and files are 20 raw bytes here: a repository can have a million of them.
"""

import stat
from binascii import unhexlify
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dulwich.objects import parse_tree
from sqlalchemy import Connection, select

from rl_hub.database import tables
from rl_hub.git.history import Parents, Selection

_T = TypeVar("_T")

# Objects per query. A folder of 25,000 files is a megabyte, a commit seldom more than a kilobyte.
_TREES = 16
_COMMITS = 256


class DamagedRepository(Exception):
    """Something that the repository refers to is not there."""


@dataclass(frozen=True)
class PackList:
    """What goes into a pack.

    Attributes:
        commits: Ids of commits.
        trees: Ids of folders.
        blobs: Ids of files.
    """

    commits: Sequence[str]
    trees: Sequence[bytes]
    blobs: Sequence[bytes]

    def __len__(self) -> int:
        """How many objects these are."""
        return len(self.commits) + len(self.trees) + len(self.blobs)


def read_parents(connection: Connection, repository_id: int) -> Parents:
    """The history of a repository, all branches together."""
    table = tables.commits
    rows = connection.execute(select(table.c.sha, table.c.parent).where(table.c.repository_id == repository_id))
    return {row.sha: row.parent for row in rows}


def read_refs(connection: Connection, repository_id: int) -> dict[str, str]:
    """The branches and tags of a repository by their full names, sorted, each with its commit."""
    table = tables.refs
    rows = connection.execute(
        select(table.c.kind, table.c.name, table.c.sha).where(table.c.repository_id == repository_id)
    )
    folders = {"branch": "refs/heads", "tag": "refs/tags"}
    return dict(sorted((f"{folders[row.kind]}/{row.name}", row.sha) for row in rows))


def list_objects(connection: Connection, repository_id: int, selection: Selection) -> PackList:
    """The commits that a client lacks, with the folders and files that it does not have from their neighbours."""
    seen: set[bytes] = set()
    for root in _roots(connection, repository_id, list(selection.borders)):
        for _ in _walk(connection, root, seen):
            pass
    trees: list[bytes] = []
    blobs: list[bytes] = []
    for root in _roots(connection, repository_id, selection.commits):
        for oid, is_folder in _walk(connection, root, seen):
            (trees if is_folder else blobs).append(oid)
    return PackList(selection.commits, trees, blobs)


def read_bodies(connection: Connection, shas: Sequence[str]) -> list[bytes]:
    """The bodies of trees or commits.

    Raises:
        DamagedRepository: If one of them is not there.
    """
    table = tables.git_objects
    found = list(connection.scalars(select(table.c.data).where(table.c.sha.in_(shas))))
    if len(found) != len(shas):
        raise DamagedRepository("A folder or commit of this repository is missing. The Hub's fsck says which.")
    return found


def commit_batches(commits: Sequence[str]) -> Iterator[list[str]]:
    """Ids of commits, as many at a time as may be read at once."""
    return batches(commits, _COMMITS)


def tree_batches(trees: Sequence[bytes]) -> Iterator[list[str]]:
    """Ids of folders in hexadecimal, as many at a time as may be read at once."""
    return ([oid.hex() for oid in batch] for batch in batches(trees, _TREES))


def batches(items: Sequence[_T], size: int) -> Iterator[list[_T]]:
    """Pieces of a sequence."""
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def _roots(connection: Connection, repository_id: int, commits: Sequence[str]) -> Iterator[bytes]:
    """The root folders of commits."""
    table = tables.commits
    for batch in commit_batches(commits):
        mine = select(table.c.tree).where(table.c.repository_id == repository_id, table.c.sha.in_(batch))
        yield from map(unhexlify, connection.scalars(mine).all())


def _walk(connection: Connection, root: bytes, seen: set[bytes]) -> Iterator[tuple[bytes, bool]]:
    """A folder and all below it that was not seen yet, each with whether it is a folder."""
    waiting = _unseen([root], seen)
    while waiting:
        batch = waiting[-_TREES:]
        del waiting[-_TREES:]
        for body in read_bodies(connection, [oid.hex() for oid in batch]):
            entries = [(unhexlify(sha), stat.S_ISDIR(mode)) for _, mode, sha in parse_tree(body, 20)]
            folders = _unseen((oid for oid, is_folder in entries if is_folder), seen)
            files = _unseen((oid for oid, is_folder in entries if not is_folder), seen)
            waiting += folders
            yield from ((oid, False) for oid in files)
        yield from ((oid, True) for oid in batch)


def _unseen(oids: Iterable[bytes], seen: set[bytes]) -> list[bytes]:
    """Those that were not seen before, which now they are."""
    new = [oid for oid in dict.fromkeys(oids) if oid not in seen]
    seen.update(new)
    return new
