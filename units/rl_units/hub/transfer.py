"""Sending a repository in one commit, and fetching single files of one pinned commit."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rl_units.errors import HubError
from rl_units.files import storage_errors
from rl_units.hub.client import HubClient


@dataclass(frozen=True)
class Snapshot:
    """One commit of a repository on a Hub.

    Attributes:
        repo_id: `<namespace>/<name>`.
        commit: Full id of the commit.
        sizes: Bytes of every file, by its path; None where the Hub does not say.
    """

    repo_id: str
    commit: str
    sizes: Mapping[str, int | None]


def create_repository(hub: HubClient, repo_id: str) -> str:
    """Makes a public model repository unless it is there.

    Returns:
        Its address.

    Raises:
        HubError: If the Hub refuses or is unreachable.
    """
    return str(hub.attempt(lambda: hub.api.create_repo(repo_id, exist_ok=True), repo_id=repo_id))


def upload_files(
    hub: HubClient, repo_id: str, folder: Path, files: Collection[str], outdated: Iterable[str], message: str
) -> str:
    """Uploads `files` of `folder` in one commit; files that the Hub has already are not sent again.

    Args:
        hub: Where to.
        repo_id: Which repository.
        folder: Where the files are.
        files: Their names.
        outdated: Patterns of names to remove from the repository unless they are among `files`.
        message: Of the commit.

    Returns:
        Id of the commit, or of the last one if nothing has changed.

    Raises:
        HubError: If the Hub refuses or goes away; the message says that the folder is kept.
    """
    # The client itself tries each of these requests up to six times, so ours is a second round only.
    commit = hub.attempt(
        lambda: hub.api.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            commit_message=message,
            allow_patterns=sorted(files),
            delete_patterns=sorted(outdated),
        ),
        repo_id=repo_id,
        attempts=2,
        afterwards=f"Everything is kept in {folder}: run the same command again and it finishes the push without "
        "evaluating or recording anew.",
    )
    return commit.oid


def resolve_snapshot(hub: HubClient, repo_id: str, revision: str) -> Snapshot:
    """Finds the commit that a branch, tag or commit id stands for now.

    Raises:
        HubError: If there is no such repository or revision, or the Hub is unreachable.
    """
    info = hub.attempt(lambda: hub.api.model_info(repo_id, revision=revision, files_metadata=True), repo_id=repo_id)
    if not info.sha:
        raise HubError(f"{hub.endpoint} does not say which commit {revision} of {repo_id} is, so it cannot be pinned.")
    return Snapshot(repo_id, info.sha, {file.rfilename: file.size for file in info.siblings or ()})


def download_files(hub: HubClient, snapshot: Snapshot, limits: Mapping[str, int], folder: Path) -> None:
    """Downloads single files of a commit, after a look at their sizes.

    Args:
        hub: Where from.
        snapshot: Which commit.
        limits: Name of each file to largest size in bytes; all of them are in the snapshot.
        folder: Where they are put, under their names.

    Raises:
        HubError: If a file is too large or of unknown size, or the Hub fails.
        StorageError: If the folder cannot be written.
    """
    for name, limit in limits.items():
        _check_size(f"{name} in {snapshot.repo_id}", snapshot.sizes[name], limit)
    for name, limit in limits.items():
        with storage_errors(folder / name):
            download = partial(
                hub.api.hf_hub_download, snapshot.repo_id, name, revision=snapshot.commit, local_dir=folder
            )
            hub.attempt(download, repo_id=snapshot.repo_id)
        _check_size(f"{name} in {snapshot.repo_id}", (folder / name).stat().st_size, limit)


def _check_size(what: str, size: int | None, limit: int) -> None:
    if size is None:
        raise HubError(f"The Hub does not say how large {what} is, so it is not downloaded.")
    if size > limit:
        raise HubError(f"{what} has {size:,} bytes, more than the {limit:,} that such a file can need; it is refused.")
