"""The command line: `python -m mlagents_bridge`.

Spawned children of `learn` import this module anew, and so get the fixes for ML-Agents.
"""

import argparse
import sys
from collections.abc import Sequence

from mlagents_bridge.errors import BridgeError
from mlagents_bridge.serve import commands as serving
from mlagents_bridge.toolkit import commands as tools
from mlagents_bridge.toolkit.fixes import install_finder

install_finder()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: The command line without the program, that of this process by default.

    Returns:
        The exit code: 0, 2 for what the user can mend, or the command's own.
    """
    parser = argparse.ArgumentParser(
        prog="python -m mlagents_bridge",
        description="Unity ML-Agents in both directions: its trainers in our environments, and the reverse.",
        allow_abbrev=False,
    )
    subparsers = parser.add_subparsers(dest="command", metavar="<command>", required=True)
    serving.add_commands(subparsers)
    tools.add_commands(subparsers)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except BridgeError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command line prints
        return 2


if __name__ == "__main__":
    sys.exit(main())
