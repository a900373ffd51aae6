"""Sandboxes of each kind that works here, and programs to run in them."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rl_leaderboard.judge.sandbox.limits import Limits
from rl_leaderboard.judge.sandbox.probe import examine
from rl_leaderboard.judge.sandbox.processes import SandboxProcess, start
from rl_leaderboard.judge.sandbox.tiers import Attempt, NoSandbox, Tier

MIB = 2**20
PATIENCE = 120  # seconds; everything here takes a few at most
_PACKAGES = [Path(__file__).parents[1] / name for name in ("leaderboard", "units")]


@functools.cache
def examined(tier: Tier) -> dict[Attempt, bool] | str:
    """What the self-test of this kind found, or why there is none."""
    try:
        return examine(tier)
    except NoSandbox as error:
        return str(error)


def need(tier: Tier) -> dict[Attempt, bool]:
    """The findings of this kind; a machine without it skips the test."""
    found = examined(tier)
    if isinstance(found, str):
        pytest.skip(f"no sandbox {tier.value} here: {found}")
    return found


def started(tier: Tier, code: str, *, limits: Limits | None = None, **view) -> SandboxProcess:
    """A few lines of Python, started in a sandbox. The module timeit runs them: it is in the standard library."""
    need(tier)
    return start(
        tier,
        limits or Limits(),
        "timeit",
        ["-n1", "-r1", *code.strip().splitlines()],
        readable=view.get("readable", []),
        writable=view.get("writable"),
    )


def run(tier: Tier, code: str, **more) -> tuple[SandboxProcess, list[str]]:
    """The same, run to its end: the process, and the lines that it has printed."""
    with started(tier, code, **more) as process:
        output, _ = process.communicate(timeout=PATIENCE)
    return process, [line for line in output.decode().splitlines() if "loop, best of" not in line]


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@functools.cache
def open_interpreter() -> Path:
    """An interpreter of our version that every user can run; a machine without one skips the test."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    places = [Path(sys.executable).resolve(), *(Path(folder) / version for folder in ("/usr/bin", "/usr/local/bin"))]
    found = [place for place in places if _open_to_all(place)]
    if not found or not all(map(_open_to_all, _PACKAGES)):
        pytest.skip("no interpreter of this version, or not the project, can be read by every user")
    return found[0]


def _open_to_all(path: Path) -> bool:
    return path.exists() and all(place.stat().st_mode & 0o005 == 0o005 for place in [path, *path.parents])


def as_a_user(code: str, *arguments: str) -> str:
    """Run some lines of trusted Python as an ordinary user, and give back what they print.

    Root becomes a user without a name; anybody else is one already.
    """
    root = os.geteuid() == 0
    interpreter = open_interpreter() if root else Path(sys.executable)
    user = {"user": 54321, "group": 54321, "extra_groups": []} if root else {}
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(map(str, _PACKAGES)), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [interpreter, "-c", code, *arguments], env=environment, cwd="/", capture_output=True, timeout=PATIENCE, **user
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()
