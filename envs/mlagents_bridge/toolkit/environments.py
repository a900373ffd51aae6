"""What is installed in a Python environment, this one or another."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlagents_bridge.errors import BridgeError
from mlagents_bridge.toolkit.versions import NEWEST_PYTHON, OLDEST_PYTHON

_QUESTIONS = """
import json, os, platform, sys, sysconfig
from importlib import metadata, util

def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None

folder = sysconfig.get_path("purelib")
print(json.dumps({
    "python_version": platform.python_version(),
    "site_packages": folder,
    "is_writable": os.access(folder, os.W_OK),
    "has_pip": util.find_spec("pip") is not None,
    "has_bridge": util.find_spec("mlagents_bridge") is not None,
    "versions": {name: version(name) for name in NAMES},
}))
"""
_SECONDS = 120  # a cold disk


@dataclass(frozen=True)
class Environment:
    """A Python environment.

    Attributes:
        python: Its interpreter.
        python_version: For example `"3.12.1"`.
        site_packages: Where its packages lie.
        is_writable: Whether packages can be installed there.
        has_pip: Whether pip is among them.
        has_bridge: Whether this package is.
        versions: Name of each distribution that was asked about to its version, None if it is missing.
    """

    python: Path
    python_version: str
    site_packages: Path
    is_writable: bool
    has_pip: bool
    has_bridge: bool
    versions: dict[str, str | None]


def ask(python: Path, *names: str) -> Environment:
    """Asks an interpreter about its environment.

    Args:
        python: The interpreter.
        *names: Distributions whose versions are wanted.

    Raises:
        BridgeError: If it cannot be run, or is older or newer than ML-Agents can be made to run on.
    """
    python = python.absolute()  # not resolved: a virtual environment's interpreter is a link
    if python.is_dir():
        raise BridgeError(f"{python} is a folder. Give the interpreter in it, for example {python / 'bin' / 'python'}.")
    answer = _output(python, "import sys; print(list(sys.version_info[:2]))")
    try:
        major, minor = json.loads(answer)
    except ValueError as error:
        raise BridgeError(
            f"{python} does not answer as a Python does. Give the interpreter of an environment."
        ) from error
    if not OLDEST_PYTHON <= (major, minor) <= NEWEST_PYTHON:
        raise BridgeError(
            f"{python} is Python {major}.{minor}, and ML-Agents runs here on {_spell(OLDEST_PYTHON)} to "
            f"{_spell(NEWEST_PYTHON)}. Make an environment with one of those."
        )
    answers: dict[str, Any] = json.loads(_output(python, _QUESTIONS.replace("NAMES", repr(names))))
    answers["site_packages"] = Path(answers["site_packages"])
    return Environment(python, **answers)


def _output(python: Path, code: str) -> str:
    try:
        # In the interpreter's folder, so that nothing in the present one is taken for an installed package.
        done = subprocess.run(  # noqa: S603 - the person's own interpreter
            [str(python), "-c", code], cwd=python.parent, capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BridgeError(f"{python} does not run as a Python interpreter: {_reason(error)}") from error
    return done.stdout


def _reason(error: BaseException) -> str:
    said = getattr(error, "stderr", None) or str(error)
    return said.strip().splitlines()[-1].rstrip(".") + "." if said.strip() else "it says nothing."


def _spell(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
