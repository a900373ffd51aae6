"""The file of new passwords that a teacher hands out: readable by its owner only, and never half written."""

import csv
import io
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from rl_hub.errors import CommandError
from rl_hub.settings import MIB

_MOST_BYTES = 4 * MIB
_HEADER = ["name", "password"]


def read_text(path: Path, most: int) -> str:
    """A file of text as spreadsheets save it.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        CommandError: If it is larger, or not UTF-8.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise CommandError(f"{path} is too large: {most} bytes are read at most.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not in UTF-8: save it as CSV UTF-8.") from None


def add_passwords(path: Path, new: Mapping[str, str]) -> None:
    """Adds passwords to the file; those of people who are not in `new` stay.

    Args:
        path: A CSV with a header; made if it is not there.
        new: Passwords by name.

    Raises:
        CommandError: If the file there is another one.
        OSError: If it cannot be written.
    """
    passwords = _read(path) if path.exists() else {}
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_HEADER)
    writer.writerows(sorted({**passwords, **new}.items()))
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text.getvalue().encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, str]:
    rows = list(csv.reader(io.StringIO(read_text(path, _MOST_BYTES), newline="")))
    if not rows or rows[0] != _HEADER or any(len(row) != len(_HEADER) for row in rows):
        raise CommandError(f"{path} is not a file of passwords: move it away, or name another with --passwords.")
    return {row[0]: row[1] for row in rows[1:]}
