"""Restoring a backup into an empty classroom, wholly or not at all, whichever databases it had and has.

The videos are put in place first, then all rows in one transaction, within which the Hub is restored. If it is killed
in between, the classroom is still empty, but its Hub may not be: then restore into a new folder.
"""

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Table, delete, literal, select

from rl_hub.blobs import storage_errors
from rl_hub.database import tables as hub_tables
from rl_hub.database import upkeep
from rl_hub.errors import CommandError
from rl_hub.folders import sync_folder
from rl_hub.hub import Hub
from rl_hub.maintenance import archive, dumps, manifest, rows
from rl_hub.maintenance import restore as hub_restore
from rl_hub.maintenance.archive import DamagedArchive, Member
from rl_hub.maintenance.exclusion import alone
from rl_hub.maintenance.findings import Progress, silent
from rl_leaderboard.boards import assignments
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database import tables
from rl_leaderboard.database.schema import LEADERBOARD
from rl_leaderboard.maintenance.contents import HEARD, HUB, SAVED, SECRET
from rl_leaderboard.sources import embedded

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SECRET_BYTES = 32
# Opening a new classroom fills these with what the course says.
_FROM_THE_COURSE = (tables.assignments, tables.generations)


def load(classroom: Classroom, source: Path, progress: Progress = silent) -> None:
    """Restores a backup.

    Args:
        classroom: An open, empty classroom.
        source: The file that `backup` wrote.
        progress: Told how far it is.

    Raises:
        CommandError: If the classroom is not empty or is being served, or the file is no complete, undamaged backup.
        StorageFull: If the disk has no room for it.
    """
    with alone(classroom.settings.data, "classroom"), source.open("rb") as file, contextlib.ExitStack() as placed:
        with classroom.read() as connection:
            _check_empty(connection)
        members = archive.members(file)
        said = manifest.read(file, next(members, None), LEADERBOARD, SAVED)
        found = dumps.check_tables(file, SAVED, said.tables, members)
        secret = _secret(file, next(members, None))
        rest = _place_videos(classroom, file, found[tables.evaluations.name], members, placed)
        hub = _hub_member(classroom, said.more, rest, members)
        with classroom.database.write() as connection:
            _check_empty(connection)
            for table in _FROM_THE_COURSE:
                connection.execute(delete(table))
            dumps.insert_tables(connection, file, SAVED, found, progress)
            upkeep.continue_sequences(connection, tables.metadata)
            if hub is not None and classroom.hub is not None:
                _restore_hub(classroom.hub, file, hub, int(said.more[HEARD]), progress)
            _replace_secret(classroom.settings.data, secret)
        placed.pop_all()
    assignments.follow_course(classroom.database, classroom.course)


def _check_empty(connection: Connection) -> None:
    for table in tables.metadata.sorted_tables:
        if table not in _FROM_THE_COURSE and connection.scalar(select(literal(1)).select_from(table).limit(1)):
            raise CommandError(
                f"This classroom is not empty: it has {table.name.replace('_', ' ')}. Give a new folder "
                "(RL_LEADERBOARD_DATA), or a new database (RL_LEADERBOARD_DATABASE), to restore into."
            )


def _secret(file: IO[bytes], member: Member | None) -> bytes:
    if member is None or (member.name, member.size) != (SECRET, _SECRET_BYTES):
        raise DamagedArchive("The backup does not have the classroom's secret where it has to be.")
    return b"".join(archive.pieces(file, member.offset, member.size))


def _replace_secret(folder: Path, secret: bytes) -> None:
    """Forms that were open in a browser are good on the restored classroom as well."""
    new = folder / f"{SECRET}.{secrets.token_hex(4)}"
    with storage_errors(), os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(secret)
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(folder / SECRET)
    sync_folder(folder)


def _place_videos(
    classroom: Classroom, file: IO[bytes], table: Member, members: Iterator[Member], placed: contextlib.ExitStack
) -> Member | None:
    """Puts each video in place that an evaluation names, and takes no other; returns the member that follows."""
    for name in sorted(_named(file, table, tables.evaluations)):
        member = next(members, None)
        if member is None or member.name != f"files/{name}" or not _SHA256.fullmatch(name):
            raise DamagedArchive(f"The backup does not have the video {name} where it has to be.")
        with storage_errors():
            classroom.files.mkdir(mode=0o700, exist_ok=True)
            # What a failed restore has put there goes again.
            placed.callback(classroom.video(name).unlink, missing_ok=True)
            _place(classroom.video(name), name, file, member)
    if classroom.files.exists():
        sync_folder(classroom.files)
    return next(members, None)


def _named(file: IO[bytes], member: Member, table: Table) -> set[str]:
    lines = archive.lines(file, member.offset, member.size)
    return {replay for line in lines if (replay := rows.decode(table, line)["replay"]) is not None}


def _place(path: Path, sha256: str, file: IO[bytes], member: Member) -> None:
    digest = hashlib.sha256()
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as opened:
            for piece in archive.pieces(file, member.offset, member.size):
                digest.update(piece)
                opened.write(piece)
            opened.flush()
            os.fsync(opened.fileno())
        if digest.hexdigest() != sha256:
            raise DamagedArchive(f"The video {sha256} of the backup has changed since it was written.")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _hub_member(
    classroom: Classroom, said: Mapping[str, Any], member: Member | None, members: Iterator[Member]
) -> Member | None:
    """The Hub's backup, if there is one, which is then the last that there is."""
    heard = said.get(HEARD)
    if heard is None and member is None:
        return None
    is_number = isinstance(heard, int) and not isinstance(heard, bool) and 0 <= heard < 2**63
    if not is_number or member is None or member.name != HUB or next(members, None) is not None:
        raise DamagedArchive("The backup has other members at its end than its manifest says.")
    if classroom.hub is None:
        raise CommandError("The backup has a Hub in it: restore it with RL_LEADERBOARD_HUB=yes.")
    return member


def _restore_hub(hub: Hub, file: IO[bytes], member: Member, heard: int, progress: Progress) -> None:
    hub_restore.read(hub, file, member.offset, progress)
    table = hub_tables.subscribers
    with hub.database.write() as connection:
        # What the Hub has told since the classroom's rows were read is told again.
        connection.execute(table.update().where(table.c.name == embedded.NAME).values(last_event_id=heard))
