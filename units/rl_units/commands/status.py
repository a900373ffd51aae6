"""`status`: how far one's own submissions are."""

import argparse
from typing import TYPE_CHECKING

from rl_units.commands.common import add_classroom_argument, positive
from rl_units.commands.tables import evidence, moment, number, render_table

if TYPE_CHECKING:
    from rl_units.classroom.answers import Submission


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's flags."""
    parser.add_argument("--limit", type=positive, default=20, help="number of submissions (default: 20)")
    add_classroom_argument(parser)


def run(options: argparse.Namespace) -> None:
    """Prints a table of the newest submissions, and under it what the classroom says about each.

    Raises:
        UserError: If there is no token, the classroom refuses, or cannot be reached.
    """
    from rl_units.classroom.client import open_classroom

    classroom = open_classroom(options.classroom)
    submissions = classroom.submissions(options.limit)
    if not submissions:
        print(f"{classroom.address} has nothing of yours yet. Hand an agent in: python -m rl_units push_to_hub -h")
        return
    headings = ("id", "assignment", "repository", "commit", "state", "score", "", "rank", "submitted (UTC)")
    print(render_table(headings, [_row(submission) for submission in submissions], {"id", "score", "rank"}))
    for submission in submissions:
        if submission.reason:
            print(f"{submission.id}: {submission.reason}")


def _row(submission: "Submission") -> tuple[str, ...]:
    return (
        str(submission.id),
        submission.assignment or "-",
        submission.repo_id,
        submission.sha[:7] or "-",
        submission.state,
        number(submission.score),
        "" if submission.score is None else evidence(submission.verified),
        "-" if submission.rank is None else str(submission.rank),
        moment(submission.submitted_at),
    )
