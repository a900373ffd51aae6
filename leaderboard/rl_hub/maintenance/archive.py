"""The file of a backup: a tar that any `tar` can list, of which only the plainest form is read.

Members come in a fixed order: `manifest.json`, `tables/<name>.jsonl` for each table, `blobs/<sha256>` for each
content. Links, devices, folders and extended headers are no part of it, so none of them has to be handled with care.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from rl_hub.errors import CommandError

PIECE_BYTES = 2**20
LONGEST_LINE = 64 * 2**20
"""Bytes of a row; the longest are git's trees, a few megabytes for 25,000 files."""

_BLOCK = tarfile.BLOCKSIZE
# POSIX: two blocks of zeros after the last member.
_END = bytes(2 * _BLOCK)


class DamagedArchive(CommandError):
    """The file of a backup is not as `backup` writes it."""


@dataclass(frozen=True)
class Member:
    """A file in the archive.

    Attributes:
        name: As the archive says, not checked.
        size: Bytes.
        offset: Where its content begins in the archive.
    """

    name: str
    size: int
    offset: int


def write_header(file: IO[bytes], name: str, size: int) -> None:
    """Begins a member: `size` bytes of content have to follow, then `end_member`."""
    header = tarfile.TarInfo(name)
    header.size = size
    header.mode = 0o600
    file.write(header.tobuf(tarfile.GNU_FORMAT))


def end_member(file: IO[bytes], size: int) -> None:
    """Ends a member of this size."""
    file.write(_padding(size))


def end(file: IO[bytes]) -> None:
    """Ends an archive."""
    file.write(_END)


def pieces(file: IO[bytes], offset: int, size: int) -> Iterator[bytes]:
    """The content of a member; others may read and write elsewhere in the file meanwhile.

    Raises:
        DamagedArchive: If the archive ends before the content does.
    """
    stop = offset + size
    while offset < stop:
        file.seek(offset)
        piece = file.read(min(stop - offset, PIECE_BYTES))
        if not piece:
            raise DamagedArchive("The backup is incomplete: it ends in the middle of a file.")
        offset += len(piece)
        yield piece


def lines(file: IO[bytes], offset: int, size: int) -> Iterator[bytes]:
    """The lines of a member.

    Raises:
        DamagedArchive: If the archive ends before they do, or one of them is longer than any row can be.
    """
    rest = b""
    for piece in pieces(file, offset, size):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > LONGEST_LINE:
            raise DamagedArchive(f"The backup has a line of more than {LONGEST_LINE} bytes.")
    if rest:
        raise DamagedArchive("The backup has a table whose last line does not end.")


def members(file: IO[bytes], start: int = 0) -> Iterator[Member]:
    """The files in an archive, in their order.

    Args:
        file: Has the archive in it.
        start: Where it begins.

    Raises:
        DamagedArchive: If it is incomplete or has anything but files.
    """
    position = start
    while True:
        file.seek(position)
        block = file.read(_BLOCK)
        if block == bytes(_BLOCK) == file.read(_BLOCK):
            return
        try:
            header = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError):
            raise DamagedArchive("This is no backup, or it is incomplete.") from None
        if header.type != tarfile.REGTYPE or header.size < 0:
            raise DamagedArchive(f"The backup has a member that is no file: {header.name!r}.")
        yield Member(header.name, header.size, position + _BLOCK)
        position += _BLOCK + header.size + len(_padding(header.size))


def _padding(size: int) -> bytes:
    """What fills the last block of a content."""
    return bytes(-size % _BLOCK)
