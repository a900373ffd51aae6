"""`python -m rl_hub fsck`, `gc`, `backup` and `restore`."""

import argparse
import sys
from contextlib import closing
from pathlib import Path

from rl_hub.commands.subparsers import Subparsers
from rl_hub.hub import Hub
from rl_hub.maintenance import backup as backups
from rl_hub.maintenance import fsck as checks
from rl_hub.maintenance import gc as cleaning
from rl_hub.maintenance import restore as restoring
from rl_hub.settings import Settings


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
    with closing(Hub.open(settings)) as hub, Percent() as progress:
        report = checks.check(hub, progress)
    for problem in report.problems:
        print(f"{problem.kind} {problem.what}: {problem.sentence}")
    if report.more:
        print(f"There are {report.more} more problems like these.")
    print("Checked: " + _listed(report.checked))
    if report.garbage:
        print("Garbage, which `gc` removes: " + _listed(report.garbage))
    print("Nothing is damaged." if report.is_clean else "This Hub is damaged.")
    return 0 if report.is_clean else 1
