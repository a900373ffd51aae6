"""`make run`: starts the Hub, sends a first student through the course, and keeps serving until Ctrl-C.

The student is nobody special: every step is a command that the README shows. A second run finds the Hub's data and
the student where they were.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

STUDENT = "first-student"
_LOG = "hub.log"
_ADDRESS = re.compile(r"HF_ENDPOINT=(\S+)")


def main() -> int:
    """Runs the Hub and the student; the exit code is the student's."""
    options = _parse()
    hub = _start_hub(options)
    try:
        endpoint = _wait_for_address(hub, options.data / _LOG)
        code = _walk(options, endpoint)
        if code == 0 and not options.leave:
            print(f"\nThe Hub keeps serving at {endpoint} until Ctrl-C.", flush=True)
            hub.wait()
    except KeyboardInterrupt:
        code = 0
    finally:
        _stop(hub)
    return code


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the Hub's folder")
    parser.add_argument("--port", default="7870", help="the Hub's port; 0 takes a free one")
    parser.add_argument("--runs", type=Path, required=True, help="the student's folder")
    parser.add_argument("--algo", required=True)
    parser.add_argument("--env", required=True)
    parser.add_argument("--steps", required=True)
    parser.add_argument("--episodes", required=True)
    parser.add_argument("--leave", action="store_true", help="stop the Hub when the student is done")
    return parser.parse_args()


def _start_hub(options: argparse.Namespace) -> subprocess.Popen[str]:
    _say("The Hub starts")
    command = [*_module("rl_hub"), "--data", str(options.data), "serve", "--port", options.port]
    # Its log goes to a file: the student's progress is what there is to see.
    options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (options.data / _LOG).open("a") as log:
        # A session of its own: Ctrl-C reaches this process first, which then stops the Hub in good order.
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)


def _wait_for_address(hub: subprocess.Popen[str], log: Path) -> str:
    assert hub.stdout is not None  # noqa: S101  Popen was given a pipe
    for line in hub.stdout:
        print(line, end="", flush=True)
        if found := _ADDRESS.search(line):
            return found.group(1)
    lines = log.read_text().splitlines()
    print(lines[-1] if lines else "The Hub did not start.", file=sys.stderr)
    raise SystemExit(hub.wait() or 1)


def _walk(options: argparse.Namespace, endpoint: str) -> int:
    """The student's steps; the first that fails ends the walk."""
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_TOKEN": _student_token(options.data)}
    run = ["--algo", options.algo, "--env", options.env, "-f", str(options.runs)]
    short = ["-params", "learning_starts:1000", "buffer_size:10000", "--eval-freq", "2000", "--eval-episodes", "1"]
    curve = options.runs / "curve.png"
    steps: list[tuple[str, list[str]]] = [
        ("Is everything here?", ["doctor"]),
        ("The student trains", ["train", *run, "-n", options.steps, *short]),
        ("The learning curve", ["plot", *run, "-o", str(curve)]),
        ("Evaluate, record, push", ["push_to_hub", *run, "--n-eval-episodes", options.episodes]),
        ("Load it back", ["load_from_hub", *run[:4], "-orga", STUDENT, "-f", str(options.runs / "loaded")]),
    ]
    for title, arguments in steps:
        _say(title)
        code = subprocess.run([*_module("rl_units"), *arguments], env=environment).returncode
        if code:
            return code
    _say("Look at")
    print(f"  {endpoint}/{STUDENT}/{options.algo}-{options.env}   the agent's page, with its replay")
    print(f"  {curve}")
    print(f"After {options.steps} steps an agent plays hardly better than chance.")
    print("The README says how to train a real one.")
    return 0


def _student_token(data: Path) -> str:
    """A token of the student, whose account is made by the first run."""
    hub = [*_module("rl_hub"), "--data", str(data)]
    accounts = subprocess.run([*hub, "user", "list"], capture_output=True, text=True, check=True).stdout
    if STUDENT not in accounts.split():
        subprocess.run([*hub, "user", "add", STUDENT], check=True)
    return _call([*hub, "user", "token", "add", STUDENT, "--name", "make run", "--days", "1"]).split()[-1]


def _call(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", name]


def _say(title: str) -> None:
    print(f"\n== {title}", flush=True)


def _stop(hub: subprocess.Popen[str]) -> None:
    if hub.poll() is None:
        hub.send_signal(signal.SIGTERM)
        hub.wait()


if __name__ == "__main__":
    raise SystemExit(main())
