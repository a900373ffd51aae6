"""Backups of a Hub that is being used: all rows of one moment, and all contents that they name.

The file holds password hashes and webhooks' secrets, so only its owner may read it. It appears under its name when it
is whole.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Table, select

from rl_hub.blobs import storage_errors
from rl_hub.database import tables
from rl_hub.errors import CommandError
from rl_hub.folders import sync_folder
from rl_hub.hub import Hub
from rl_hub.maintenance import archive, manifest, rows
from rl_hub.maintenance.exclusion import maintenance
from rl_hub.maintenance.findings import Progress, silent
from rl_hub.maintenance.manifest import TableSummary

_BATCH = 100
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
    part = target.with_name(f"{target.name}.part")
    with maintenance(hub.settings.data, _WAIT_SECONDS), storage_errors():
        try:
            # What a killed backup has left is replaced.
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
                _write(hub, file, progress)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
            sync_folder(target.parent)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _write(hub: Hub, file: IO[bytes], progress: Progress) -> None:
    offsets: dict[str, int] = {}
    with hub.database.read() as connection:
        # Everything is read twice, because a tar names sizes first; in one transaction both times are alike.
        summaries = {table.name: _summary(connection, table) for table in rows.SAVED}
        _write_member(file, manifest.NAME, manifest.to_json(summaries))
        for table in rows.SAVED:
            offsets[table.name] = _write_table(connection, table, summaries[table.name].size, file)
            progress("tables", len(offsets), len(rows.SAVED))
    # The contents stay as long as nobody cleans up, so the transaction, which is in SQLite's way, need not.
    name = tables.blobs.name
    for done, line in enumerate(archive.lines(file, offsets[name], summaries[name].size), start=1):
        blob = json.loads(line)
        _write_content(hub, blob["sha256"], blob["size"], file)
        progress("contents of files", done, summaries[name].rows)
    archive.end(file)


def _write_member(file: IO[bytes], name: str, content: bytes) -> None:
    archive.write_header(file, name, len(content))
    file.write(content)
    archive.end_member(file, len(content))


def _write_table(connection: Connection, table: Table, size: int, file: IO[bytes]) -> int:
    """Writes the lines of a table; returns where they begin."""
    archive.write_header(file, f"tables/{table.name}.jsonl", size)
    offset = file.tell()
    file.writelines(_lines(connection, table))
    archive.end_member(file, size)
    return offset


def _write_content(hub: Hub, sha256: str, size: int, file: IO[bytes]) -> None:
    file.seek(0, os.SEEK_END)
    archive.write_header(file, f"blobs/{sha256}", size)
    digest = hashlib.sha256()
    try:
        with hub.blobs.path(sha256).open("rb") as content:
            while piece := content.read(archive.PIECE_BYTES):
                digest.update(piece)
                file.write(piece)
    except FileNotFoundError:
        raise _damaged(sha256) from None
    if digest.hexdigest() != sha256:
        raise _damaged(sha256)
    archive.end_member(file, size)


def _damaged(sha256: str) -> CommandError:
    return CommandError(f"Content {sha256} is missing or damaged, so there is no backup. fsck says where it belongs.")


def _summary(connection: Connection, table: Table) -> TableSummary:
    number, size, digest = 0, 0, hashlib.sha256()
    for line in _lines(connection, table):
        number += 1
        size += len(line)
        digest.update(line)
    return TableSummary(number, size, digest.hexdigest())


def _lines(connection: Connection, table: Table) -> Iterator[bytes]:
    ordered = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_BATCH)
    for row in connection.execute(ordered):
        yield rows.encode(table, row)
