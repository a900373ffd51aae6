"""Contents of files on disk, each under the SHA-256 of itself.

A content is written to a staging file first and moved into place in one step, inside the transaction that records it.
So a blob on disk is always whole, and a row never names a blob that is not there. Removal takes two transactions: the
row first, then the file, if by then no row has come back. A crash in between leaves a file without a row, which the
next clean-up removes.
"""

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO

from sqlalchemy import Connection, select

from rl_hub import clock
from rl_hub.database import tables
from rl_hub.database.engine import Database, insert_ignore
from rl_hub.errors import DISK_FULL, NotFound, StorageFull, TooLarge
from rl_hub.folders import sync_folder
from rl_hub.staging import Staging

_NAME = re.compile(r"[0-9a-f]{64}")
# EDQUOT and EFBIG: a disk quota or a file size limit set from outside.
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turns "no room on the disk" into `StorageFull`.

    Raises:
        StorageFull: If there is no room.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(DISK_FULL) from error
        raise


class StagedFile:
    """A content that is being written; gone at the end of the `with` block unless it was published.

    Attributes:
        path: Where it is written.
        size: Bytes so far.
        sha256: Hex digest, after `close`.
        git_oid: The id that git gives to a file of this content, after `close`, if the size was known from the start.
    """

    def __init__(self, staging: Staging, size: int | None) -> None:
        with storage_errors():
            handle, self.path = staging.create()
        self._staging = staging
        self._file: IO[bytes] = os.fdopen(handle, "wb", buffering=0)
        self._sha256 = hashlib.sha256()
        self._git = None if size is None else hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        self._announced = size
        self.size = 0
        self.sha256 = ""
        self.git_oid = ""

    def __enter__(self) -> "StagedFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._staging.remove(self.path)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Appends; best with pieces of a megabyte.

        Raises:
            TooLarge: If it becomes longer than was announced.
            StorageFull: If the disk has no room.
        """
        self.size += len(data)
        if self._announced is not None and self.size > self._announced:
            raise TooLarge(f"More than the announced {self._announced} bytes were sent.")
        self._sha256.update(data)
        if self._git is not None:
            self._git.update(data)
        rest = memoryview(data)
        with storage_errors():
            while rest:
                rest = rest[self._file.write(rest) :]

    def close(self) -> None:
        """Ends the writing: the content is on the disk, and its digests are known."""
        with storage_errors():
            os.fsync(self._file.fileno())
            self._file.close()
        self.sha256 = self._sha256.hexdigest()
        self.git_oid = self._git.hexdigest() if self._git is not None else ""


class BlobStore:
    """Contents under `blobs/ab/abcd…` in the data folder, and those on their way under `staging/`."""

    def __init__(self, data: Path, database: Database) -> None:
        self.folder = data / "blobs"
        self.staging = data / "staging"
        self._database = database
        self._own_staging = Staging(self.staging)
        for folder in (self.folder, self.staging):
            folder.mkdir(parents=True, exist_ok=True)
        sync_folder(data)

    def stage(self, size: int | None = None) -> StagedFile:
        """A new staging file; with its size announced, git's id of the content is computed too."""
        return StagedFile(self._own_staging, size)

    def path(self, sha256: str) -> Path:
        """Where a content is, or would be.

        Raises:
            NotFound: If this is no SHA-256 in lower-case hex.
        """
        if not _NAME.fullmatch(sha256):
            raise NotFound("A content is named by 64 lower-case hexadecimal digits.")
        return self.folder / sha256[:2] / sha256

    def publish(self, connection: Connection, staged: StagedFile) -> str:
        """Moves a closed staging file into place and records it, inside the caller's write transaction.

        Returns:
            The content's SHA-256.
        """
        self.publish_all(connection, [staged])
        return staged.sha256

    def publish_all(self, connection: Connection, staged: Iterable[StagedFile]) -> None:
        """Does what `publish` does for all these files at once, which takes much less time under the write lock."""
        files = {file.sha256: file for file in sorted(staged, key=lambda file: file.sha256)}
        for sha256 in files:
            self._database.lock_blob(connection, sha256)
        with storage_errors():
            for sha256, file in files.items():
                self._place(file, self.path(sha256))
            # A content that was there already may have come a moment ago, as may its folder: all are synced.
            for folder in {self.path(sha256).parent for sha256 in files}:
                sync_folder(folder)
            sync_folder(self.folder)
        now = clock.now()
        rows = [{"sha256": file.sha256, "size": file.size, "created_at": now} for file in files.values()]
        insert_ignore(connection, tables.blobs, rows)

    def _place(self, file: StagedFile, place: Path) -> None:
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            file.path.replace(place)

    def read(self, sha256: str, limit: int) -> bytes:
        """A whole content.

        Raises:
            TooLarge: If it has more than `limit` bytes.
        """
        with self.path(sha256).open("rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise TooLarge(f"This file has more than {limit} bytes.")
        return content

    def discard(self, sha256: str) -> bool:
        """Removes a content whose row is gone, in write transactions of its own.

        Returns:
            False if a row has come back meanwhile: the content stays.
        """
        with self._database.write() as connection:
            self._database.bury_unfinished(connection)
        with self._database.write() as connection:
            # Again, for whoever was killed since.
            self._database.bury_unfinished(connection)
            self._database.lock_blob(connection, sha256)
            if connection.scalar(select(tables.blobs.c.sha256).where(tables.blobs.c.sha256 == sha256)) is not None:
                return False
            self.path(sha256).unlink(missing_ok=True)
        return True
