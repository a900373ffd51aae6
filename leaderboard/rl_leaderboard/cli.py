"""The command line: `python -m rl_leaderboard <command>`.

All settings come from the environment, see `rl_leaderboard.settings` and the table in the README; only the ports and
the log of `serve` have flags. All commands but `restore` work while the classroom is being served.
"""

import argparse
import os
from collections.abc import Sequence

from rl_hub.commands import outcomes
from rl_hub.errors import CommandError, HubError
from rl_leaderboard.commands import backup, database, export, ingest, judge, serve
from rl_leaderboard.errors import LeaderboardError
from rl_leaderboard.settings import Settings

_COMMANDS = (serve, judge, database, ingest, backup, export)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Returns:
        The exit code: 2 after a sentence that says what to mend.
    """
    options = _parser().parse_args(arguments)

    def run() -> int:
        code: int = options.run(Settings.from_environment(os.environ), options)
        return code

    refusals = (CommandError, HubError, LeaderboardError)
    return outcomes.exit_code("rl_leaderboard", "RL_LEADERBOARD_DATABASE", run, refusals)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rl_leaderboard",
        description="A classroom: boards, progress, lessons, and the class's own Hub.",
        epilog="Settings are environment variables that begin with RL_LEADERBOARD_; the README has a table of them.",
    )
    subparsers = parser.add_subparsers(metavar="command", required=True)
    for module in _COMMANDS:
        module.add_parsers(subparsers)
    return parser
