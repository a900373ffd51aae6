"""Attempts of a hostile agent to use more than its limits, for the self-test of a sandbox (see `hostile`)."""

import mmap
import os
import threading
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Any, Protocol

_STAY = 1.5  # seconds that something has to last before it counts: the watch looks more often
_CHUNK = 2**20


class Bounds(Protocol):
    """The limits to exceed."""

    @property
    def processes(self) -> int:
        """Tasks."""
        ...

    @property
    def memory_bytes(self) -> int:
        """Of all processes together."""
        ...

    @property
    def scratch_bytes(self) -> int:
        """Of all files together."""
        ...

    @property
    def cpu_seconds(self) -> int:
        """Of all threads together."""
        ...


def _children(count: int, work: Callable[[], Any]) -> int:
    """How many of so many children can be started, and are alive a while later."""
    alive, hold = os.pipe()
    started = []
    try:
        for _ in range(count):
            child = os.fork()
            if child == 0:
                os.close(hold)
                kept = work()
                os.read(alive, 1)  # until the parent ends
                os._exit(0 if kept else 1)
            started.append(child)
    except OSError:
        pass
    time.sleep(_STAY if started else 0)
    surviving = sum(os.waitpid(child, os.WNOHANG) == (0, 0) for child in started)
    os.close(hold)
    return surviving


def fork_flood(aims: Bounds) -> bool:
    """More processes than are allowed."""
    return _children(400, lambda: None) > aims.processes


def thread_flood(aims: Bounds) -> bool:
    """2000 threads."""
    threading.stack_size(64 * 1024)
    done = threading.Event()
    try:
        for _ in range(max(2000, aims.processes)):
            threading.Thread(target=done.wait, daemon=True).start()
        time.sleep(_STAY)
    finally:
        done.set()
    return True


def memory(_: Bounds) -> bool:
    """6 GiB of address space, untouched."""
    mmap.mmap(-1, 6 * 2**30).close()
    return True


def tree_memory(aims: Bounds) -> bool:
    """More memory than is allowed, each process less."""
    return _children(6, lambda: bytearray(b"x") * (aims.memory_bytes // 4)) >= 6


def large_file(_: Bounds) -> bool:
    """A file of 700 MiB, without content."""
    with Path("large").open("wb") as file:
        return file.truncate(700 * 2**20) > 0


def fill(aims: Bounds, *, unseen: bool) -> bool:
    """Twice what is allowed, in files that are each small enough."""
    kept: list[FileIO] = []
    try:
        for number in range(2 * aims.scratch_bytes // (4 * _CHUNK)):
            kept.append(FileIO(f"fill{number}", "wb"))
            if unseen:
                Path(f"fill{number}").unlink()
            for _ in range(4):
                if kept[-1].write(b"x" * _CHUNK) != _CHUNK:
                    return False
        time.sleep(_STAY)
    finally:
        for file in kept:
            file.close()
    return True


def cpu_time(aims: Bounds) -> bool:
    """Three times the time that is allowed."""
    while time.process_time() < 3 * aims.cpu_seconds:
        pass
    return True
