"""Restoring a backup into an empty Hub, wholly or not at all.

Contents are put in place first, then all rows in one transaction. If it is killed in between, the Hub is still empty:
contents without rows are garbage.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, literal, select

from rl_hub.blobs import storage_errors
from rl_hub.database import tables, upkeep
from rl_hub.database.schema import HUB
from rl_hub.errors import CommandError
from rl_hub.folders import sync_folder
from rl_hub.hub import Hub
from rl_hub.maintenance import archive, dumps, manifest, rows, unreferenced
from rl_hub.maintenance.archive import DamagedArchive, Member
from rl_hub.maintenance.exclusion import alone
from rl_hub.maintenance.findings import Progress, silent


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
    with source.open("rb") as file:
        read(hub, file, 0, progress)


def read(hub: Hub, file: IO[bytes], start: int, progress: Progress = silent) -> None:
    """Restores a backup that begins somewhere in a file.

    Raises:
        CommandError: As `load`.
        StorageFull: As `load`.
    """
    with alone(hub.settings.data):
        with hub.database.read() as connection:
            check_empty(connection)
        with _all_or_nothing(hub):
            members = archive.members(file, start)
            summaries = manifest.read(file, next(members, None), HUB, rows.SAVED).tables
            found = dumps.check_tables(file, rows.SAVED, summaries, members)
            _place_contents(hub, file, found[tables.blobs.name], members, progress)
            with hub.database.write() as connection:
                check_empty(connection)
                dumps.insert_tables(connection, file, rows.SAVED, found, progress)
                upkeep.continue_ids(connection)


@contextmanager
def _all_or_nothing(hub: Hub) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # There are no rows, so every content goes.
        for _ in unreferenced.files_without_row(hub, dry_run=False):
            pass
        raise


def check_empty(connection: Connection) -> None:
    """Makes sure that nothing is overwritten.

    Raises:
        CommandError: If a Hub has anything in it.
    """
    for table in tables.metadata.sorted_tables:
        if connection.scalar(select(literal(1)).select_from(table).limit(1)):
            raise CommandError(
                f"This Hub is not empty: it has {table.name.replace('_', ' ')}. "
                "Give a new folder (--data), or a new database, to restore into."
            )


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
