"""A pack, written while it is being sent.

Format: https://git-scm.com/docs/pack-format. Objects are whole, not as differences from one another: what is worth
compressing here is small, and what is large is compressed already.
"""

import hashlib
import itertools
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from dulwich.object_format import SHA1
from dulwich.pack import pack_object_header
from sqlalchemy import select

from rl_hub.database import tables
from rl_hub.git.objects import DamagedRepository, PackList, batches, commit_batches, read_bodies, tree_batches
from rl_hub.hub import Hub
from rl_hub.repositories.git_objects import pointer as lfs_pointer

_COMMIT, _TREE, _BLOB = 1, 2, 3
_FILES = 256  # per query
_PIECE_BYTES = 2**18
_SAMPLE_BYTES = 2**15
_FAST = 1  # zlib's fastest level


def write_pack(hub: Hub, listed: PackList) -> Iterator[bytes]:
    """The bytes of a pack, in small pieces; only a few objects are in memory at a time.

    Raises:
        DamagedRepository: If an object is not there, or not as long as it should be.
    """
    header = struct.pack(">4sLL", b"PACK", 2, len(listed))
    digest = hashlib.sha1(usedforsecurity=False)
    for piece in itertools.chain([header], _bodies(hub, listed), _files(hub, listed.blobs)):
        digest.update(piece)
        yield piece
    yield digest.digest()


def _bodies(hub: Hub, listed: PackList) -> Iterator[bytes]:
    """Commits and folders."""
    for number, ids in ((_COMMIT, commit_batches(listed.commits)), (_TREE, tree_batches(listed.trees))):
        for batch in ids:
            # Not one transaction throughout: a slow client would keep it open for as long as it likes.
            with hub.database.read() as connection:
                found = read_bodies(connection, batch)
            for body in found:
                yield from _packed(number, len(body), [body])


def _files(hub: Hub, blobs: Sequence[bytes]) -> Iterator[bytes]:
    """Contents of files, or pointers in place of large ones."""
    table = tables.files
    for batch in batches(blobs, _FILES):
        with hub.database.read() as connection:
            rows = connection.execute(select(table).where(table.c.git_oid.in_([oid.hex() for oid in batch]))).all()
        if len(rows) != len(batch):
            raise DamagedRepository("A file of this repository is missing. The Hub's fsck says which.")
        for row in rows:
            if row.lfs:
                pointer = lfs_pointer(row.sha256, row.size)
                yield from _packed(_BLOB, len(pointer), [pointer])
            else:
                yield from _packed(_BLOB, row.size, _content(hub.blobs.path(row.sha256), row.size))


def _content(path: Path, size: int) -> Iterator[bytes]:
    """A content from the disk.

    Raises:
        DamagedRepository: If it is not there, or has another size.
    """
    left = size
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                left -= len(piece)
                yield piece
    except OSError as error:
        raise DamagedRepository("The content of a file cannot be read. The Hub's fsck says which.") from error
    if left:
        raise DamagedRepository("The content of a file has another size. The Hub's fsck says which.")


def _packed(number: int, size: int, content: Iterable[bytes]) -> Iterator[bytes]:
    """One object of a pack."""
    yield bytes(pack_object_header(number, None, size, SHA1))
    pieces = iter(content)
    first = next(pieces, b"")
    compressor = zlib.compressobj(_level(first[:_SAMPLE_BYTES]))
    for piece in itertools.chain([first], pieces):
        yield compressor.compress(piece)
    yield compressor.flush()


def _level(sample: bytes) -> int:
    """How hard to compress: not at all what becomes no shorter, which is ten times as fast."""
    return _FAST if len(zlib.compress(sample, _FAST)) < 0.9 * len(sample) else zlib.Z_NO_COMPRESSION
