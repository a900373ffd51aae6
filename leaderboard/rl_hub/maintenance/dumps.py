"""Tables in an archive: all rows of one moment, and back, for any program whose tables are ours.

Everything is read twice, because a tar names sizes first; in one transaction both times are alike.
"""

import hashlib
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.exc import DBAPIError

from rl_hub.blobs import storage_errors
from rl_hub.errors import CommandError
from rl_hub.folders import sync_folder
from rl_hub.maintenance import archive, rows
from rl_hub.maintenance.archive import DamagedArchive, Member
from rl_hub.maintenance.findings import Progress
from rl_hub.maintenance.manifest import TableSummary

_BATCH = 100


@contextmanager
def new_file(target: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name when it is whole, and that only its owner may read.

    Raises:
        StorageFull: If the disk has no room for it.
    """
    part = target.with_name(f"{target.name}.part")
    with storage_errors():
        try:
            # What a killed backup has left is replaced.
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
            sync_folder(target.parent)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def summarise(connection: Connection, tables: Sequence[Table]) -> dict[str, TableSummary]:
    """What the lines of tables are, by the tables' names."""
    return {table.name: _summary(connection, table) for table in tables}


def write_member(file: IO[bytes], name: str, content: bytes) -> None:
    """Writes a small member."""
    archive.write_header(file, name, len(content))
    file.write(content)
    archive.end_member(file, len(content))


def write_tables(
    connection: Connection,
    tables: Sequence[Table],
    summaries: Mapping[str, TableSummary],
    file: IO[bytes],
    progress: Progress,
) -> dict[str, int]:
    """Writes tables, in the transaction that they were summarised in; returns where the lines of each begin."""
    offsets: dict[str, int] = {}
    for table in tables:
        size = summaries[table.name].size
        archive.write_header(file, f"tables/{table.name}.jsonl", size)
        offsets[table.name] = file.tell()
        file.writelines(_lines(connection, table))
        archive.end_member(file, size)
        progress("tables", len(offsets), len(tables))
    return offsets


def write_file(file: IO[bytes], name: str, size: int, path: Path, sha256: str) -> bool:
    """Writes a file that is named by its content; returns whether it is what its name says.

    Raises:
        FileNotFoundError: If there is none.
    """
    file.seek(0, os.SEEK_END)
    archive.write_header(file, name, size)
    digest, written = hashlib.sha256(), 0
    with path.open("rb") as content:
        while piece := content.read(archive.PIECE_BYTES):
            digest.update(piece)
            written += file.write(piece)
    archive.end_member(file, size)
    return written == size and digest.hexdigest() == sha256


def check_tables(
    file: IO[bytes], tables: Sequence[Table], summaries: Mapping[str, TableSummary], members: Iterator[Member]
) -> dict[str, Member]:
    """The members of tables, by the tables' names.

    Raises:
        DamagedArchive: If one is not as the manifest says.
    """
    return {table.name: _checked(file, table, summaries[table.name], next(members, None)) for table in tables}


def insert_tables(
    connection: Connection, file: IO[bytes], tables: Sequence[Table], found: Mapping[str, Member], progress: Progress
) -> None:
    """Inserts the rows of tables that were checked.

    Raises:
        CommandError: If a row is not what it has to be, or the database does not take it.
    """
    try:
        for number, table in enumerate(tables, start=1):
            member = found[table.name]
            lines = archive.lines(file, member.offset, member.size)
            while batch := [rows.decode(table, line) for line in itertools.islice(lines, _BATCH)]:
                connection.execute(insert(table), batch)
            progress("tables", number, len(tables))
    except DBAPIError as error:
        raise CommandError(f"The backup has rows that the database does not take: {error.orig}.") from error


def _checked(file: IO[bytes], table: Table, summary: TableSummary, member: Member | None) -> Member:
    if member is None or member.name != f"tables/{table.name}.jsonl":
        raise DamagedArchive(f"The backup does not have table {table.name} where it has to be.")
    digest, number = hashlib.sha256(), 0
    for piece in archive.pieces(file, member.offset, member.size):
        digest.update(piece)
        number += piece.count(b"\n")
    if (number, member.size, digest.hexdigest()) != (summary.rows, summary.size, summary.sha256):
        raise DamagedArchive(f"Table {table.name} of the backup has changed since it was written.")
    return member


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
