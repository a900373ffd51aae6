"""The clients' environments: each built once, and again when its pinned versions change."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".clients"
_REQUIREMENTS = Path(__file__).with_name("requirements")


class BuildError(Exception):
    """An environment could not be installed."""


def python_of(version: str) -> Path:
    """The interpreter of a client's environment, which need not be there."""
    return FOLDER / version / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_built(version: str) -> bool:
    """Whether the environment is there, with the versions that are pinned now."""
    mark = _mark(version)
    return mark.is_file() and mark.read_text() == _key(version)


def build(version: str) -> Path:
    """Installs a client's environment, unless it is there already.

    Returns:
        Its interpreter.

    Raises:
        BuildError: If the versions cannot be had; what pip said is the message.
    """
    FOLDER.mkdir(exist_ok=True)
    with FileLock(FOLDER / f"{version}.lock"):
        if not is_built(version):
            folder = FOLDER / version
            shutil.rmtree(folder, ignore_errors=True)
            # pip of this environment installs into the other one: it knows where the user gets packages from.
            venv.create(folder, with_pip=False)
            _install(version)
            _mark(version).write_text(_key(version))
    return python_of(version)


def _install(version: str) -> None:
    command = [sys.executable, "-m", "pip", "--python", str(python_of(version)), "install", "--quiet"]
    command += ["--no-deps", "--requirement", str(_requirements(version))]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode != 0:
        raise BuildError(f"huggingface_hub {version} could not be installed:\n{finished.stderr}")


def _mark(version: str) -> Path:
    """Written last, so that half an environment is never taken for a whole one."""
    return FOLDER / version / "complete"


def _key(version: str) -> str:
    content = _requirements(version).read_bytes() + sys.version.encode()
    return hashlib.sha256(content).hexdigest()


def _requirements(version: str) -> Path:
    return _REQUIREMENTS / f"{version}.txt"
