"""Which commit changed each entry of a folder last."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sqlalchemy import Connection

from rl_hub.repositories import history, trees
from rl_hub.repositories.history import Commit
from rl_hub.repositories.trees import Entry

_MOST_COMMITS = 100
# Entries that are compared in all, so that a long history of a large folder costs no more than a short one.
_MOST_COMPARED = 20_000


def find_last_commits(
    connection: Connection, repository_id: int, commit: Commit, path: str, entries: Sequence[Entry]
) -> dict[str, Commit]:
    """Looks back from a commit.

    Args:
        connection: Any transaction.
        repository_id: Number of the repository.
        commit: The one whose folder is shown.
        path: The folder; empty for the top.
        entries: What is in it.

    Returns:
        By path; an entry that did not change in the commits looked at is left out.
    """
    count = max(2, min(_MOST_COMMITS, _MOST_COMPARED // max(1, len(entries))))
    commits = history.page(connection, repository_id, commit.sha, count)
    missing = {entry.path: entry.oid for entry in entries}
    found: dict[str, Commit] = {}
    prefix = f"{path}/" if path else ""
    for newer, older in _pairs(commits):
        before = _oids(connection, older, path, prefix)
        changed = [name for name, oid in missing.items() if before.get(name) != oid]
        for name in changed:
            found[name] = newer
            del missing[name]
        if not missing:
            break
    return found


def _pairs(commits: Sequence[Commit]) -> Iterator[tuple[Commit, Commit | None]]:
    """Each commit with the one before it, as far as both are known; the first of all has none before it."""
    yield from pairwise(commits)
    if commits[-1].parent is None:
        yield commits[-1], None


def _oids(connection: Connection, commit: Commit | None, path: str, prefix: str) -> dict[str, str]:
    """What was in the folder at a commit; nothing if there was no such folder."""
    if commit is None:
        return {}
    tree = commit.tree
    if path:
        folder = trees.entry_in(connection, commit.tree, path)
        if folder is None or not folder.is_folder:
            return {}
        tree = folder.oid
    return {prefix + entry.name: entry.oid for entry in trees.load(connection, [tree])[tree]}
