"""Files and zips of strangers, read without trusting a size, a name or a link in them."""

import contextlib
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from rl_units.agents.excerpts import excerpt
from rl_units.errors import UnsafeAgentError

MAX_FILE_BYTES = 512 * 1024**2
"""Largest agent file; SB3's zip of the Atari network has 27 MB, half of it optimiser state."""
MAX_WEIGHT_BYTES = 256 * 1024**2
"""Largest set of weights, in any format."""
MAX_MEMBERS = 20
"""Most members of an SB3 zip; the algorithms that we read write 6 to 8."""
_MAX_TENSOR_MEMBERS = 2000
# Of the pickle in a `.pth` file that names the tensors: every byte of it may become an object. SB3 needs 10 kB.
_MAX_INDEX_BYTES = 1024**2
_MAX_DIRECTORY_BYTES = 256 * 1024
_CHUNK_BYTES = 64 * 1024
_SIGNATURE = b"PK\x03\x04"
# What `zipfile` raises on damaged input, a wrong checksum or an unknown compression among it.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, RuntimeError)


class _ShortReads(io.BufferedReader):
    """A file that refuses one long read.

    `zipfile` takes the whole directory of members in a single read and makes an object of each, before anybody can
    count them.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads as a file does; see the class."""
        if size is not None and size > _MAX_DIRECTORY_BYTES:
            raise UnsafeAgentError("too-many-members", "The zip's table of contents is larger than any agent needs.")
        return super().read(size)


@contextlib.contextmanager
def _open(path: Path, max_bytes: int) -> Iterator[_ShortReads]:
    """Opens a regular file of bounded size; neither follows a link nor waits at a pipe."""
    if path.is_symlink():
        raise UnsafeAgentError("symlink", f"{path} is a symbolic link.")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with contextlib.ExitStack() as stack:
        try:
            descriptor = os.open(path, flags)
            stack.callback(os.close, descriptor)
            file = _ShortReads(io.FileIO(descriptor, closefd=False))
        except FileNotFoundError as error:
            raise UnsafeAgentError("missing-file", f"{path} does not exist.") from error
        except OSError as error:
            raise UnsafeAgentError("unreadable-file", f"{path} cannot be opened: {error.strerror}.") from error
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeAgentError("unreadable-file", f"{path} is not an ordinary file.")
        if status.st_size > max_bytes:
            raise UnsafeAgentError(
                "file-too-large", f"{path} has {status.st_size:,} bytes; the limit is {max_bytes:,}."
            )
        yield file


def read_file(path: Path, max_bytes: int) -> bytes:
    """Reads a whole file of bounded size.

    Args:
        path: The file; a symbolic link is refused.
        max_bytes: Largest size.

    Raises:
        UnsafeAgentError: `missing-file`, `symlink`, `unreadable-file` or `file-too-large`.
    """
    with _open(path, max_bytes) as file:
        content = b"".join(iter(lambda: file.read(_CHUNK_BYTES), b""))
    if len(content) > max_bytes:
        raise UnsafeAgentError("file-too-large", f"{path} grew beyond {max_bytes:,} bytes while it was read.")
    return content


def read_members(path: Path, limits: dict[str, int]) -> dict[str, bytes]:
    """Reads chosen members of an SB3 zip.

    Args:
        path: The zip.
        limits: Name of every member to read, with its largest size in bytes after inflation.

    Returns:
        Content of each of them.

    Raises:
        UnsafeAgentError: As `read_file`; `not-a-zip`, `truncated-zip`, `too-many-members`, `duplicate-member`,
            `unsafe-member-name`, `encrypted`, `member-too-large`, `missing-member` or `damaged-member`.
    """
    with _open(path, MAX_FILE_BYTES) as file:
        archive = _open_zip(file, path.name)
        _check_members(archive, path.name, MAX_MEMBERS)
        for name in limits:
            if name not in archive.namelist():
                raise UnsafeAgentError("missing-member", f"{path.name} has no member {name}; SB3 writes one.")
        return {name: _read_member(archive, name, limit) for name, limit in limits.items()}


def repack_tensors(content: bytes, what: str) -> bytes:
    """Copies a `.pth` file, itself a zip, into a new zip whose members are plainly stored.

    torch inflates compressed members without a limit, and its zip reader need not agree with ours about what is in a
    crafted file; so it only ever sees the copy.

    Args:
        content: The file.
        what: Its name, for messages.

    Raises:
        UnsafeAgentError: As `read_members`; `compressed-weights` if a member is not stored.
    """
    archive = _open_zip(_ShortReads(io.BytesIO(content)), what)
    _check_members(archive, what, _MAX_TENSOR_MEMBERS)
    members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise UnsafeAgentError("compressed-weights", f"{what} is compressed inside, which torch never does by itself.")
    if sum(member.file_size for member in members) > len(content):
        raise UnsafeAgentError("member-too-large", f"The members of {what} claim more bytes than the file has.")
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as clean:
        for member in members:
            limit = len(content) if "/data/" in member.filename else _MAX_INDEX_BYTES
            clean.writestr(zipfile.ZipInfo(member.filename), _read_member(archive, member.filename, limit))
    return copy.getvalue()


def _open_zip(file: _ShortReads, what: str) -> zipfile.ZipFile:
    start = file.read(len(_SIGNATURE))
    try:
        return zipfile.ZipFile(file)
    except _DAMAGE as error:
        if start == _SIGNATURE:
            raise UnsafeAgentError(
                "truncated-zip", f"{what} is a zip that is cut off or damaged: {excerpt(error)}."
            ) from error
        raise UnsafeAgentError("not-a-zip", f"{what} is not a zip file.") from error


def _check_members(archive: zipfile.ZipFile, what: str, max_members: int) -> None:
    members = archive.infolist()
    if len(members) > max_members:
        raise UnsafeAgentError(
            "too-many-members", f"{what} has {len(members)} members; at most {max_members} are read."
        )
    if min((member.header_offset for member in members), default=0) != 0:
        # A zip inside the cut-off one still has its table of contents, and is found instead.
        raise UnsafeAgentError("truncated-zip", f"{what} is cut off, or has something in front of its first member.")
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        raise UnsafeAgentError("duplicate-member", f"{what} has two members of the same name.")
    _check_names(names, what)
    for member in members:
        if member.flag_bits & 0x1:
            raise UnsafeAgentError("encrypted", f"{what}: the member {member.filename!r} is encrypted.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise UnsafeAgentError("symlink", f"{what}: the member {member.filename!r} is a symbolic link.")
        if member.file_size > MAX_WEIGHT_BYTES:
            raise UnsafeAgentError("member-too-large", f"{what}: the member {member.filename!r} is too large to read.")


def _check_names(names: Iterable[str], what: str) -> None:
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if not parts[0] or ".." in parts or ":" in parts[0]:
            raise UnsafeAgentError("unsafe-member-name", f"{what}: the member name {name!r} points out of the zip.")


def _read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    chunks, size = [], 0
    try:
        with archive.open(name) as member:
            while chunk := member.read(_CHUNK_BYTES):
                size += len(chunk)
                if size > limit:
                    raise UnsafeAgentError("member-too-large", f"The member {name!r} has more than {limit:,} bytes.")
                chunks.append(chunk)
    except _DAMAGE as error:
        raise UnsafeAgentError("damaged-member", f"The member {name!r} cannot be read: {excerpt(error)}.") from error
    return b"".join(chunks)
