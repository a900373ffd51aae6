"""Rows of tables as lines of JSON, the same for both databases."""

import base64
import binascii
import json
import sys
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, LargeBinary, Row, Table

from rl_hub.database import tables
from rl_hub.database.columns import UtcDateTime
from rl_hub.errors import CommandError

SAVED = tuple(
    table
    for table in tables.metadata.sorted_tables
    # Uploads and sign-ins that are under way are begun again on a restored Hub.
    if table
    not in (tables.sessions, tables.device_codes, tables.throttles, tables.xet_namespaces, tables.upload_grants)
)
"""The tables of a Hub's backup, each after those that it refers to."""


def encode(table: Table, row: Row[Any]) -> bytes:
    """A row as a line."""
    values = {column.name: _encoded(value) for column, value in zip(table.columns, row, strict=True)}
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"


def decode(table: Table, line: bytes) -> dict[str, Any]:
    """The values of a row, each of its column's type.

    Raises:
        CommandError: If the line is no row of this table.
    """
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise _refused(table, "a line that is not JSON") from None
    names = [column.name for column in table.columns]
    if not isinstance(values, dict) or sorted(values) != sorted(names):
        raise _refused(table, "a row with other columns than this version has")
    return {column.name: _decoded(table, column, values[column.name]) for column in table.columns}


def _encoded(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _decoded(table: Table, column: Column[Any], value: Any) -> Any:
    if value is None and column.nullable:
        return None
    decoded: Any
    if isinstance(column.type, Boolean):
        decoded = value if isinstance(value, bool) else None
    elif isinstance(column.type, (Integer, BigInteger)):
        decoded = value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None
    elif isinstance(column.type, Float):
        decoded = _number(value)
    elif not isinstance(value, str):
        decoded = None
    elif isinstance(column.type, LargeBinary):
        decoded = _bytes(value)
    elif isinstance(column.type, UtcDateTime):
        decoded = _datetime(value)
    else:
        decoded = _text(value)
    if decoded is None:
        raise _refused(table, f"a row whose {column.name} is not what it has to be")
    return decoded


def _number(value: Any) -> float | None:
    """A finite number; an integer may be too large to be compared as one."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= sys.float_info.max else None


def _bytes(value: str) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


def _datetime(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _text(value: str) -> str | None:
    """A text that both databases can hold."""
    return None if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value) else value


def _refused(table: Table, what: str) -> CommandError:
    return CommandError(f"The backup has {what}, in table {table.name}.")
