"""Files of the embedded Hub, from its own storage."""

import shutil
from pathlib import Path

from rl_hub.accounts.identity import ANONYMOUS
from rl_hub.errors import NotFound
from rl_hub.hub import Hub
from rl_hub.repositories import catalog, trees
from rl_leaderboard.judge.failures import Refused
from rl_leaderboard.judge.fetching.choice import choose


def fetch(hub: Hub, repo_id: str, sha: str, folder: Path) -> None:
    """Copies an agent's files.

    Args:
        hub: The embedded Hub.
        repo_id: owner/name.
        sha: The commit.
        folder: An empty folder.

    Raises:
        Refused: If the commit is gone or private, or holds no agent that may be loaded.
    """
    try:
        with hub.database.read() as connection:
            repository = catalog.find(connection, ANONYMOUS, "model", repo_id)
            found = {entry.path: entry for entry in trees.listing(connection, repository, sha) if entry.type == "file"}
    except NotFound:
        raise Refused(
            "gone", f"{repo_id} is gone or private, or has no commit {sha[:7]} any more: make it public and push again."
        ) from None
    for path, _ in choose((path, entry.size) for path, entry in found.items()):
        shutil.copyfile(hub.blobs.path(found[path].sha256), folder / path)
