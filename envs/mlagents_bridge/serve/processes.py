"""Ends the player when the processes that need it have ended, however they ended."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

_POLL_SECONDS: Final = 1.0


def end_with_trainer() -> None:
    """Sends this process SIGTERM once its trainer is gone.

    The trainer is the parent. Where that is a worker process, as mlagents-learn has them, it is the learner, too: a
    worker outlives a learner that was killed. Only Linux tells of whom a process is the child.
    """
    watched = [_parent_of_this()]
    if _is_worker(os.getppid()):
        watched.append(_parent_of(os.getppid()))
    threading.Thread(target=_watch, args=(watched,), name="trainer-watch", daemon=True).start()


def _watch(watched: list[Callable[[], bool]]) -> None:
    pause = threading.Event()
    while all(is_there() for is_there in watched):
        pause.wait(_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _parent_of_this() -> Callable[[], bool]:
    parent = os.getppid()
    return lambda: os.getppid() == parent


def _parent_of(process: int) -> Callable[[], bool]:
    parent = _parent(process)
    return lambda: _parent(process) == parent


def _is_worker(process: int) -> bool:
    """Whether a process was made by Python's multiprocessing: a fork keeps the command line, the others name it."""
    own, parents = _command_line(process), _command_line(_parent(process))
    return bool(own) and (own == parents or b"multiprocessing" in own)


def _command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _parent(process: int) -> int:
    """Number of a process's parent; 0 if nothing is known of it."""
    try:
        status = Path(f"/proc/{process}/stat").read_bytes()
    except OSError:
        return 0
    # The name, in brackets, may have blanks and brackets in it.
    return int(status.rpartition(b")")[2].split()[1])
