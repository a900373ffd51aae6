"""What no kernel limit bounds without control groups, looked after from outside, ten times a second.

One thread for all sandboxes of this process. It also starts them: the kernel ends a sandbox when the *thread* that
started it ends, and this one lasts as long as the process.
"""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rl_leaderboard.judge.sandbox.limits import Limits, usage_of
from rl_leaderboard.judge.sandbox.scratch import named

_LOOK_EVERY = 0.1  # seconds
_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


class Watched(Protocol):
    """What the watch needs to know of a sandbox."""

    limits: Limits
    scratch: Path | None

    @property
    def pid(self) -> int:
        """The process at the root of its tree."""
        ...

    def ended(self) -> bool:
        """Whether nothing of it runs any more. If so, it has also cleaned up."""
        ...

    def drain(self) -> None:
        """Take what it has written to its standard error."""
        ...

    def end(self) -> None:
        """End it and wait until nothing of it is left."""
        ...

    def overran(self, reason: str) -> None:
        """End it, and remember why."""
        ...


class Watch:
    """The thread and what it watches."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._watched: list[Watched] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def do(self, action: Callable[[], _Result]) -> _Result:
        """Run something in the watch's thread, and give back or raise what it does."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sandbox-watch", daemon=True)
                self._thread.start()
        future: Future[_Result] = Future()
        self._orders.put((action, future))
        return future.result()

    def add(self, sandbox: Watched) -> None:
        """Watch it until it ends. To be called in the watch's thread."""
        self._watched.append(sandbox)

    def end_all(self) -> None:
        """End what still runs, when this process ends."""
        for sandbox in self._watched:
            sandbox.end()

    def _run(self) -> None:
        while True:
            try:
                action, future = self._orders.get(timeout=_LOOK_EVERY if self._watched else None)
            except queue.Empty:
                self._watched = [sandbox for sandbox in self._watched if not _look_safely(sandbox)]
                continue
            try:
                future.set_result(action())
            except BaseException as error:  # the one who asked gets it
                future.set_exception(error)


def _look_safely(sandbox: Watched) -> bool:
    try:
        return look(sandbox)
    except Exception:
        _log.exception("A sandbox could not be watched, so it was ended.")
        with contextlib.suppress(Exception):  # it is ended first; without this thread nobody would look at the others
            sandbox.overran("watch")
        return True


def look(sandbox: Watched) -> bool:
    """Look at one sandbox and end it if it uses too much.

    Returns:
        Whether it has ended, so that it needs no further look.
    """
    sandbox.drain()
    if sandbox.ended():
        return True
    reason = excess(sandbox.pid, sandbox.limits, sandbox.scratch)
    if reason:
        sandbox.overran(reason)
    return False


def excess(root: int, limits: Limits, scratch: Path | None) -> str | None:
    """What a tree of processes uses too much of: "memory", "processes", "disk", or None."""
    pids = tree(root)
    tasks = resident = 0
    for pid in pids:
        try:
            more_tasks, more_resident = usage_of(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
        tasks, resident = tasks + more_tasks, resident + more_resident
    if resident > limits.memory_bytes:
        return "memory"
    if tasks > limits.processes + len(_OF_THE_SANDBOX):
        return "processes"
    if scratch is not None:
        files, size = named(scratch, limits.scratch_files)
        if files > limits.scratch_files or size > limits.scratch_bytes:
            return "disk"
    return None


_OF_THE_SANDBOX = ("bwrap outside", "bwrap inside")  # processes that are no agent's


def tree(root: int) -> list[int]:
    """A process and all that descend from it, parents first."""
    found = [root]
    for pid in found:  # grows meanwhile
        try:
            for task in list(Path(f"/proc/{pid}/task").iterdir()):
                found += [int(child) for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
    return found
