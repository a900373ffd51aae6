"""The contents that a commit brings: sent with it, or uploaded before and named by their hash."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from rl_hub.blobs import StagedFile
from rl_hub.database.engine import Database, insert_ignore
from rl_hub.database.tables import blobs, files, repository_files
from rl_hub.errors import BadRequest, TooLarge
from rl_hub.hub import Hub
from rl_hub.names import shown
from rl_hub.repositories.catalog import Repository
from rl_hub.repositories.git_objects import object_id, pointer
from rl_hub.repositories.operations import AddFile, AddLargeFile, Operation

MayUse = Callable[[Connection, int, int, str], bool]
"""Whether this user (id) may name in this repository (id) the content with this SHA-256, uploaded before."""

_ASKED_AT_ONCE = 1000


@dataclass(frozen=True)
class NewFile:
    """A file of a commit.

    Attributes:
        git_oid: Git's id; for a large file that of its pointer.
        sha256: The content.
        size: Its bytes.
        lfs: Whether git has a pointer in its place.
        staged: The content, if it came with the commit.
    """

    git_oid: str
    sha256: str
    size: int
    lfs: bool
    staged: StagedFile | None = None


def lock(connection: Connection, database: Database, operations: Sequence[Operation]) -> None:
    """Keeps the contents that a commit names from being removed until the transaction ends.

    All of them at once and in the order of their hashes, so that no two commits wait for each other.
    """
    sha256s = {operation.staged.sha256 for operation in operations if isinstance(operation, AddFile)}
    sha256s |= {operation.sha256 for operation in operations if isinstance(operation, AddLargeFile)}
    for sha256 in sorted(sha256s):
        database.lock_blob(connection, sha256)


def of_staged(staged: StagedFile) -> NewFile:
    """The file whose content came with the commit."""
    return NewFile(staged.git_oid, staged.sha256, staged.size, lfs=False, staged=staged)


def of_stored(connection: Connection, git_oid: str) -> NewFile:
    """A file that some commit has."""
    row = connection.execute(select(files).where(files.c.git_oid == git_oid)).one()
    return NewFile(row.git_oid, row.sha256, row.size, row.lfs)


def of_uploaded(
    connection: Connection,
    hub: Hub,
    user_id: int,
    repository: Repository,
    operations: Sequence[AddLargeFile],
    may_use: MayUse,
) -> dict[str, NewFile]:
    """The files whose contents were uploaded before, by path.

    Raises:
        BadRequest: If a content is not there, not this user's to name, or has another size. Which of these it is
            remains unsaid: somebody else's private content must not be found by its hash.
        TooLarge: If a file is above its limit.
    """
    held = held_contents(connection, repository.id, (operation.sha256 for operation in operations))
    found = {}
    for operation in operations:
        sha256 = operation.sha256
        size = connection.scalar(select(blobs.c.size).where(blobs.c.sha256 == sha256))
        usable = sha256 in held or may_use(connection, user_id, repository.id, sha256)
        if size is None or not usable or operation.size not in (None, size):
            raise BadRequest(
                f"The content of {shown(operation.path)} ({sha256}, {operation.size} bytes) has not been uploaded to "
                f"{repository.repo_id}. Push again: huggingface_hub uploads a file before it commits it."
            )
        if size > hub.settings.limits.file_bytes:
            raise TooLarge(f"{shown(operation.path)} has {size} bytes; {hub.settings.limits.file_bytes} are allowed.")
        found[operation.path] = NewFile(object_id("blob", pointer(sha256, size)), sha256, size, lfs=True)
    return found


def held_contents(connection: Connection, repository_id: int, sha256s: Iterable[str]) -> set[str]:
    """Those of these contents that a commit of the repository has already."""
    wanted = sorted(set(sha256s))
    held: set[str] = set()
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        query = (
            select(files.c.sha256)
            .join(repository_files, repository_files.c.git_oid == files.c.git_oid)
            .where(
                repository_files.c.repository_id == repository_id,
                files.c.sha256.in_(wanted[start : start + _ASKED_AT_ONCE]),
            )
        )
        held.update(connection.scalars(query))
    return held


def write(connection: Connection, hub: Hub, repository_id: int, new_files: Iterable[NewFile]) -> None:
    """Puts contents in their place and records them as the repository's.

    Raises:
        BadRequest: If git's id of a file is that of another content (a SHA-1 collision).
        StorageFull: If the disk has no room.
    """
    by_oid = {file.git_oid: file for file in new_files}
    hub.blobs.publish_all(connection, [file.staged for file in by_oid.values() if file.staged is not None])
    oids = sorted(by_oid)
    for start in range(0, len(oids), _ASKED_AT_ONCE):
        batch = oids[start : start + _ASKED_AT_ONCE]
        rows = [
            {"git_oid": oid, "sha256": by_oid[oid].sha256, "size": by_oid[oid].size, "lfs": by_oid[oid].lfs}
            for oid in batch
        ]
        insert_ignore(connection, files, rows)
        kept = connection.execute(
            select(files.c.git_oid, files.c.sha256, files.c.lfs).where(files.c.git_oid.in_(batch))
        )
        if any((row.sha256, row.lfs) != (by_oid[row.git_oid].sha256, by_oid[row.git_oid].lfs) for row in kept):
            raise BadRequest("A file of this commit has the same git id as a different file of this Hub.")
        insert_ignore(connection, repository_files, [{"repository_id": repository_id, "git_oid": oid} for oid in batch])
