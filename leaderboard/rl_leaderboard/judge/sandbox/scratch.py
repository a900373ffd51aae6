"""Folders for temporary files of sandboxes: made, measured, removed."""

import contextlib
import fcntl
import os
import secrets
import tempfile
import time
from pathlib import Path

_PREFIX = "rl-sandbox-"
_YOUNG = 60  # seconds in which a folder may exist before its owner has locked it
_BLOCK = 512  # bytes; st_blocks counts these on every file system (stat(2))


class Scratch:
    """A folder that lasts as long as its sandbox, or, if this process is killed, until the next sweep."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove it with all that is in it. Doing so twice is fine; at the same time is not."""
        if self._lock >= 0:
            _remove(self.path)
            os.close(self._lock)
            self._lock = -1


def _remove(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as that is allowed.

    Not with `shutil.rmtree`: it takes a frame and a descriptor for each level, and a hostile program nests thousands.
    Here what lies in a folder in the folder is first moved up, so that no path grows longer than two names.
    """
    with contextlib.suppress(OSError):
        while paths := list(folder.iterdir()):
            for path in paths:
                if _is_folder(path):
                    _empty(path, folder)
                    path.rmdir()
                else:
                    path.unlink()
        folder.rmdir()


def _empty(folder: Path, into: Path) -> None:
    folder.chmod(0o700)
    for path in list(folder.iterdir()):
        if _is_folder(path):
            path.chmod(0o700)  # else only root may move it
        path.rename(into / secrets.token_hex(16))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def sweep() -> None:
    """Remove the folders that a killed process has left."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # somebody else's, or gone
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - os.fstat(folder).st_mtime > _YOUNG:
                _remove(path)
        except BlockingIOError:
            continue
        finally:
            os.close(folder)


def named(folder: Path, most_files: int) -> tuple[int, int]:
    """The number and the bytes on disk of all files and folders in a folder.

    Counting ends above `most_files`, so that a look at a folder of a million files costs no more.
    """
    count = size = 0
    waiting = [os.fspath(folder)]
    while waiting and count <= most_files:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    size += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    if count > most_files:
                        break
        except FileNotFoundError:
            continue
        except OSError:
            return most_files + 1, size  # nested deeper than a path can say: nobody does that with good intent
    return count, size
