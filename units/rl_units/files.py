"""Writing files so that a reader, or a killed process, never sees half of one."""

import contextlib
import errno
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from rl_units.errors import StorageError

_counter = itertools.count()
# EFBIG is what a per-process file size limit answers, EDQUOT a user quota: to the student both are a full disk.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}
)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turns the operating system's refusal to write `path` into a sentence.

    Args:
        path: The file or folder being written, for the message.

    Raises:
        StorageError: If the disk is full or the place cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageError(
                f"The disk is full: {path} could not be written. What was there before is untouched. "
                "Free some space and try again."
            ) from error
        if error.errno in _REFUSED:
            raise StorageError(
                f"{path} cannot be written: {error.strerror}. Choose another folder or mend its permissions."
            ) from error
        raise


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; on success it is flushed to the disk and renamed to `path`.

    The temporary name keeps the suffix of `path`, because some writers choose their format by it. On any error the
    temporary file is removed and an earlier `path` stays as it was.

    Args:
        path: Final place of the file. Its folder is made if it is missing.

    Raises:
        StorageError: If the disk is full or the folder cannot be written.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.stem}-{os.getpid()}-{next(_counter)}{path.suffix}")
        try:
            yield temporary
            sync(temporary)
            temporary.replace(path)
            sync(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_text(path: Path, text: str) -> None:
    """Writes `text` to `path` as UTF-8, atomically (see `atomic_path`)."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sync(path: Path) -> None:
    """Has the system flush a file, or a folder's list of files, to the disk."""
    is_folder = path.is_dir()
    if os.name == "nt" and is_folder:
        return  # Windows cannot open a folder
    # Windows flushes writable handles only.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Network and shared folders cannot flush a folder; the file itself is on the disk.
        if not (is_folder and error.errno in (errno.EINVAL, errno.ENOTSUP)):
            raise
    finally:
        os.close(descriptor)
