"""Backups of a Hub that is being used: all rows of one moment, and all contents that they name.

The file holds password hashes and webhooks' secrets, so only its owner may read it. It appears under its name when it
is whole.
"""

import json
from pathlib import Path
from typing import IO

from rl_hub.database import tables
from rl_hub.database.schema import HUB
from rl_hub.errors import CommandError
from rl_hub.hub import Hub
from rl_hub.maintenance import archive, dumps, manifest, rows
from rl_hub.maintenance.exclusion import maintenance
from rl_hub.maintenance.findings import Progress, silent

# A clean-up or a check that is running is worth waiting for.
_WAIT_SECONDS = 600


def save(hub: Hub, target: Path, progress: Progress = silent) -> None:
    """Writes a backup.

    Args:
        hub: An open Hub, which may be in use by others.
        target: The file; one that is there already is replaced at the end.
        progress: Told how far it is.

    Raises:
        CommandError: If other maintenance is still running after ten minutes, or a content is damaged.
        StorageFull: If the disk has no room for it.
    """
    with maintenance(hub.settings.data, _WAIT_SECONDS), dumps.new_file(target) as file:
        write(hub, file, progress)


def write(hub: Hub, file: IO[bytes], progress: Progress = silent) -> None:
    """Appends a backup to a file; the caller keeps other maintenance away.

    Raises:
        CommandError: If a content is damaged.
    """
    with hub.database.read() as connection:
        summaries = dumps.summarise(connection, rows.SAVED)
        dumps.write_member(file, manifest.NAME, manifest.to_json(HUB, summaries))
        offsets = dumps.write_tables(connection, rows.SAVED, summaries, file, progress)
    # The contents stay as long as nobody cleans up, so the transaction, which is in SQLite's way, need not.
    name = tables.blobs.name
    for done, line in enumerate(archive.lines(file, offsets[name], summaries[name].size), start=1):
        blob = json.loads(line)
        _write_content(hub, blob["sha256"], blob["size"], file)
        progress("contents of files", done, summaries[name].rows)
    archive.end(file)


def _write_content(hub: Hub, sha256: str, size: int, file: IO[bytes]) -> None:
    try:
        is_sound = dumps.write_file(file, f"blobs/{sha256}", size, hub.blobs.path(sha256), sha256)
    except FileNotFoundError:
        is_sound = False
    if not is_sound:
        raise CommandError(
            f"Content {sha256} is missing or damaged, so there is no backup. fsck says where it belongs."
        )
