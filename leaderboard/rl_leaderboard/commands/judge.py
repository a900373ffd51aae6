"""`python -m rl_leaderboard judge`: measures what is handed in, until Ctrl-C; `judge-again` queues whole boards."""

import argparse
import os
import platform
import signal
import threading
from typing import TYPE_CHECKING

from rl_hub.commands import listening
from rl_hub.commands.subparsers import Subparsers
from rl_hub.errors import CommandError
from rl_leaderboard.commands.opening import existing, opened
from rl_leaderboard.settings import Settings

if TYPE_CHECKING:
    from rl_leaderboard.judge.sandbox import Tier

_MOST_WORKERS = 64


def add_parsers(subparsers: Subparsers) -> None:
    """Adds `judge` and `judge-again`."""
    parser = subparsers.add_parser("judge", help="measure what is handed in, in a sandbox, until Ctrl-C")
    parser.add_argument(
        "--workers", type=workers, default=1, help="agents that are measured at the same time (default: %(default)s)"
    )
    parser.add_argument("--log-level", default="INFO", choices=listening.LOG_LEVELS)
    parser.add_argument("--until-input-ends", action="store_true", help=argparse.SUPPRESS)  # as `serve` starts it
    parser.set_defaults(run=judge)
    again = subparsers.add_parser("judge-again", help="queue boards whose agents have games left, in a new season")
    which = again.add_mutually_exclusive_group(required=True)
    which.add_argument("--board", metavar="ID", help="one board, by the name in its address")
    which.add_argument("--all", action="store_true", help="every board of the course")
    again.set_defaults(run=judge_again)


def judge(settings: Settings, options: argparse.Namespace) -> int:
    """Measures submissions; what is in hand when it is asked to stop is finished first."""
    from rl_hub.web import logs
    from rl_leaderboard.judge import sandbox, supervision

    logs.configure(options.log_level)
    minimum = next(tier for tier in sandbox.Tier if tier.value.startswith(settings.judge_isolation))
    try:
        tier = sandbox.available(minimum, allow_limits_only=minimum is sandbox.Tier.LIMITS)
    except sandbox.NoSandbox as error:
        raise CommandError(str(error)) from None
    print(f"The judge measures {options.workers} at a time, in the sandbox {tier.value}.", flush=True)
    for gap in sandbox.gaps(tier):
        print(f"  Not stopped by it: {gap}", flush=True)
    if options.until_input_ends:
        threading.Thread(target=_stop_with_input, daemon=True).start()
    supervision.supervise(_work, (settings, tier, options.log_level), options.workers)
    return 0


def judge_again(settings: Settings, options: argparse.Namespace) -> int:
    """Queues what stands on boards and has games left to play in the season of the settings.

    Raises:
        CommandError: If there is no such board.
    """
    from rl_leaderboard.audit import log
    from rl_leaderboard.submissions import rejudging

    with existing(settings) as classroom:
        boards = {assignment.id: assignment for assignment in classroom.course.assignments}
        if not options.all and options.board not in boards:
            raise CommandError(f"There is no board {options.board}. The boards are {', '.join(boards)}.")
        for assignment in boards.values() if options.all else [boards[options.board]]:
            with classroom.write() as connection:
                queued = rejudging.queue_board(connection, classroom.queue, assignment, settings.season)
                played = rejudging.count_played(connection, assignment, settings.season)
                if queued:
                    log.record(connection, None, "board.rejudge", assignment.id, queued=queued)
            print(f"{assignment.id}: {queued} queued; {played} with no games left in season {settings.season}.")
    return 0


def _stop_with_input() -> None:
    """Asks this process to stop once its input ends, as it does when whoever has started it is gone."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _work(settings: Settings, tier: "Tier", log_level: str, number: int) -> None:
    """What a worker's process does."""
    from rl_hub.web import logs
    from rl_leaderboard.judge.pipeline import Bench
    from rl_leaderboard.judge.players import PlayerPool
    from rl_leaderboard.judge.players.warm import in_sandbox
    from rl_leaderboard.judge.supervision import listen_for_end
    from rl_leaderboard.judge.workers import work

    stopping = listen_for_end()
    logs.configure(log_level)
    with opened(settings) as classroom, PlayerPool(in_sandbox(tier)) as players:
        name = f"{platform.node()}/{os.getpid()}/{number}"
        work(Bench(classroom, players, tier.value), classroom.queue, name, stopping)


def workers(text: str) -> int:
    """A number of workers from the command line.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= _MOST_WORKERS):
        raise argparse.ArgumentTypeError(f"workers are 1 to {_MOST_WORKERS}, not {text!r}")
    return int(text)
