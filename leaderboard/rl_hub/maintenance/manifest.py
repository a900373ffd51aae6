"""What a backup says about itself, in its first member."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any

from sqlalchemy import Table

from rl_hub import clock
from rl_hub.database.schema import Schema
from rl_hub.maintenance import archive
from rl_hub.maintenance.archive import DamagedArchive, Member

NAME = "manifest.json"
LONGEST = 2**20
"""Bytes."""

FORMAT = 1
"""Grows when older versions of `restore` could not read what `backup` writes."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class TableSummary:
    """The lines of a table.

    Attributes:
        rows: How many.
        size: Their bytes.
        sha256: Of all of them.
    """

    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup says about itself.

    Attributes:
        tables: Every table by its name.
        more: What its program adds.
    """

    tables: Mapping[str, TableSummary]
    more: Mapping[str, Any]


def to_json(schema: Schema, tables: Mapping[str, TableSummary], more: Mapping[str, Any] | None = None) -> bytes:
    """A manifest of this version of a program.

    Args:
        schema: The program's migrations.
        tables: Every table by its name.
        more: What else is to be known at a restore, as JSON.
    """
    manifest = {
        "format": FORMAT,
        "schema": schema.head,
        "created_at": clock.now().isoformat(),
        "tables": {name: asdict(summary) for name, summary in tables.items()},
        **(more or {}),
    }
    return json.dumps(manifest, indent=1).encode()


def read(file: IO[bytes], member: Member | None, schema: Schema, saved: Sequence[Table]) -> Manifest:
    """The manifest of an archive.

    Args:
        file: The archive.
        member: Its first member.
        schema: The program's migrations.
        saved: The tables of a backup.

    Raises:
        DamagedArchive: If this version of the program cannot restore it.
    """
    if member is None or member.name != NAME or member.size > LONGEST:
        raise DamagedArchive(f"This is no backup of {schema.owner}: it does not begin with its manifest.")
    return from_json(b"".join(archive.pieces(file, member.offset, member.size)), schema, saved)


def from_json(text: bytes, schema: Schema, saved: Sequence[Table]) -> Manifest:
    """What a manifest says.

    Raises:
        DamagedArchive: If this version of the program cannot restore it.
    """
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        raise DamagedArchive("The manifest of the backup is not JSON.") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("tables"), dict):
        raise DamagedArchive("The manifest of the backup does not say which tables there are.")
    made_with = (manifest.get("format"), manifest.get("schema"))
    if made_with != (FORMAT, schema.head):
        raise DamagedArchive(
            f"The backup has format {made_with[0]!r} and schema {made_with[1]!r}; this version of {schema.owner} "
            f"restores {FORMAT!r} and {schema.head!r}. Restore it with the version that made it, then upgrade."
        )
    tables = manifest.pop("tables")
    if list(tables) != [table.name for table in saved]:
        raise DamagedArchive(f"The manifest of the backup names other tables than {schema.owner} has.")
    return Manifest({name: _summary(name, value) for name, value in tables.items()}, manifest)


def _summary(name: str, value: Any) -> TableSummary:
    try:
        summary = TableSummary(**value)
    except TypeError:
        raise DamagedArchive(f"The manifest of the backup does not describe table {name}.") from None
    numbers = (summary.rows, summary.size)
    is_valid = all(isinstance(number, int) and number >= 0 for number in numbers)
    if not is_valid or not isinstance(summary.sha256, str) or not _SHA256.fullmatch(summary.sha256):
        raise DamagedArchive(f"The manifest of the backup does not describe table {name}.")
    return summary
