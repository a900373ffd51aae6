"""Backups of a classroom that is being used, with its Hub, in one file.

The classroom's rows are of one moment, the Hub's of a later one. Which events of the Hub the classroom had heard of is
noted before either, so that a restored classroom is told the rest. The file holds secrets, so only its owner may read
it.
"""

import contextlib
import os
import tarfile
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, select

from rl_hub.errors import CommandError
from rl_hub.events import feed
from rl_hub.hub import Hub
from rl_hub.maintenance import archive, dumps, manifest
from rl_hub.maintenance import backup as hub_backup
from rl_hub.maintenance.exclusion import maintenance
from rl_hub.maintenance.findings import Progress, silent
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database.schema import LEADERBOARD
from rl_leaderboard.database.tables import evaluations
from rl_leaderboard.maintenance.contents import HEARD, HUB, SAVED, SECRET
from rl_leaderboard.sources import embedded

# Other maintenance that is running is worth waiting for.
_WAIT_SECONDS = 600


def save(classroom: Classroom, target: Path, progress: Progress = silent) -> None:
    """Writes a backup.

    Args:
        classroom: An open classroom, which may be in use by others.
        target: The file; one that is there already is replaced at the end.
        progress: Told how far it is.

    Raises:
        CommandError: If other maintenance is still running after ten minutes, or a file is damaged.
        StorageFull: If the disk has no room for it.
    """
    hub = classroom.hub
    with contextlib.ExitStack() as stack:
        stack.enter_context(maintenance(classroom.settings.data, _WAIT_SECONDS, "classroom"))
        if hub is not None:
            stack.enter_context(maintenance(hub.settings.data, _WAIT_SECONDS))
        file = stack.enter_context(dumps.new_file(target))
        _write_classroom(classroom, file, progress)
        if hub is not None:
            _write_hub(hub, file, progress)
        archive.end(file)


def _write_classroom(classroom: Classroom, file: IO[bytes], progress: Progress) -> None:
    heard = {HEARD: None if classroom.hub is None else _position(classroom.hub)}
    with classroom.read() as connection:
        summaries = dumps.summarise(connection, SAVED)
        dumps.write_member(file, manifest.NAME, manifest.to_json(LEADERBOARD, summaries, heard))
        dumps.write_tables(connection, SAVED, summaries, file, progress)
        names = _replays(connection)
    dumps.write_member(file, SECRET, classroom.secret)
    for done, name in enumerate(names, start=1):
        _write_video(classroom.video(name), name, file)
        progress("videos", done, len(names))


def _position(hub: Hub) -> int:
    with hub.database.read() as connection:
        return feed.position(connection, embedded.NAME)


def _replays(connection: Connection) -> list[str]:
    """The videos that evaluations name; sorted here, because databases sort in ways of their own."""
    named = select(evaluations.c.replay).where(evaluations.c.replay.is_not(None)).distinct()
    return sorted(name for name in connection.scalars(named) if name)


def _write_video(path: Path, sha256: str, file: IO[bytes]) -> None:
    try:
        is_sound = dumps.write_file(file, f"files/{sha256}", path.stat().st_size, path, sha256)
    except FileNotFoundError:
        is_sound = False
    if not is_sound:
        raise CommandError(
            f"The video {path} is missing or damaged, so there is no backup. Put it back from an older backup."
        )


def _write_hub(hub: Hub, file: IO[bytes], progress: Progress) -> None:
    """Writes the Hub's own backup as a member, whose size is known and put in front of it at the end."""
    place = file.seek(0, os.SEEK_END)
    archive.write_header(file, HUB, 0)
    start = file.tell()
    hub_backup.write(hub, file, progress)
    size = file.seek(0, os.SEEK_END) - start
    file.seek(place)
    archive.write_header(file, HUB, size)
    file.seek(0, os.SEEK_END)
    assert size % tarfile.BLOCKSIZE == 0  # noqa: S101  a tar in a tar needs no padding
