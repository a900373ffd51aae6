"""The command line: `python -m rl_hub <command>`.

Every command takes `--data`, the Hub's folder, and `--database`; the environment's `RL_HUB_DATA`, `RL_HUB_DATABASE` and
`RL_HUB_PUBLIC_URL` and `RL_HUB_LIMITS` set them once. All but `restore` work while the Hub is being served.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from rl_hub.commands import maintenance, outcomes, serve, users, webhooks
from rl_hub.settings import Limits, Settings

_COMMANDS = (serve, users, webhooks, maintenance)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Returns:
        The exit code: 2 after a sentence that says what to mend.
    """
    options = _parser().parse_args(arguments)

    def run() -> int:
        limits = Limits().with_quotas(options.limit or os.environ.get("RL_HUB_LIMITS", "").split())
        settings = Settings(options.data, options.database, options.public_url, limits)
        code: int = options.run(settings, options)
        return code

    return outcomes.exit_code("rl_hub", "--database", run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rl_hub", description="An embedded Hub.")
    environment = os.environ
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(environment.get("RL_HUB_DATA", "hub-data")),
        help="the Hub's folder (default: %(default)s)",
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        default=environment.get("RL_HUB_DATABASE"),
        help="an SQLAlchemy URL such as postgresql+psycopg://hub@localhost/hub (default: SQLite in the folder)",
    )
    parser.add_argument(
        "--public-url",
        metavar="URL",
        default=environment.get("RL_HUB_PUBLIC_URL"),
        help="the address that clients use, if a proxy changes it",
    )
    parser.add_argument(
        "--limit",
        action="append",
        metavar="WHAT=SIZE",
        help="what a file, a repository or a user may take, such as file=2G repository=10G user=20G; may be repeated",
    )
    subparsers = parser.add_subparsers(metavar="command", required=True)
    for module in _COMMANDS:
        module.add_parsers(subparsers)
    return parser
