"""`submit`: ask the classroom to read an agent's repository now."""

import argparse
import re

from rl_units.commands.common import add_classroom_argument
from rl_units.errors import ClassroomError

_REPO_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's flags."""
    parser.add_argument("repo_id", metavar="OWNER/NAME", help="the repository, as push_to_hub prints it")
    parser.add_argument("--revision", help="branch, tag or commit (default: the newest)")
    add_classroom_argument(parser)


def run(options: argparse.Namespace) -> None:
    """Submits the repository; a push to the class's own Hub arrives without that.

    Raises:
        UserError: If the name is none, the classroom refuses, or cannot be reached.
    """
    from rl_units.classroom.client import open_classroom

    if not _REPO_ID.fullmatch(options.repo_id):
        raise ClassroomError(
            f"{options.repo_id!r} is not a repository: write <owner>/<name>, as push_to_hub prints it."
        )
    classroom = open_classroom(options.classroom)
    receipt = classroom.submit(options.repo_id, options.revision)
    purpose = f" for {receipt.assignment}" if receipt.assignment else ""
    name = "" if receipt.id is None else f"Submission {receipt.id}: "
    print(f"{name}{options.repo_id}{purpose} is {receipt.state}.")
    if receipt.url:
        print(f"Its page: {classroom.page(receipt.url)}")
    flag = f" --classroom {options.classroom}" if options.classroom else ""
    print(f"See how far it is: python -m rl_units status{flag}")
