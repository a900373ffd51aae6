"""Which git trees, and which files in them, can be reached from commits."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dulwich.errors import ObjectFormatException
from sqlalchemy import Connection, select

from rl_hub.database import tables
from rl_hub.repositories.git_objects import tree_entries

# Ids in a query, and trees in memory: one of 25,000 files has a megabyte or two.
_IDS, _TREES = 500, 16


@dataclass(frozen=True)
class Tree:
    """What a tree names.

    Attributes:
        folders: Ids of the trees in it.
        files: Ids of the files in it.
    """

    folders: tuple[str, ...]
    files: tuple[str, ...]


def read_tree(data: bytes) -> Tree | None:
    """The ids in a tree's body; None if it is damaged."""
    try:
        entries = tree_entries(data)
    except (ObjectFormatException, ValueError):
        return None
    return Tree(
        tuple(entry.oid for entry in entries if entry.is_folder),
        tuple(entry.oid for entry in entries if not entry.is_folder),
    )


def walk(connection: Connection, roots: Iterable[str], seen: set[bytes]) -> Iterator[tuple[str, Tree | None]]:
    """Every tree that can be reached and has not been seen yet.

    Args:
        connection: A transaction.
        roots: Ids of the trees to begin with; read bit by bit.
        seen: The ids, as 20 bytes each, of trees that are not walked again; grows. About 100 bytes of memory for each.

    Yields:
        Ids, with None for a tree that is missing or damaged.
    """
    coming = iter(roots)
    while waiting := list(itertools.islice(coming, _IDS)):
        while waiting:
            chunk = list(itertools.islice(_unseen(waiting, seen), _IDS))
            for sha, tree in _read(connection, chunk):
                waiting.extend(tree.folders if tree is not None else ())
                yield sha, tree


def _unseen(waiting: list[str], seen: set[bytes]) -> Iterator[str]:
    """Takes ids from the end of a list until one is new."""
    while waiting:
        sha = waiting.pop()
        key = bytes.fromhex(sha)
        if key not in seen:
            seen.add(key)
            yield sha


def _read(connection: Connection, shas: list[str]) -> Iterator[tuple[str, Tree | None]]:
    table = tables.git_objects
    query = select(table.c.sha, table.c.data).where(table.c.sha.in_(shas), table.c.kind == "tree")
    missing = set(shas)
    for row in connection.execute(query.execution_options(yield_per=_TREES)):
        missing.discard(row.sha)
        yield row.sha, read_tree(row.data)
    for sha in sorted(missing):
        yield sha, None
