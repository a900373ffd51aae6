"""Shards: which chunks of which xorbs make up the files of an upload.

Only the section about files is read. The section after it repeats what the uploaded xorbs say themselves, and the
footer is optional. Source: Xet protocol specification, "MDB Shard File Format Specification".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO

from rl_hub.errors import BadRequest
from rl_hub.xet.hashes import HASH_BYTES, to_text

# MDB_SHARD_HEADER_TAG, MDB_SHARD_HEADER_VERSION, MDB_FILE_INFO_ENTRY_SIZE and the file flags of the specification.
_TAG = bytes.fromhex("48465265706f4d6574614461746100556967456a7b815783a5bdd95ccdd14aa9")
_VERSION = 2
_ENTRY_BYTES = 48
_WITH_VERIFICATION = 1 << 31
_WITH_METADATA = 1 << 30

_HEADER = Struct("<32sQQ")
_FILE = Struct("<32sII8x")
_TERM = Struct("<32sIIII")
_BOOKEND = b"\xff" * HASH_BYTES
# Terms are read in blocks of this many, so that a file of a million terms is never held whole.
_BLOCK = 1024


@dataclass(frozen=True)
class Term:
    """A run of chunks of one xorb.

    Attributes:
        xorb: The xorb's hash in text form.
        size: Bytes of the run, unpacked, as announced.
        start: Its first chunk.
        end: The chunk after its last.
    """

    xorb: str
    size: int
    start: int
    end: int


@dataclass(frozen=True)
class FileInfo:
    """A file of a shard.

    Attributes:
        file_hash: What its chunks have to hash to, 32 bytes.
        sha256: What its content has to hash to, in hex; None if the shard does not say.
        n_terms: How many runs of chunks make it up.
        offset: Where the first of them stands in the shard.
    """

    file_hash: bytes
    sha256: str | None
    n_terms: int
    offset: int


def read_files(shard: BinaryIO, size: int) -> Iterator[FileInfo]:
    """The files of a shard, one after the other.

    Args:
        shard: The shard, seekable.
        size: Its size in bytes.

    Raises:
        BadRequest: If it is no shard, a newer one than this Hub knows, or cut off.
    """
    tag, version, _ = _HEADER.unpack(_read(shard, 0, _HEADER.size))
    if tag != _TAG or version != _VERSION:
        raise BadRequest("This is no shard, or one of a newer version of the protocol than this Hub knows.")
    offset = _HEADER.size
    while True:
        file_hash, flags, n_terms = _FILE.unpack(_read(shard, offset, _ENTRY_BYTES))
        if file_hash == _BOOKEND:
            return
        offset += _ENTRY_BYTES
        after_terms = offset + n_terms * _ENTRY_BYTES * (2 if flags & _WITH_VERIFICATION else 1)
        if after_terms > size:
            raise _cut_off()
        sha256 = None
        if flags & _WITH_METADATA:
            sha256 = to_text(_read(shard, after_terms, _ENTRY_BYTES)[:HASH_BYTES])
        yield FileInfo(file_hash, sha256, n_terms, offset)
        offset = after_terms + (_ENTRY_BYTES if flags & _WITH_METADATA else 0)


def read_terms(shard: BinaryIO, file: FileInfo) -> Iterator[Term]:
    """The runs of chunks that make up a file, in order.

    Raises:
        BadRequest: If a run has no chunks or ends before it begins.
    """
    for first in range(0, file.n_terms, _BLOCK):
        count = min(_BLOCK, file.n_terms - first)
        block = _read(shard, file.offset + first * _ENTRY_BYTES, count * _ENTRY_BYTES)
        for xorb, _flags, size, start, end in _TERM.iter_unpack(block):
            if start >= end:
                raise BadRequest(f"A run of chunks in this shard begins at chunk {start} and ends before chunk {end}.")
            yield Term(to_text(xorb), size, start, end)


def _read(shard: BinaryIO, offset: int, size: int) -> bytes:
    shard.seek(offset)
    data = shard.read(size)
    if len(data) != size:
        raise _cut_off()
    return data


def _cut_off() -> BadRequest:
    return BadRequest("This shard is cut off: it announces more than it has.")
