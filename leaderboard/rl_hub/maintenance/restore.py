"""Restoring a backup into an empty Hub, wholly or not at all.

Contents are put in place first, then all rows in one transaction. If it is killed in between, the Hub is still empty:
contents without rows are garbage.
"""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Table, insert, literal, select
from sqlalchemy.exc import DBAPIError

from rl_hub.blobs import storage_errors
from rl_hub.database import tables, upkeep
from rl_hub.errors import CommandError
from rl_hub.folders import sync_folder
from rl_hub.hub import Hub
from rl_hub.maintenance import archive, manifest, rows, unreferenced
from rl_hub.maintenance.archive import DamagedArchive, Member
from rl_hub.maintenance.exclusion import alone
from rl_hub.maintenance.findings import Progress, silent
from rl_hub.maintenance.manifest import TableSummary

_BATCH = 100


def load(hub: Hub, source: Path, progress: Progress = silent) -> None:
    """Restores a backup.

    Args:
        hub: An open, empty Hub.
        source: The file that `backup` wrote.
        progress: Told how far it is.

    Raises:
        CommandError: If the Hub is not empty or is being served, or the file is no complete, undamaged backup.
        StorageFull: If the disk has no room for it.
    """
    with alone(hub.settings.data), source.open("rb") as file:
        with hub.database.read() as connection:
            _check_empty(connection)
        with _all_or_nothing(hub):
            members = archive.members(file)
            summaries = _manifest(file, next(members, None))
            found = {
                table.name: _table(file, table, summaries[table.name], next(members, None)) for table in rows.SAVED
            }
            _place_contents(hub, file, found[tables.blobs.name], members, progress)
            _insert_rows(hub, file, found, progress)


@contextmanager
def _all_or_nothing(hub: Hub) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # There are no rows, so every content goes.
        for _ in unreferenced.files_without_row(hub, dry_run=False):
            pass
        raise


def _check_empty(connection: Connection) -> None:
    for table in tables.metadata.sorted_tables:
        if connection.scalar(select(literal(1)).select_from(table).limit(1)):
            raise CommandError(
                f"This Hub is not empty: it has {table.name.replace('_', ' ')}. "
                "Give a new folder (--data), or a new database, to restore into."
            )


def _manifest(file: IO[bytes], member: Member | None) -> Mapping[str, TableSummary]:
    if member is None or member.name != manifest.NAME or member.size > manifest.LONGEST:
        raise DamagedArchive("This is no backup of a Hub: it does not begin with its manifest.")
    return manifest.from_json(b"".join(archive.pieces(file, member.offset, member.size)))


def _table(file: IO[bytes], table: Table, summary: TableSummary, member: Member | None) -> Member:
    """The member of a table, if it is as the manifest says."""
    if member is None or member.name != f"tables/{table.name}.jsonl":
        raise DamagedArchive(f"The backup does not have table {table.name} where it has to be.")
    digest, number = hashlib.sha256(), 0
    for piece in archive.pieces(file, member.offset, member.size):
        digest.update(piece)
        number += piece.count(b"\n")
    if (number, member.size, digest.hexdigest()) != (summary.rows, summary.size, summary.sha256):
        raise DamagedArchive(f"Table {table.name} of the backup has changed since it was written.")
    return member


def _place_contents(hub: Hub, file: IO[bytes], blobs: Member, members: Iterator[Member], progress: Progress) -> None:
    """Puts each content in place that a row names, in the rows' order, and takes no other."""
    folders = set()
    for number, line in enumerate(archive.lines(file, blobs.offset, blobs.size), start=1):
        row = rows.decode(tables.blobs, line)
        member = next(members, None)
        if member is None or (member.name, member.size) != (f"blobs/{row['sha256']}", row["size"]):
            raise DamagedArchive(f"The backup does not have content {row['sha256']} where it has to be.")
        folders.add(_place(hub, file, member, row["sha256"]))
        progress("contents of files", number, number)
    if next(members, None) is not None:
        raise DamagedArchive("The backup has a member that none of its tables names.")
    for folder in (*folders, hub.blobs.folder):
        sync_folder(folder)


def _place(hub: Hub, file: IO[bytes], member: Member, sha256: str) -> Path:
    """Puts a content in place; returns its folder."""
    with hub.blobs.stage(member.size) as staged:
        for piece in archive.pieces(file, member.offset, member.size):
            staged.write(piece)
        staged.close()
        if staged.sha256 != sha256:
            raise DamagedArchive(f"Content {sha256} of the backup has changed since it was written.")
        place = hub.blobs.path(staged.sha256)
        with storage_errors():
            place.parent.mkdir(exist_ok=True)
            staged.path.replace(place)
    return place.parent


def _insert_rows(hub: Hub, file: IO[bytes], found: Mapping[str, Member], progress: Progress) -> None:
    try:
        with hub.database.write() as connection:
            _check_empty(connection)
            for number, table in enumerate(rows.SAVED, start=1):
                member = found[table.name]
                lines = archive.lines(file, member.offset, member.size)
                while batch := [rows.decode(table, line) for line in itertools.islice(lines, _BATCH)]:
                    connection.execute(insert(table), batch)
                progress("tables", number, len(rows.SAVED))
            upkeep.continue_ids(connection)
    except DBAPIError as error:
        raise CommandError(f"The backup has rows that the database does not take: {error.orig}.") from error
