"""A Unity executable: found as ML-Agents finds it, started with Unity's arguments, and ended with all its children."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mlagents_bridge.errors import BridgeError

_SUFFIXES: Final = {"linux": (".x86_64", ".x86"), "darwin": (".app",), "win32": (".exe",)}
_ALL_SUFFIXES: Final = (".x86_64", ".x86", ".app", ".exe")
_TAIL_LINES: Final = 20
_TAIL_BYTES: Final = 4_000
_POLL_SECONDS: Final = 0.02


def find_executable(file: str | os.PathLike[str], platform: str = sys.platform) -> Path:
    """The program that starts an environment.

    Args:
        file: Its path, with or without the ending that Unity gives it: `Game` stands for `Game.x86_64`, `Game.x86` or
            `Game` on Linux, for `Game.app` on macOS, and for `Game.exe` or the program in the folder `Game` on Windows.
        platform: As in `sys.platform`.

    Raises:
        BridgeError: If there is none, or it may not be executed.
    """
    path = Path(file).expanduser().absolute()
    if not path.name:
        raise BridgeError(f"{os.fspath(file)!r} is no name of an environment: give the path of its executable.")
    stem = path.with_name(path.name.removesuffix(path.suffix)) if path.suffix in _ALL_SUFFIXES else path
    candidates = [path] if path != stem else []
    candidates += [stem.with_name(stem.name + suffix) for suffix in _SUFFIXES.get(platform, ())]
    candidates.append(stem)
    for candidate in candidates:
        if (program := _program(candidate)) is not None:
            if not os.access(program, os.X_OK):
                raise BridgeError(f"{program} is not executable. Run: chmod +x {program}")
            return program
    looked = ", ".join(candidate.name for candidate in candidates)
    raise BridgeError(f"There is no environment {os.fspath(file)!r}: looked for {looked} in {path.parent}.")


def _program(path: Path) -> Path | None:
    """The program that a path stands for: itself, or inside a macOS application or a Windows folder."""
    if path.is_file():
        return path
    inside = [path / "Contents" / "MacOS" / path.stem, *sorted((path / "Contents" / "MacOS").glob("*"))]
    inside += [program for program in sorted(path.glob("*.exe")) if not program.name.startswith("UnityCrashHandler")]
    return next((program for program in inside if program.is_file()), None)


class Player:
    """A running environment.

    Args:
        file: See `find_executable`.
        port: Of the trainer's server.
        no_graphics: Whether it draws nothing, which is faster and needs no screen; its cameras see nothing then.
        log_file: Where it writes its log; a temporary file by default.
        arguments: Further ones for it.

    Raises:
        BridgeError: If there is no such program, or it cannot be started.
    """

    def __init__(
        self,
        file: str | os.PathLike[str],
        port: int,
        *,
        no_graphics: bool = True,
        log_file: str | os.PathLike[str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self.program = find_executable(file)
        self._folder = tempfile.TemporaryDirectory(prefix="mlagents-player-", ignore_cleanup_errors=True)
        self._output = Path(self._folder.name, "output.txt")
        self._log = Path(log_file or Path(self._folder.name, "Player.log")).absolute()
        command = [str(self.program), *(["-nographics", "-batchmode"] if no_graphics else [])]
        command += ["--mlagents-port", str(port), "-logFile", str(self._log), *arguments]
        try:
            with self._output.open("wb") as output:
                self._process = subprocess.Popen(  # noqa: S603  # the user's own program
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is the trainer's; and its children can be found
                )
        except OSError as error:
            self._folder.cleanup()
            raise BridgeError(f"{self.program} could not be started: {error.strerror or error}.") from None

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def check(self) -> None:
        """Makes sure that it runs.

        Raises:
            BridgeError: If it has ended; with the end of its log.
        """
        if _has_ended(self._process):
            self.end(0)
            raise BridgeError(f"The environment {self.program.name} {self._ending()}{self.tail()}")

    def tail(self) -> str:
        """The end of its log, and of what it printed, as lines to follow a sentence."""
        parts = [
            f"\nThe end of {name}:\n{text}"
            for name, path in (("its log", self._log), ("what it printed", self._output))
            if (text := _end_of(path))
        ]
        return "".join(parts) or " It wrote no log."

    def end(self, patience: float) -> None:
        """Ends it and its children, if they do not end by themselves.

        Args:
            patience: For how many seconds that is waited for.
        """
        deadline = time.monotonic() + patience
        while not _has_ended(self._process) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        # Before its process is reaped: until then nobody else can have its number.
        _kill_with_children(self._process)
        self._process.wait()

    def forget(self) -> None:
        """Removes its temporary files."""
        self._folder.cleanup()

    def _ending(self) -> str:
        code = self._process.returncode
        if code >= 0:
            return f"has ended with exit code {code}."
        try:
            return f"was ended by {signal.Signals(-code).name}."
        except ValueError:
            return f"was ended by signal {-code}."


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process has ended; it is not reaped."""
    if process.returncode is not None:
        return True
    if sys.platform == "win32":
        return process.poll() is not None
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # somebody else has reaped it
        return process.poll() is not None


def _kill_with_children(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is not None:
        return
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _end_of(path: Path) -> str:
    """The last lines of a file, if there is one."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = file.read(_TAIL_BYTES).decode(errors="replace")
    except OSError:
        return ""
    lines = ["".join(character if character.isprintable() else " " for character in line) for line in text.splitlines()]
    return "\n".join(f"  {line}" for line in lines[-_TAIL_LINES:])
