"""The command line: `python -m rl_hub <command>`.

Every command takes `--data`, the Hub's folder, and `--database`; the environment's `RL_HUB_DATA`, `RL_HUB_DATABASE` and
`RL_HUB_PUBLIC_URL` and `RL_HUB_LIMITS` set them once. All but `restore` work while the Hub is being served.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from rl_hub.commands import maintenance, serve, users, webhooks
from rl_hub.errors import CommandError, HubError
from rl_hub.settings import Limits, Settings

_COMMANDS = (serve, users, webhooks, maintenance)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Returns:
        The exit code: 2 after a sentence that says what to mend.
    """
    options = _parser().parse_args(arguments)
    try:
        limits = Limits().with_quotas(options.limit or os.environ.get("RL_HUB_LIMITS", "").split())
        settings = Settings(options.data, options.database, options.public_url, limits)
        code: int = options.run(settings, options)
    except (CommandError, HubError) as error:
        print(f"rl_hub: {error}", file=sys.stderr)
        return 2
    except (ArgumentError, NoSuchModuleError):
        print("rl_hub: --database takes an address such as postgresql+psycopg://hub@localhost/hub", file=sys.stderr)
        return 2
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        print(f"rl_hub: The database cannot be used: {reason}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader, `head` perhaps, has seen enough. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"rl_hub: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 2
    return code


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
