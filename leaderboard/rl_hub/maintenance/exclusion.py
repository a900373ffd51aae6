"""One at a time: a backup or a check must not see contents disappear, and a restore wants the Hub for itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rl_hub.errors import CommandError

SERVE_LOCK = "serve.lock"
"""Held by `serve` as long as it runs."""

_LOCK = "maintenance.lock"


@contextmanager
def maintenance(data: Path, wait_seconds: float = 0) -> Iterator[None]:
    """Keeps other maintenance of a Hub away; the Hub itself goes on.

    Args:
        data: The Hub's folder.
        wait_seconds: How long to wait for another one to end.

    Raises:
        CommandError: If another one is still running then.
    """
    with _held(
        data / _LOCK,
        wait_seconds,
        f"A backup, check or clean-up of the Hub in {data} is running. Try again when it has ended.",
    ):
        yield


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Keeps a Hub from being served or maintained.

    Raises:
        CommandError: If it is.
    """
    sentence = f"The Hub in {data} is being served. Stop it first."
    with _held(data / SERVE_LOCK, 0, sentence), maintenance(data):
        yield


@contextmanager
def _held(path: Path, wait_seconds: float, sentence: str) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise CommandError(sentence) from None
    try:
        yield
    finally:
        lock.release()
