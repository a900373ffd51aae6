"""Where contents are written before they are kept.

A file's age does not tell a slow upload from one that was killed: the first files of a long commit are old when its
last ones arrive. So each process writes into a folder of its own, and holds a lock beside it for as long as something
is in there. The lock ends with the process, however that ends.
"""

import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

_LOCK = ".lock"


class Staging:
    """The files that this process is writing, under `folder`; safe to be used by several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._files = 0
        self._use_another()

    def create(self) -> tuple[int, Path]:
        """Makes an empty file.

        Returns:
            A handle that is open for writing, and where the file is.
        """
        with self._guard:
            self._files += 1
            try:
                if self._files == 1:
                    # The lock comes first: a folder without one is garbage.
                    self._lock.acquire()
                    self._own.mkdir()
                handle, name = tempfile.mkstemp(dir=self._own)
            except BaseException:
                self._leave()
                raise
        return handle, Path(name)

    def remove(self, path: Path) -> None:
        """Ends the use of a file that was created here; it may have been moved away."""
        with self._guard:
            path.unlink(missing_ok=True)
            self._leave()

    def _leave(self) -> None:
        self._files -= 1
        if not self._files:
            # What others have put there stays, and is garbage now.
            with suppress(OSError):
                self._own.rmdir()
            self._lock.release()
            _lock_of(self._own).unlink(missing_ok=True)
            self._use_another()

    def _use_another(self) -> None:
        """A name that was never used: whoever cleans up may be looking at the last one."""
        self._own = self._folder / secrets.token_hex(8)
        self._lock = FileLock(_lock_of(self._own), thread_local=False)


def abandoned(folder: Path, before: float) -> Iterator[Path]:
    """What no process writes to any more.

    Args:
        folder: Where all processes have their staging files.
        before: What has changed since then is left alone, in seconds since the epoch.
    """
    for path in sorted(folder.iterdir()):
        # An upload may end between any two of these steps, and take its file away.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before and not _is_locked(path) and not _belongs_to_folder(path):
                yield path


def remove_abandoned(path: Path) -> None:
    """Removes a file or folder that `abandoned` has found."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        _lock_of(path).unlink(missing_ok=True)
    else:
        path.unlink(missing_ok=True)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}{_LOCK}")


def _belongs_to_folder(path: Path) -> bool:
    return path.suffix == _LOCK and path.with_suffix("").exists()


def _is_locked(path: Path) -> bool:
    lock = path if path.suffix == _LOCK else _lock_of(path)
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True
