"""Installs ML-Agents into an environment: packages that work with it, itself, and the fixes for every process."""

import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mlagents_bridge.errors import BridgeError
from mlagents_bridge.toolkit.environments import Environment, ask
from mlagents_bridge.toolkit.versions import (
    DEPENDENCIES,
    DISTRIBUTIONS,
    KNOWN_VERSION,
    NEWEST_PROVEN_TORCH,
    PROVEN_PYTHONS,
    TORCH,
    is_at_least,
)

START_UP_FILE = "mlagents_bridge_fixes.pth"
"""Every Python of the environment reads it at its start, those of `mlagents-learn` and its child processes too."""

START_UP_LINE = (
    'import sys; exec("try:\\n    from mlagents_bridge.toolkit.fixes import install_finder\\n'
    'except ImportError:\\n    pass\\nelse:\\n    install_finder()")\n'
)
"""One line, as Python wants it; without this package it does nothing."""

_CHECK = """
import mlagents.trainers.learn
from mlagents_envs.environment import UnityEnvironment
from mlagents_bridge.toolkit.fixes.loading import applied
print(", ".join(sorted(applied)))
"""
_UNREACHABLE = ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "Temporary failure in name")

Report = Callable[[str], None]


def install(python: Path, *, dry_run: bool, report: Report) -> None:
    """Installs ML-Agents and the fixes; what is there already stays.

    Args:
        python: Interpreter of the environment.
        dry_run: Say what would be done, and do nothing.
        report: Takes a line for the person.

    Raises:
        BridgeError: If the environment is not fit for it, or pip fails.
    """
    environment = ask(python, "torch", *DISTRIBUTIONS.values())
    _require_fit(environment)
    _describe(environment, report)
    pip = [str(environment.python), "-m", "pip", "install"]
    torch = [] if environment.versions["torch"] else [TORCH]
    own = [f"{distribution}=={KNOWN_VERSION}" for distribution in DISTRIBUTIONS.values()]
    _step("Packages that ML-Agents needs", [*pip, *torch, *DEPENDENCIES], dry_run, report)
    # Its own requirements are those of Python 3.10 and its day.
    _step(f"ML-Agents {KNOWN_VERSION}", [*pip, "--no-deps", "--ignore-requires-python", *own], dry_run, report)
    start_up = environment.site_packages / START_UP_FILE
    report(f"The fixes, for every Python of this environment: {start_up}")
    if not dry_run:
        _write(start_up)
        _check(environment, report)


def remove(python: Path, *, report: Report) -> None:
    """Removes ML-Agents and the fixes; the packages that it needs stay.

    Args:
        python: Interpreter of the environment.
        report: Takes a line for the person.

    Raises:
        BridgeError: If the environment cannot be changed, or pip fails.
    """
    environment = ask(python, *DISTRIBUTIONS.values())
    _require_fit(environment)
    installed = [name for name, version in environment.versions.items() if version]
    if installed:
        command = [str(environment.python), "-m", "pip", "uninstall", "--yes", *installed]
        _step("Removing ML-Agents", command, dry_run=False, report=report)
    (environment.site_packages / START_UP_FILE).unlink(missing_ok=True)
    report("ML-Agents and its fixes are removed; the packages that it needed are still there.")


def _require_fit(environment: Environment) -> None:
    python = environment.python
    if not environment.has_pip:
        raise BridgeError(f"{python} has no pip to install with. Run: {python} -m ensurepip")
    if not environment.has_bridge:
        raise BridgeError(
            f"{python} does not have rl-classroom, which the fixes are part of. Install it there first: "
            f"{python} -m pip install rl-classroom[envs]"
        )
    if not environment.is_writable:
        raise BridgeError(
            f"{environment.site_packages} is read-only, so nothing can be installed there. Make an environment of your "
            f"own: python -m venv my-environment"
        )


def _describe(environment: Environment, report: Report) -> None:
    report(f"Python {environment.python_version} in {environment.site_packages}")
    proven = [".".join(map(str, version)) for version in PROVEN_PYTHONS]
    if environment.python_version.rpartition(".")[0] not in proven:
        report(f"Training has been tried on Python {', '.join(proven)}, and not on this one yet.")
    torch = environment.versions["torch"]
    if torch is None:
        report("There is no torch; one is installed, for graphics cards where the index offers that.")
    elif is_at_least(torch, *NEWEST_PROVEN_TORCH[:-1], NEWEST_PROVEN_TORCH[-1] + 1):
        newest = ".".join(map(str, NEWEST_PROVEN_TORCH))
        report(f"torch {torch} stays. It is newer than {newest}, the newest that training has been tried with.")
    else:
        report(f"torch {torch} stays.")


def _step(title: str, command: Sequence[str], dry_run: bool, report: Report) -> None:
    report(f"{title}:\n  {shlex.join(command)}")
    if dry_run:
        return
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - the person's own pip
        said = []
        for line in process.stderr or ():
            sys.stderr.write(line)
            said.append(line)
    if process.returncode != 0:
        raise BridgeError(_why(" ".join(said)))


def _why(said: str) -> str:
    if "externally-managed-environment" in said:
        return "This Python is the operating system's. Make an environment of your own: python -m venv my-environment"
    if any(sign in said for sign in _UNREACHABLE):
        return "pip cannot reach its package index. Check the network, and run the same command again."
    return "pip could not install it; its message is above. Mend that, and run the same command again."


def _write(path: Path) -> None:
    try:
        path.write_text(START_UP_LINE, encoding="utf-8")
    except OSError as error:
        raise BridgeError(f"{path} cannot be written ({error.strerror}), so the fixes are not in place.") from error


def _check(environment: Environment, report: Report) -> None:
    """Imports what training imports, in a process that has the fixes from its start."""
    command = [str(environment.python), "-c", _CHECK]
    done = subprocess.run(  # noqa: S603 - the person's own interpreter
        command, cwd=environment.python.parent, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise BridgeError(f"ML-Agents is installed, and cannot be imported: {last}")
    report(f"ML-Agents {KNOWN_VERSION} is ready. Fixes that this environment needs: {done.stdout.strip()}.")
