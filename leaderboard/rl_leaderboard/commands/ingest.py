"""`python -m rl_leaderboard ingest`: ask the Hubs now, beside a server that may be running."""

import argparse
from collections.abc import Sequence

from rl_hub.commands.subparsers import Subparsers
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.commands.opening import existing
from rl_leaderboard.rules.sources import source_name
from rl_leaderboard.settings import Settings
from rl_leaderboard.sources import embedded, polling
from rl_leaderboard.submissions import submissions

_MOST_SHOWN = 20


def add_parsers(subparsers: Subparsers) -> None:
    """Adds `ingest`."""
    parser = subparsers.add_parser("ingest", help="read the Hubs now, and print what is new; 1 if one fails")
    parser.add_argument(
        "--full",
        action="store_true",
        help="read all of them, the embedded one too, and take off the boards what is not there any more",
    )
    parser.set_defaults(run=ingest)


def ingest(settings: Settings, options: argparse.Namespace) -> int:
    """Reads every Hub once and prints what is new.

    Returns:
        0 if all have answered, 1 if one has not.
    """
    failed = False
    with existing(settings) as classroom:
        if options.full and classroom.hub is not None:
            _show(classroom, "The embedded Hub", embedded.catch_up(classroom))
        for address in settings.sources:
            outcome = polling.look(classroom, address, full=options.full)
            _show(classroom, source_name(address), outcome.new)
            if outcome.problem:
                failed = True
                print(f"  {outcome.problem}")
    return 1 if failed else 0


def _show(classroom: Classroom, source: str, new: Sequence[int]) -> None:
    print(f"{source}: {len(new)} new submission{'' if len(new) == 1 else 's'}.")
    with classroom.read() as connection:
        for number in new[:_MOST_SHOWN]:
            submission = submissions.get(connection, number)
            claimed = submission.claimed_score
            score = "no score that can be read" if claimed is None else f"claims {claimed:.2f}"
            print(f"  {submission.repo_id} for {submission.assignment_id}: {score}")
    if len(new) > _MOST_SHOWN:
        print(f"  and {len(new) - _MOST_SHOWN} more")
