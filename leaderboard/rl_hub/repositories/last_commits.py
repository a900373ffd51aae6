"""Which commit changed a file or folder last."""

from collections.abc import Iterable

from sqlalchemy import Connection

from rl_hub.repositories import history, trees
from rl_hub.repositories.history import Commit

# Commits that are looked at. Whatever did not change in these is shown with the oldest of them.
_WALKED = 1000


def of_paths(connection: Connection, repository_id: int, sha: str, paths: Iterable[str]) -> dict[str, Commit]:
    """The last commit of each path.

    Args:
        connection: Any transaction.
        repository_id: The repository.
        sha: The commit from which the look back starts.
        paths: Files and folders that are there at this commit.

    Returns:
        For each path the newest commit that made it what it is at `sha`.
    """
    commits = history.walk(connection, repository_id, sha)
    newer = next(commits)
    waiting = {path: trees.entry_in(connection, newer.tree, path) for path in paths}
    found: dict[str, Commit] = {}
    for number, older in enumerate(commits):
        if not waiting or number == _WALKED:
            break
        if older.tree != newer.tree:
            changed = [path for path, entry in waiting.items() if trees.entry_in(connection, older.tree, path) != entry]
            for path in changed:
                found[path] = newer
                del waiting[path]
        newer = older
    return found | dict.fromkeys(waiting, newer)
