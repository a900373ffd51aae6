"""The hashes of the Xet protocol: of chunks, of xorbs and of files.

All are BLAKE3 with a key for each use. A xorb's hash is the root of a tree over its chunks, in which the hashes
themselves decide where a node ends. Source: Xet protocol specification, "Hashing" and "Converting hashes to strings";
the rule by which nodes are cut is in `aggregated_hashes.rs` of xet-core.
"""

import re
from dataclasses import dataclass, field
from struct import Struct

from blake3 import blake3

HASH_BYTES = 32

# Keys of the specification: DATA_KEY and INTERNAL_NODE_KEY.
_CHUNK_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
_NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
_FILE_KEY = bytes(32)

_NO_CONTENT = bytes(32)
_LEAST_CHILDREN, _MOST_CHILDREN = 3, 9
_WORDS = Struct("<4Q")
_TEXT = re.compile(r"[0-9a-f]{64}")


def chunk_hash(data: bytes | bytearray | memoryview) -> bytes:
    """The 32-byte hash of a chunk's unpacked content."""
    return blake3(data, key=_CHUNK_KEY).digest()


def file_hash(root: bytes) -> bytes:
    """The 32-byte hash of a file, given the root of the tree over its chunks."""
    return root if root == _NO_CONTENT else blake3(root, key=_FILE_KEY).digest()


def to_text(value: bytes) -> str:
    """A 32-byte hash as the protocol writes it: four little-endian 64-bit numbers in hex."""
    return "{:016x}{:016x}{:016x}{:016x}".format(*_WORDS.unpack(value))


def from_text(text: str) -> bytes | None:
    """The 32 bytes of a hash in text form; None if it is none (64 lower-case hexadecimal digits)."""
    if not _TEXT.fullmatch(text):
        return None
    return _WORDS.pack(*(int(text[start : start + 16], 16) for start in range(0, 64, 16)))


@dataclass
class _Level:
    """The nodes of one height that have no parent yet."""

    hashes: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    has_parents: bool = False

    def merge(self) -> tuple[bytes, int]:
        lines = [f"{to_text(value)} : {size}\n" for value, size in zip(self.hashes, self.sizes, strict=True)]
        size = sum(self.sizes)
        self.hashes, self.sizes, self.has_parents = [], [], True
        return blake3("".join(lines).encode(), key=_NODE_KEY).digest(), size


class HashTree:
    """The tree over a sequence of chunks, built while they pass: its memory does not grow with them."""

    def __init__(self) -> None:
        self._levels = [_Level()]

    def add(self, value: bytes, size: int) -> None:
        """Adds the next chunk: its 32-byte hash and its unpacked size in bytes."""
        height = 0
        while True:
            level = self._levels[height]
            level.hashes.append(value)
            level.sizes.append(size)
            # A node ends after a hash that is a multiple of four (its last 64 bits, little-endian).
            ends = len(level.hashes) >= _LEAST_CHILDREN and value[24] % 4 == 0
            if not ends and len(level.hashes) < _MOST_CHILDREN:
                return
            value, size = level.merge()
            height += 1
            if height == len(self._levels):
                self._levels.append(_Level())

    def root(self) -> bytes:
        """The root of the tree; 32 zero bytes if there was no chunk. Nothing can be added afterwards."""
        carried: tuple[bytes, int] | None = None
        for level in self._levels:
            if carried is not None:
                level.hashes.append(carried[0])
                level.sizes.append(carried[1])
            if len(level.hashes) == 1 and not level.has_parents:
                return level.hashes[0]
            carried = level.merge() if level.hashes else None
        return carried[0] if carried is not None else _NO_CONTENT
