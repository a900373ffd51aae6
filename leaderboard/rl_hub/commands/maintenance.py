"""`python -m rl_hub fsck`, `gc`, `backup` and `restore`."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rl_hub.commands.subparsers import Subparsers
from rl_hub.errors import CommandError
from rl_hub.hub import Hub
from rl_hub.maintenance import backup as backups
from rl_hub.maintenance import fsck as checks
from rl_hub.maintenance import gc as cleaning
from rl_hub.maintenance import restore as restoring
from rl_hub.settings import Settings


class Percent:
    """How far something is, in one line that changes; nothing where nobody looks on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Shows it."""
        text = f"{what}: {min(100, 100 * done // max(total, 1))} %"
        if text != self._shown and self._stream.isatty():
            self._stream.write("\r" + text.ljust(len(self._shown)))
            self._stream.flush()
            self._shown = text

    def close(self) -> None:
        """Makes room for what is printed next."""
        if self._shown:
            self._stream.write("\r" + " " * len(self._shown) + "\r")
            self._stream.flush()


def add_parsers(subparsers: Subparsers) -> None:
    """Adds the commands."""
    parser = subparsers.add_parser("fsck", help="check every content, commit and reference; 1 if something is damaged")
    parser.set_defaults(run=fsck)
    parser = subparsers.add_parser("gc", help="remove what nothing refers to any more")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    parser.set_defaults(run=gc)
    parser = subparsers.add_parser("backup", help="write everything into one file, also while the Hub is served")
    parser.add_argument("file", type=Path, help="a tar; one that is there already is replaced")
    parser.set_defaults(run=backup)
    parser = subparsers.add_parser("restore", help="fill an empty Hub from a backup")
    parser.add_argument("file", type=Path, help="what `backup` wrote")
    parser.set_defaults(run=restore)


def fsck(settings: Settings, options: argparse.Namespace) -> int:  # noqa: ARG001  the signature of commands
    """Checks the Hub and prints what is damaged.

    Returns:
        0 if nothing is, 1 if something is.
    """
    with _existing(settings) as hub, percent() as progress:
        report = checks.check(hub, progress)
    for problem in report.problems:
        print(f"{problem.kind} {problem.what}: {problem.sentence}")
    if report.more:
        print(f"There are {report.more} more problems like these.")
    print(f"Checked: {_listed(report.checked)}.")
    if report.garbage:
        print(f"Garbage, which gc removes: {_listed(report.garbage)}.")
    print("Nothing is damaged." if report.is_clean else "This Hub is damaged.")
    return 0 if report.is_clean else 1


def gc(settings: Settings, options: argparse.Namespace) -> int:
    """Removes garbage and prints how much."""
    with _existing(settings) as hub:
        removed = cleaning.collect(hub, dry_run=options.dry_run)
    print(f"{'There is' if options.dry_run else 'Removed'}: {_listed(removed)}.")
    return 0


def backup(settings: Settings, options: argparse.Namespace) -> int:
    """Writes a backup."""
    with _existing(settings) as hub, percent() as progress:
        backups.save(hub, options.file, progress)
    print(f"{options.file} has {options.file.stat().st_size} bytes. It holds secrets: keep it to yourself.")
    return 0


def restore(settings: Settings, options: argparse.Namespace) -> int:
    """Fills an empty Hub."""
    hub = Hub.open(settings)
    try:
        with percent() as progress:
            restoring.load(hub, options.file, progress)
    finally:
        hub.close()
    print(f"The Hub in {settings.data} is what {options.file} holds.")
    return 0


@contextmanager
def _existing(settings: Settings) -> Iterator[Hub]:
    """A Hub that has been served before.

    Raises:
        CommandError: If there is none; a mistyped folder is not made into a new Hub.
    """
    if not (settings.data / "secret.key").is_file():
        raise CommandError(f"There is no Hub in {settings.data}. Say where it is with --data.")
    hub = Hub.open(settings)
    try:
        yield hub
    finally:
        hub.close()


@contextmanager
def percent() -> Iterator[Percent]:
    """Shows progress for the length of a `with` block."""
    progress = Percent(sys.stderr)
    try:
        yield progress
    finally:
        progress.close()


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in counts.items()) or "nothing"
