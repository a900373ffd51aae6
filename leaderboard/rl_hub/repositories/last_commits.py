"""Which commit changed a file or folder last."""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from sqlalchemy import Connection

from rl_hub.repositories import history
from rl_hub.repositories.history import Commit
from rl_hub.repositories.trees import TreeReader

_MOST_COMMITS = 200
# Entries read in all (half a second), so that a long history of a large folder costs no more than a short one.
_MOST_WORK = 100_000


def of_paths(connection: Connection, repository_id: int, sha: str, paths: Collection[str]) -> dict[str, Commit]:
    """The last commit of each path.

    Args:
        connection: Any transaction.
        repository_id: The repository.
        sha: The commit from which the look back starts.
        paths: Files and folders that are there at this commit.

    Returns:
        For each path the newest commit that made it what it is at `sha`. Paths that did not change in the commits
        looked at are left out.
    """
    reader = TreeReader(connection)
    commits = history.page(connection, repository_id, sha, _MOST_COMMITS)
    waiting = reader.find(commits[0].tree, paths)
    found: dict[str, Commit] = {}
    for newer, older in _pairs(commits):
        if not waiting or reader.work > _MOST_WORK:
            break
        if older is not None and older.tree == newer.tree:
            continue
        before = reader.find(older.tree, waiting) if older is not None else {}
        changed = [path for path, entry in waiting.items() if before.get(path) != entry]
        for path in changed:
            found[path] = newer
            del waiting[path]
    return found


def _pairs(commits: Sequence[Commit]) -> Iterator[tuple[Commit, Commit | None]]:
    """Each commit with the one before it, as far as both are known; the first of all has none before it."""
    yield from pairwise(commits)
    if commits[-1].parent is None:
        yield commits[-1], None
