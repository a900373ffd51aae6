"""`python -m rl_leaderboard export`: everything a teacher may want, as CSV and JSON."""

import argparse
import contextlib
import csv
import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from rl_hub.commands.subparsers import Subparsers
from rl_hub.errors import CommandError
from rl_hub.maintenance.dumps import new_file
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.commands.opening import existing
from rl_leaderboard.maintenance import export as exporting
from rl_leaderboard.maintenance.export import Sheet
from rl_leaderboard.settings import Settings


class _Place(Protocol):
    """Where files of an export go: a folder, or a zip."""

    def open(self, name: str) -> IO[bytes]:
        """A new file."""


def add_parsers(subparsers: Subparsers) -> None:
    """Adds `export`."""
    parser = subparsers.add_parser(
        "export", help="write boards, rosters, people and submissions as CSV and JSON, without secrets"
    )
    parser.add_argument("target", type=Path, help="a new folder; or a file that ends with .zip")
    parser.set_defaults(run=export)


def export(settings: Settings, options: argparse.Namespace) -> int:
    """Writes all sheets, each as CSV and as JSON.

    Raises:
        CommandError: If the folder is there and has something in it.
    """
    target: Path = options.target
    with existing(settings) as classroom, _opened(target) as place:
        number = _write(classroom, place)
    print(f"{target} has {number} tables, each as CSV and as JSON. It holds names: keep it to yourself.")
    return 0


@contextlib.contextmanager
def _opened(target: Path) -> Iterator[_Place]:
    if target.suffix == ".zip":
        with new_file(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            yield _Zip(archive)
        return
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CommandError(f"{target} is there already: give a new folder, or a file that ends with .zip.")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield _Folder(target)
    except BaseException:
        # Half an export looks like a whole one.
        shutil.rmtree(target, ignore_errors=True)
        raise


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, name: str) -> IO[bytes]:
        path = self._folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def open(self, name: str) -> IO[bytes]:
        return self._archive.open(name, "w", force_zip64=True)


def _write(classroom: Classroom, place: _Place) -> int:
    """Writes the sheets of one moment, each read twice; returns how many."""
    number = 0
    with classroom.read() as connection:
        for write, suffix in ((_write_csv, "csv"), (_write_json, "json")):
            number = 0
            for sheet in exporting.sheets(connection):
                with place.open(f"{sheet.name}.{suffix}") as file:
                    write(sheet, file)
                number += 1
    return number


def _write_csv(sheet: Sheet, file: IO[bytes]) -> None:
    from rl_leaderboard.web.spreadsheets import csv_cell

    with io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True) as text:
        writer = csv.writer(text)
        writer.writerow(sheet.header)
        writer.writerows([csv_cell(value) for value in row] for row in sheet.rows)


def _write_json(sheet: Sheet, file: IO[bytes]) -> None:
    """A list of objects, one a line."""
    separator = b"[\n"
    for row in sheet.rows:
        line = json.dumps(dict(zip(sheet.header, row, strict=True)), ensure_ascii=False, allow_nan=False)
        file.write(separator + line.encode())
        separator = b",\n"
    file.write(b"[]\n" if separator == b"[\n" else b"\n]\n")
