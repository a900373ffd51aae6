"""`board`: the classroom's boards, or the first places of one."""

import argparse
from typing import TYPE_CHECKING

from rl_units.commands.common import add_classroom_argument, positive
from rl_units.commands.tables import evidence, moment, number, render_table

if TYPE_CHECKING:
    from rl_units.classroom.answers import Board, Place
    from rl_units.classroom.client import Classroom


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's flags."""
    parser.add_argument("--env", help="environment or assignment id (default: list the boards)")
    parser.add_argument("--limit", type=positive, default=20, help="number of places (default: 20)")
    parser.add_argument("--search", metavar="TEXT", default="", help="only this student or agent")
    add_classroom_argument(parser)


def run(options: argparse.Namespace) -> None:
    """Prints the list of boards, or one of them.

    Raises:
        UserError: If there is no such board, the classroom refuses, or cannot be reached.
    """
    from rl_units.classroom.client import open_classroom

    classroom = open_classroom(options.classroom)
    if options.env is None:
        _print_boards(classroom)
    else:
        _print_board(classroom.board(options.env, options.limit, options.search))


def _print_boards(classroom: "Classroom") -> None:
    rows = [(board.id, board.title, board.env_id, f"{board.total:,}") for board in classroom.boards()]
    print(render_table(("board", "title", "environment", "agents"), rows, {"agents"}))
    print("\nSee one: python -m rl_units board --env BOARD")


def _print_board(board: "Board") -> None:
    threshold = "" if board.threshold is None else f", passed with a score of {board.threshold:g}"
    print(f"{board.title} ({board.env_id}){threshold}\n")
    if board.places:
        headings = ("rank", "student", "agent", "score", "", "interval", "mean", "std", "episodes", "algorithm")
        rows = [_row(place) for place in board.places]
        print(render_table((*headings, "submitted (UTC)"), rows, {"rank", "score", "mean", "std", "episodes"}))
    print(f"{len(board.places):,} of {board.total:,} agents" if board.places else "No agents here.")
    for reference in board.references:
        print(f"For comparison: {reference.title}, score {number(reference.score)}")


def _row(place: "Place") -> tuple[str, ...]:
    has_interval = place.low is not None and place.high is not None
    return (
        "-" if place.rank is None else str(place.rank),
        place.student,
        place.agent,
        number(place.score),
        "" if place.score is None else evidence(place.verified),
        f"{number(place.low)} to {number(place.high)}" if has_interval else "-",
        number(place.mean),
        number(place.std),
        "-" if place.n_episodes is None else str(place.n_episodes),
        place.algorithm,
        moment(place.submitted_at),
    )
