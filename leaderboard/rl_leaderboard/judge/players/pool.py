"""Warm sandboxed processes, and what a worker does with them: load an agent and play it."""

import contextlib
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rl_leaderboard.judge.players.conversion import AgentFile, read_files, receive_converted, write_files
from rl_leaderboard.judge.players.failures import AgentFailed, PlayersUnavailable, bad_answer
from rl_leaderboard.judge.players.limits import PlayerLimits
from rl_leaderboard.judge.players.messages import Kind, frame
from rl_leaderboard.judge.players.sandboxed_agent import SandboxedAgent
from rl_leaderboard.judge.players.service import Service, Task
from rl_leaderboard.judge.players.warm import Launcher, WarmProcess
from rl_units.agents.architecture import ALGORITHMS
from rl_units.agents.mlagents_agent import MLAGENTS
from rl_units.course import Protocol
from rl_units.environments import agent_spaces

_MOST_SERVED = 200
"""Submissions after which a process is replaced, so that nothing in it or in its kernel objects grows for ever."""
_HASH = re.compile("[0-9a-f]{64}")
_ALGORITHMS = frozenset({*ALGORITHMS, MLAGENTS})
_LOAD, _CONVERT = "load", "be converted"


class PlayerPool:
    """Sandboxed processes that have torch imported; a context manager, after which none of them is left.

    A process serves one submission at a time, each in a fresh fork of it (see `inside`), and is thrown away after any
    failure.

    Attributes:
        versions: Of Python and packages in the sandbox, as the process says that was last used.

    Args:
        launcher: Starts one.
        size: How many wait; one for each submission that is judged at the same time.
        limits: Of each submission.
    """

    def __init__(self, launcher: Launcher, size: int = 1, limits: PlayerLimits | None = None) -> None:
        self._launcher = launcher
        self._limits = limits or PlayerLimits()
        self._size = size
        self._lock = threading.Lock()
        self._waiting: list[WarmProcess] = []
        self._is_closed = False
        self.versions: dict[str, str] = {}

    def __enter__(self) -> "PlayerPool":
        self.warm()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Starts the processes that are missing, and does not wait until they are ready.

        Raises:
            PlayersUnavailable: If one cannot be started.
        """
        while True:
            with self._lock:
                if self._is_closed or len(self._waiting) >= self._size:
                    return
                self._waiting.append(WarmProcess(self._launcher, self._limits))

    def close(self) -> None:
        """Ends every process that waits. One that serves a submission ends with that."""
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = self._waiting, []
        for process in waiting:
            process.kill()

    @contextlib.contextmanager
    def load(
        self, folder: Path, protocol: Protocol, *, algo: str | None = None, keep: Path | None = None
    ) -> Iterator[SandboxedAgent]:
        """Converts a student's files in one process and loads what came out in another, to be played.

        Args:
            folder: The student's files.
            protocol: How they are scored.
            algo: The algorithm, if it is known.
            keep: Where to write the converted files; None keeps none.

        Yields:
            The agent, as long as the context lasts.

        Raises:
            AgentFailed: If it cannot be scored; also from `SandboxedAgent.act`.
            PlayersUnavailable: If there is no sandbox.
        """
        converted = self.convert(folder, protocol, algo=algo)
        if keep is not None:
            write_files(converted, keep)
        with self.play(converted, protocol, algo=algo) as agent:
            yield agent

    def convert(self, folder: Path, protocol: Protocol, *, algo: str | None = None) -> list[AgentFile]:
        """Converts a student's files.

        Raises:
            AgentFailed: If they are refused or the process fails.
            PlayersUnavailable: If there is no sandbox.
        """
        files = read_files(folder, self._limits)
        with self._service("convert", files, protocol, algo) as service:
            task = Task.begin(_CONVERT, self._limits.load_seconds)
            return receive_converted(service, _send(service, files, task), task)

    @contextlib.contextmanager
    def play(
        self, files: Sequence[AgentFile], protocol: Protocol, *, algo: str | None = None
    ) -> Iterator[SandboxedAgent]:
        """Loads converted files, to be played; see `load`."""
        _, action_space = agent_spaces(protocol)
        with self._service("play", files, protocol, algo) as service:
            loaded = _send(service, files, Task.begin(_LOAD, self._limits.load_seconds))
            yield SandboxedAgent(service, *_identity(loaded), action_space)

    @contextlib.contextmanager
    def _service(
        self, task: str, files: Sequence[AgentFile], protocol: Protocol, algo: str | None
    ) -> Iterator[Service]:
        process, service = self._begin(task, files, protocol, algo)
        is_clean = False
        try:
            yield service
            is_clean = service.close()
        except AgentFailed:
            is_clean = service.has_told and service.close()
            raise
        finally:
            self._put_back(process, is_clean)

    def _put_back(self, process: WarmProcess, is_clean: bool) -> None:
        with self._lock:
            has_room = len(self._waiting) < self._size and not self._is_closed
            is_kept = is_clean and has_room and process.served < _MOST_SERVED
            if is_kept:
                self._waiting.insert(0, process)
        if not is_kept:
            process.kill()
            with contextlib.suppress(PlayersUnavailable):  # whoever needs one next is told
                self.warm()

    def _begin(
        self, task: str, files: Sequence[AgentFile], protocol: Protocol, algo: str | None
    ) -> tuple[WarmProcess, Service]:
        """Begins a submission in a process that waits, or in a new one if that is not as it should be."""
        sizes = [(file.name, len(file.content)) for file in files]
        while True:
            with self._lock:
                process = self._waiting.pop(0) if self._waiting else None
            is_new = process is None
            process = process or WarmProcess(self._launcher, self._limits)
            try:
                service = process.open(task, protocol, algo, sizes)
                self.versions = process.versions
                return process, service
            except BaseException as error:
                process.kill()
                if is_new or not isinstance(error, PlayersUnavailable):
                    raise


def _send(service: Service, files: Sequence[AgentFile], task: Task) -> dict[str, Any]:
    for file in files:
        service.send(frame(Kind.FILE, file.content), task)
    return service.receive_json(Kind.LOADED, task)


def _identity(loaded: dict[str, Any]) -> tuple[str, str]:
    algo, sha256 = loaded.get("algo"), loaded.get("sha256")
    if not (isinstance(algo, str) and algo in _ALGORITHMS and isinstance(sha256, str) and _HASH.fullmatch(sha256)):
        raise bad_answer("was loaded as something that is no agent")
    return algo, sha256
