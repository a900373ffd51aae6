"""`make run`: starts the classroom, sends a first student through the course, and keeps serving until Ctrl-C.

The student is nobody special: every step is a command that the README shows. A second run finds the classroom's data
and the student where they were.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STUDENT = "first-student"
_LOG = "classroom.log"
_PAGES = re.compile(r"The classroom is at (\S+)")
_HUB = re.compile(r"HF_ENDPOINT=(\S+)")
# A push is on the board within a second, and measured within a minute; these are for a machine that has a lot to do.
_PATIENCE_SECONDS = 60
_VERDICT_SECONDS = 900
# A judge tries its sandbox from inside before it begins; so long after the push it may still be on its way.
_JUDGE_SECONDS = 60
# How a command of the classroom says in its log why it has ended; `serve` itself would have taken the pages with it.
_REFUSAL = "rl_leaderboard: "
_ERROR = re.compile(r'\{.*"levelname": "(ERROR|CRITICAL)".*\}$')


class NoVerdict(Exception):
    """The judge does not come to an end; the sentence says why, as far as is known, and what to do."""


def main() -> int:
    """Runs the classroom and the student; the exit code is the student's."""
    options = _parse()
    log = options.data / _LOG
    # Runs share one log: what is above this is another's.
    begin = log.stat().st_size if log.is_file() else 0
    classroom = _start_classroom(options)
    try:
        address, endpoint = _wait_for_addresses(classroom, log)
        code = _walk(options, endpoint) or _show_board(options, address, endpoint, begin)
        if code == 0 and not options.leave:
            print(f"\nThe classroom keeps serving at {address} until Ctrl-C.", flush=True)
            code = classroom.wait()
            print(f"The classroom has ended by itself, with code {code}. {log} says more.", file=sys.stderr)
    except KeyboardInterrupt:
        code = 0
    finally:
        _stop(classroom)
    return code


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the classroom's folder")
    parser.add_argument("--port", default="7880", help="the classroom's port; 0 takes a free one")
    parser.add_argument("--hub-port", default="7870", help="the Hub's port; 0 takes a free one")
    parser.add_argument("--runs", type=Path, required=True, help="the student's folder")
    parser.add_argument("--algo", required=True)
    parser.add_argument("--env", required=True)
    parser.add_argument("--steps", required=True)
    parser.add_argument("--episodes", required=True)
    parser.add_argument("--leave", action="store_true", help="stop the classroom when the student is done")
    return parser.parse_args()


def _start_classroom(options: argparse.Namespace) -> subprocess.Popen[str]:
    _say("The classroom starts")
    ports = ["--port", options.port, "--hub-port", options.hub_port]
    command = [*_module("rl_leaderboard"), "serve", *ports, "--workers", "1"]
    environment = {**os.environ, "RL_LEADERBOARD_DATA": str(options.data)}
    # Its log goes to a file: the student's progress is what there is to see.
    options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (options.data / _LOG).open("a") as log:
        # A session of its own: Ctrl-C reaches this process first, which then stops the classroom in good order.
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )


def _wait_for_addresses(classroom: subprocess.Popen[str], log: Path) -> tuple[str, str]:
    """The addresses of the pages and of the Hub."""
    assert classroom.stdout is not None  # noqa: S101  Popen was given a pipe
    greeting = ""
    for line in classroom.stdout:
        print(line, end="", flush=True)
        greeting += line
        if (pages := _PAGES.search(greeting)) and (hub := _HUB.search(greeting)):
            return pages.group(1), hub.group(1)
    lines = log.read_text().splitlines()
    print(lines[-1] if lines else "The classroom did not start.", file=sys.stderr)
    raise SystemExit(classroom.wait() or 1)


def _walk(options: argparse.Namespace, endpoint: str) -> int:
    """The student's steps; the first that fails ends the walk."""
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_TOKEN": _student_token(options.data)}
    run = ["--algo", options.algo, "--env", options.env, "-f", str(options.runs)]
    # One environment, so that a game is over within so few steps.
    settings = ["learning_starts:1000", "buffer_size:10000", "n_envs:1"]
    short = ["-params", *settings, "--eval-freq", "2000", "--eval-episodes", "1"]
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
    return 0


def _show_board(options: argparse.Namespace, address: str, endpoint: str, log_begin: int) -> int:
    """Waits until the agent is on its board, and prints its row and where to look at it."""
    _say("The board")
    board = next((board for board in _ask(f"{address}/api/v1/boards") if board["env_id"] == options.env), None)
    if board is None:
        print(f"  There is no board for {options.env}.")
        return 1
    row = _wait_for_row(f"{address}/api/v1/boards/{board['id']}", f"{STUDENT}/{options.algo}-{options.env}")
    if row is None:
        print(f"The agent has not come to the board of {board['title']} in {_PATIENCE_SECONDS} s.", file=sys.stderr)
        return 1
    print(
        f"  {row['rank']}. {row['student']}   {row['agent']}   {_score(row['score'])} (claimed)   of {board['title']}"
    )
    _say("The judge plays it again, with seeds that nobody knows")
    try:
        verdict = wait_for_verdict(address, row["submission"], options.data / _LOG, log_begin)
    except NoVerdict as error:
        print(error, file=sys.stderr)
        return 1
    if verdict["state"] == "failed":
        print(verdict["reason"], file=sys.stderr)
        return 1
    print(f"  claimed {_score(verdict['claimed']['score'])}   verified {_score(verdict['score'])}")
    _say("Look at")
    print(f"  {address}/boards/{board['id']}   the board")
    print(f"  {urllib.parse.urljoin(address, row['url'])}   the agent")
    print(f"  {endpoint}/{row['agent']}   its model card and replay, on the Hub")
    print(f"  {options.runs / 'curve.png'}   the learning curve")
    print(f"This agent has trained for {options.steps} steps only. The README says how to train a real one.")
    return 0


def _wait_for_row(board: str, agent: str) -> dict[str, Any] | None:
    """The row of an agent; None if it does not come."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for row in _ask(f"{board}?search={urllib.parse.quote(STUDENT)}"):
            if row["agent"].lower() == agent.lower():
                return row
        time.sleep(0.2)
    return None


def wait_for_verdict(address: str, submission: int, log: Path, log_begin: int) -> dict[str, Any]:
    """The submission as the API describes it, once it is measured or has failed.

    Args:
        address: The classroom's pages.
        submission: Its id.
        log: The classroom's.
        log_begin: Where in it this run begins, in bytes.

    Raises:
        NoVerdict: If that takes too long, or no judge is at work.
    """
    now = judged_at = time.monotonic()
    deadline = now + _VERDICT_SECONDS
    told = ""
    while now < deadline:
        found = _get(f"{address}/api/v1/submissions/{submission}")
        if found["state"] != told:
            told = found["state"]
            print(f"  {told}", flush=True)
        if told in ("scored", "failed"):
            return found
        if _count_judges(address):
            judged_at = now
        elif (refusal := _last_problem(log, log_begin, refusals_only=True)) or now - judged_at >= _JUDGE_SECONDS:
            raise NoVerdict(_tell_no_judge(refusal or _last_problem(log, log_begin), log))
        time.sleep(0.5)
        now = time.monotonic()
    raise NoVerdict(f"The judge has not come to an end in {_VERDICT_SECONDS} s; {log} may say why.")


def _count_judges(address: str) -> int:
    try:
        return int(_get(f"{address}/healthz")["judges"])
    except urllib.error.HTTPError as error:
        # Something else is not well; the judges are told all the same.
        return int(json.load(error)["judges"])


def _last_problem(log: Path, begin: int, *, refusals_only: bool = False) -> str:
    """The last line of a log that says why something has ended or failed; empty if none does."""
    with log.open("rb") as file:
        file.seek(begin)
        # The last line may not be whole yet.
        lines = file.read().decode(errors="replace").rpartition("\n")[0].splitlines()
    for line in reversed(lines):
        if line.startswith(_REFUSAL):
            return line.removeprefix(_REFUSAL)
        if not refusals_only and (error := _ERROR.match(line)):
            return str(json.loads(error[0])["message"])
    return ""


def _tell_no_judge(why: str, log: Path) -> str:
    reason = f"Its last words: {why}" if why else f"{log} does not say why."
    return (
        f"No judge is at work, so the score stays a claim. {reason}\n"
        "Mend that and run this again: what was handed in waits. The least isolation that the judge works with is the "
        "setting RL_LEADERBOARD_JUDGE_ISOLATION; leaderboard/README.md says under “The least that you accept” what "
        "each kind needs."
    )


def _score(value: float | None) -> str:
    return "no score" if value is None else f"{value:.2f}"


def _ask(address: str) -> list[dict[str, Any]]:
    """The items of a list of the classroom's API."""
    items: list[dict[str, Any]] = _get(address)["items"]
    return items


def _get(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(address, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310  the classroom's own address
        found: dict[str, Any] = json.load(answer)
    return found


def _student_token(data: Path) -> str:
    """A token of the student, whose account is made by the first run."""
    hub = [*_module("rl_hub"), "--data", os.environ.get("RL_LEADERBOARD_HUB_DATA") or str(data / "hub")]
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


def _stop(classroom: subprocess.Popen[str]) -> None:
    if classroom.poll() is None:
        classroom.send_signal(signal.SIGTERM)
        classroom.wait()


if __name__ == "__main__":
    raise SystemExit(main())
