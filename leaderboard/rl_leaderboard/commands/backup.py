"""`python -m rl_leaderboard backup` and `restore`."""

import argparse
from pathlib import Path

from rl_hub.commands.maintenance import percent
from rl_hub.commands.subparsers import Subparsers
from rl_leaderboard.commands.opening import existing, opened
from rl_leaderboard.settings import Settings


def add_parsers(subparsers: Subparsers) -> None:
    """Adds the commands."""
    parser = subparsers.add_parser(
        "backup", help="write everything, the Hub too, into one file, also while it is served"
    )
    parser.add_argument("file", type=Path, help="a tar; one that is there already is replaced")
    parser.set_defaults(run=backup)
    parser = subparsers.add_parser("restore", help="fill an empty classroom from a backup, also in another database")
    parser.add_argument("file", type=Path, help="what `backup` wrote")
    parser.set_defaults(run=restore)


def backup(settings: Settings, options: argparse.Namespace) -> int:
    """Writes a backup."""
    from rl_leaderboard.maintenance import backup as backups

    with existing(settings) as classroom, percent() as progress:
        backups.save(classroom, options.file, progress)
    print(f"{options.file} has {options.file.stat().st_size} bytes. It holds secrets: keep it to yourself.")
    return 0


def restore(settings: Settings, options: argparse.Namespace) -> int:
    """Fills an empty classroom."""
    from rl_leaderboard.maintenance import restore as restoring

    with opened(settings) as classroom, percent() as progress:
        restoring.load(classroom, options.file, progress)
    print(f"The classroom in {settings.data} is what {options.file} holds.")
    return 0
