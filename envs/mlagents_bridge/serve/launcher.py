"""Writes the file that ML-Agents takes for a Unity executable."""

import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mlagents_bridge.errors import BridgeError

_MARK: Final = "# Written by `python -m mlagents_bridge make-launcher`."


def write_launcher(path: Path, arguments: Sequence[str], *, force: bool = False) -> Path:
    """Writes an executable script that starts `python -m mlagents_bridge play` with this very Python.

    Args:
        path: Where. A name that ends in `.app` becomes a folder, as macOS has them.
        arguments: Of `play`; the trainer's come after them.
        force: Whether to overwrite a file that was not written here.

    Returns:
        The script.

    Raises:
        BridgeError: If it cannot be written, or something else is there.
    """
    script = _script_path(path)
    if script.is_dir():
        raise BridgeError(f"{script} is a folder: name a file.")
    if script.exists() and not force and _MARK.encode() not in _beginning_of(script):
        raise BridgeError(
            f"{script} is there already, and is no launcher: take another name, or --force to replace it."
        )
    command = shlex.join([sys.executable, "-m", "mlagents_bridge", "play", *arguments])
    _write(script, f'#!/bin/sh\n{_MARK}\nexec {command} "$@"\n')
    return script


def _script_path(path: Path) -> Path:
    if sys.platform == "win32":
        raise BridgeError("On Windows ML-Agents starts .exe files only, so there is no launcher: work in WSL instead.")
    if path.suffix == ".app":
        script = path / "Contents" / "MacOS" / path.stem
        if path.parent.is_dir():
            script.parent.mkdir(parents=True, exist_ok=True)
        return script
    if sys.platform == "darwin":
        raise BridgeError(f"On macOS ML-Agents starts what ends in .app: take {path.with_suffix('.app')}.")
    return path


def _beginning_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(200)
    except OSError as error:
        raise BridgeError(f"{path} cannot be read: {error.strerror}.") from error


def _write(script: Path, content: str) -> None:
    """Puts the script in its place at once, as a trainer may be starting the old one."""
    if not script.parent.is_dir():
        raise BridgeError(f"The folder {script.parent} does not exist: make it first.")
    try:
        handle, name = tempfile.mkstemp(prefix=".launcher-", dir=script.parent)
    except OSError as error:
        raise BridgeError(f"{script} cannot be written: {error.strerror}.") from error
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(content)
        draft.chmod(0o755)
        draft.replace(script)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise BridgeError(f"{script} cannot be written: {error.strerror}.") from error
