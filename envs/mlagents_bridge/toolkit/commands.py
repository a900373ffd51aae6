"""The commands `install`, `learn`, `push` and `load`."""

import argparse
import sys
from pathlib import Path

_NO_PREFIX = "\0"  # in no command line, so that options are handed on like other arguments


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands to a command line.

    Each sets `run`, a function of the parsed arguments that returns the exit code and raises `BridgeError`.

    Args:
        subparsers: Where they are added.
    """
    _add_install(subparsers)
    _add_learn(subparsers)
    _add_push(subparsers)
    _add_load(subparsers)


def _add_install(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "install",
        help="install ML-Agents beside this package",
        description="Installs ML-Agents 1.1.0, packages that work with it, and the fixes for current Pythons.",
    )
    parser.add_argument(
        "--python", type=Path, default=Path(sys.executable), help="interpreter of another environment to install into"
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    choice.add_argument("--remove", action="store_true", help="remove ML-Agents and the fixes again")
    parser.set_defaults(run=_install)


def _add_learn(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "learn",
        help="train as mlagents-learn does, with the same arguments",
        add_help=False,
        prefix_chars=_NO_PREFIX,
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    parser.set_defaults(run=_learn)


def _add_push(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "push",
        help="send a trained run to the Hub, as mlagents-push-to-hf does, with its score and replay",
        description="Sends a trained run to the Hub that HF_ENDPOINT names, with a card that carries its score.",
    )
    parser.add_argument("--run-id", required=True, help="name of the run")
    parser.add_argument("--local-dir", type=Path, required=True, help="folder of the run, for example results/my-run")
    parser.add_argument("--repo-id", required=True, help="<your name>/<name of the repository>")
    parser.add_argument("--commit-message", default="Push to Hub", help="what the change is called")
    parser.add_argument("--configfile-name", default="configuration.yaml", help="configuration in the run's folder")
    parser.add_argument("--results", type=Path, help="results.json of an evaluation; else the one in the run's folder")
    parser.add_argument("--replay", type=Path, help="replay.mp4; else the one in the run's folder")
    parser.set_defaults(run=_push)


def _add_load(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "load",
        help="fetch a run from the Hub, as mlagents-load-from-hf does",
        description="Fetches a run from the Hub that HF_ENDPOINT names.",
    )
    parser.add_argument("--repo-id", required=True, help="<somebody's name>/<name of the repository>")
    parser.add_argument("--local-dir", type=Path, default=Path(), help="where the run's folder is made")
    parser.set_defaults(run=_load)


def _install(arguments: argparse.Namespace) -> int:
    from mlagents_bridge.toolkit import installation

    if arguments.remove:
        installation.remove(arguments.python, report=_say)
    else:
        installation.install(arguments.python, dry_run=arguments.dry_run, report=_say)
    return 0


def _learn(arguments: argparse.Namespace) -> int:
    from mlagents_bridge.toolkit.learning import learn

    return learn(arguments.arguments)


def _push(arguments: argparse.Namespace) -> int:
    from mlagents_bridge.toolkit.hub import RunToPush, push

    files = (arguments.local_dir, arguments.configfile_name, arguments.results, arguments.replay)
    address = push(RunToPush(arguments.run_id, *files), arguments.repo_id, arguments.commit_message)
    _say(f"Pushed: {address}")
    return 0


def _load(arguments: argparse.Namespace) -> int:
    from mlagents_bridge.toolkit.hub import load

    _say(f"Loaded into {load(arguments.repo_id, arguments.local_dir)}")
    return 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command line prints
