"""The commands `make-launcher`, and `play`, which the launcher calls."""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mlagents_bridge.errors import BridgeError

_NO_PREFIX: Final = "\0"  # in no command line, so that options are handed on like other arguments


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands to a command line.

    Each sets `run`, a function of the parsed arguments that returns the exit code and raises `BridgeError`.

    Args:
        subparsers: Where they are added.
    """
    maker = subparsers.add_parser(
        "make-launcher",
        help="write a file that ML-Agents starts like a Unity executable",
        description="Writes a script that mlagents-learn and UnityEnvironment start like a Unity executable.",
        allow_abbrev=False,
    )
    maker.add_argument("path", type=Path, help="the file, for example ./SnowballFight.x86_64")
    _add_offer(maker)
    maker.add_argument("--force", action="store_true", help="replace a file that is no launcher")
    maker.set_defaults(run=_make_launcher)
    player = subparsers.add_parser(
        "play", help="what the launcher calls", add_help=False, prefix_chars=_NO_PREFIX, allow_abbrev=False
    )
    player.add_argument("arguments", nargs=argparse.REMAINDER)
    player.set_defaults(run=_play)


def _add_offer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--env",
        required=True,
        help="snowball_fight_1v1, snowball_fight_2v2, snowball_target; or a parallel environment of PettingZoo: "
        "fight_1vs1, fight_2vs2, or module:function",
    )
    parser.add_argument("--arenas", type=int, default=None, help="games side by side (32 of Snowball Fight, else 1)")
    parser.add_argument("--threads", type=int, default=1, help="threads that share the arenas of Snowball Fight (1)")
    parser.add_argument(
        "--teams",
        action="append",
        default=[],
        metavar="NAME=STEM,STEM",
        help="agents of a parallel environment that shall be teams of one behaviour, for self-play: their names "
        "without the number at the end",
    )


def _make_launcher(options: argparse.Namespace) -> int:
    from mlagents_bridge.serve.launcher import write_launcher
    from mlagents_bridge.serve.offers import described, offer_of, rehearse

    offer = offer_of(options)
    # Mistakes show here and not in the trainer's log; and the game is compiled while nobody waits.
    behaviors = rehearse(offer)
    script = write_launcher(options.path, offer.arguments(), force=options.force)
    _say(f"Wrote {script}: {offer.arenas} x {offer.env}.")
    for behavior in behaviors:
        _say(f"  {described(behavior)}")
    env = shlex.quote(f"--env={options.path}")
    _say(f"Train with: mlagents-learn CONFIG.yaml {env} --run-id=NAME --no-graphics")
    return 0


def _play(options: argparse.Namespace) -> int:
    from mlagents_bridge.serve.playing import run

    parser = argparse.ArgumentParser("python -m mlagents_bridge play", add_help=False, allow_abbrev=False)
    # No -h: Unity's own options begin with a single dash.
    parser.add_argument("--help", action="help", help="show this and end")
    _add_offer(parser)
    parser.add_argument("--mlagents-port", type=int, default=None, help="where the trainer listens; it says so itself")
    parser.add_argument("--wait-seconds", type=float, default=60.0, help="how long to wait for the trainer (60)")
    parser.add_argument("-logFile", "-logfile", dest="log_file", default=None, help="where to write the log")
    parser.add_argument("-nographics", "-batchmode", action="store_true", help="as Unity has them; nothing is drawn")
    known, others = parser.parse_known_args(options.arguments)
    _refuse_unknown(others)
    if known.mlagents_port is None:
        raise BridgeError(
            "This plays an environment to an ML-Agents trainer, which starts it and names its port with "
            "--mlagents-port. Start the trainer with a launcher: python -m mlagents_bridge make-launcher --help"
        )
    return run(known)


def _refuse_unknown(others: Sequence[str]) -> None:
    """Two dashes are ours, so a mistake; the rest is for Unity, such as `-screen-width 640`."""
    for argument in others:
        if argument.startswith("--"):
            raise BridgeError(f"play knows no option {argument}: see python -m mlagents_bridge play --help")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command line prints
