"""The judge's processes: one that looks after the others, and one for each worker.

A worker that dies is started again; what it had in hand is somebody's again when its lease ends. Asked to stop, every
worker finishes what it has in hand and takes nothing more; asked twice, they end at once.
"""

import contextlib
import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

_LOOK_SECONDS = 0.5
# A worker that dies at once, again and again, must not keep the machine busy with being started.
_PAUSE_SECONDS = 5.0
_log = logging.getLogger(__name__)


def supervise(work: Callable[..., None], arguments: Sequence[Any], workers: int) -> None:
    """Looks after workers until a signal asks to stop.

    Args:
        work: What a worker's process does: a function of a module, which gets `arguments` and its number, from 1.
        arguments: What can be pickled.
        workers: How many there are.
    """
    # Spawned: a fork of a process with threads can hang.
    context = multiprocessing.get_context("spawn")
    running: dict[int, BaseProcess] = {}
    started: dict[int, float] = {}
    with _signals() as asked:
        while not asked.stopping.is_set():
            for number in range(1, workers + 1):
                process = running.get(number)
                if process is not None and (process.is_alive() or time.monotonic() - started[number] < _PAUSE_SECONDS):
                    continue
                if process is not None:
                    _log.error("Worker %d has ended with %s and is started again.", number, process.exitcode)
                running[number] = context.Process(target=work, args=(*arguments, number))
                running[number].start()
                started[number] = time.monotonic()
            asked.stopping.wait(_LOOK_SECONDS)
        _drain(list(running.values()), asked)


class _Asked:
    """What signals have asked for: to stop, and to stop at once."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.at_once = threading.Event()

    def hear(self, _number: int, _frame: object) -> None:
        (self.at_once if self.stopping.is_set() else self.stopping).set()


def listen_for_end() -> threading.Event:
    """What a worker's process waits for: set once it is to finish what it has in hand and end."""
    # Ctrl-C reaches every process of a terminal: the one that looks after this one says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    threading.Thread(target=_follow_parent, args=(stopping,), daemon=True).start()
    return stopping


def _follow_parent(stopping: threading.Event) -> None:
    """A parent that was killed cannot say when to stop, and whoever takes its place has workers of its own."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        stopping.set()


@contextlib.contextmanager
def _signals() -> Iterator[_Asked]:
    asked = _Asked()
    before = {number: signal.signal(number, asked.hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _drain(processes: list[BaseProcess], asked: _Asked) -> None:
    for process in processes:
        process.terminate()
    while any(process.is_alive() for process in processes):
        if asked.at_once.wait(_LOOK_SECONDS):
            for process in processes:
                process.kill()
            break
    for process in processes:
        process.join()
