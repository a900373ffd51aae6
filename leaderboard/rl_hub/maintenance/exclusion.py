"""One at a time: a backup or a check must not see contents disappear, and a restore wants its folder for itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rl_hub.errors import CommandError

SERVE_LOCK = "serve.lock"
"""Held by `serve` as long as it runs."""

_LOCK = "maintenance.lock"


@contextmanager
def maintenance(data: Path, wait_seconds: float = 0, name: str = "Hub") -> Iterator[None]:
    """Keeps other maintenance of a data folder away; whoever serves it goes on.

    Args:
        data: The folder.
        wait_seconds: How long to wait for another one to end.
        name: What is in the folder, for people.

    Raises:
        CommandError: If another one is still running then.
    """
    with _held(
        data / _LOCK,
        wait_seconds,
        f"A backup, check or clean-up of the {name} in {data} is running. Try again when it has ended.",
    ):
        yield


@contextmanager
def serving(data: Path, name: str = "Hub") -> Iterator[None]:
    """Serves a data folder, which is made if it is not there.

    Raises:
        CommandError: If it is being served already.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _held(data / SERVE_LOCK, 0, f"The {name} in {data} is being served already."):
        yield


@contextmanager
def alone(data: Path, name: str = "Hub") -> Iterator[None]:
    """Keeps a data folder from being served or maintained.

    Raises:
        CommandError: If it is.
    """
    sentence = f"The {name} in {data} is being served. Stop it first."
    with _held(data / SERVE_LOCK, 0, sentence), maintenance(data, name=name):
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
