"""The command line: the Zoo's commands and flags under our name, and a few more.

Only the standard library is imported here, so that `--help` answers at once; a command's module is imported when it
is called.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from rl_units import __version__
from rl_units.errors import UserError

COMMANDS = {
    "train": "train an agent with the Zoo; --resume goes on after an interruption",
    "enjoy": "watch a trained agent play",
    "evaluate": "score an agent under the unit's protocol and write results.json",
    "record_video": "record a replay as an mp4 that plays in a browser",
    "push_to_hub": "evaluate, record and upload an agent with its model card",
    "load_from_hub": "download somebody's agent without running their code",
    "submit": "ask the classroom to read an agent's repository now",
    "status": "show how far your submissions are",
    "board": "list the classroom's boards, or show one with --env",
    "tune": "search hyperparameters with Optuna and write a file for train -c",
    "plot": "draw learning curves of one or several runs",
    "doctor": "check versions, GPU, ffmpeg, display and Hub, each with its fix",
}


class Command(Protocol):
    """What a module in `rl_units.commands` offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the command's flags."""
        ...

    def run(self, options: argparse.Namespace) -> None:
        """Runs the command; raises a `UserError` for whatever the person can mend."""
        ...


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser of the whole command line.

    Args:
        command: The one command whose module is imported to declare its flags; the others are only named.
    """
    parser = argparse.ArgumentParser(
        prog="python -m rl_units", description="Train, evaluate, record and share reinforcement learning agents."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="<command>", required=True)
    for name, summary in COMMANDS.items():
        subparser = commands.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False
        )
        if name == command:
            _module(name).add_arguments(subparser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: Command line without the program's name; None takes the process's own.

    Returns:
        Exit code: 0, or 2 after a sentence on stderr that says what is wrong and what to do.
    """
    argv = list(sys.argv[1:] if arguments is None else arguments)
    command = next((word for word in argv if word in COMMANDS), None)
    parser = build_parser(command)
    options, rest = parser.parse_known_args(argv)
    module = _module(options.command)
    if getattr(module, "PASSES_FLAGS_ON", False):
        options.rest = rest
    elif rest:
        parser.error(f"{options.command} does not know {' '.join(rest)}; see python -m rl_units {options.command} -h")
    try:
        module.run(options)
        sys.stdout.flush()
    except UserError as error:
        print(f"\n{error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader, `head` perhaps, has seen enough. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return UserError.exit_code
    return 0


def _module(command: str) -> Command:
    return cast(Command, importlib.import_module(f"rl_units.commands.{command}"))
