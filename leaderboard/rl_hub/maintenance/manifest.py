"""What a backup says about itself, in its first member."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rl_hub import clock
from rl_hub.database.schema import HUB
from rl_hub.maintenance.archive import DamagedArchive
from rl_hub.maintenance.rows import SAVED

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


def to_json(tables: Mapping[str, TableSummary]) -> bytes:
    """A manifest of this version of the Hub.

    Args:
        tables: Every table by its name.
    """
    manifest = {
        "format": FORMAT,
        "schema": HUB.head,
        "created_at": clock.now().isoformat(),
        "tables": {name: asdict(summary) for name, summary in tables.items()},
    }
    return json.dumps(manifest, indent=1).encode()


def from_json(text: bytes) -> Mapping[str, TableSummary]:
    """The tables of a backup by their names.

    Raises:
        DamagedArchive: If this version of the Hub cannot restore it.
    """
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        raise DamagedArchive("The manifest of the backup is not JSON.") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("tables"), dict):
        raise DamagedArchive("The manifest of the backup does not say which tables there are.")
    made_with = (manifest.get("format"), manifest.get("schema"))
    if made_with != (FORMAT, HUB.head):
        raise DamagedArchive(
            f"The backup has format {made_with[0]!r} and schema {made_with[1]!r}; this version of the Hub restores "
            f"{FORMAT!r} and {HUB.head!r}. Restore it with the version that made it, then upgrade that Hub."
        )
    tables = manifest["tables"]
    if list(tables) != [table.name for table in SAVED]:
        raise DamagedArchive("The manifest of the backup names other tables than a Hub has.")
    return {name: _summary(name, value) for name, value in tables.items()}


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
