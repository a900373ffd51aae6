"""Xorbs and shards as a client of the Xet protocol makes them, and as a hostile one might."""

import hashlib
import struct
from dataclasses import dataclass

import lz4.frame

from rl_hub.xet import hashes

PLAIN, LZ4, GROUPED_LZ4 = 0, 1, 2
TAG = bytes.fromhex("48465265706f4d6574614461746100556967456a7b815783a5bdd95ccdd14aa9")
BOOKEND = b"\xff" * 32 + bytes(16)
VERIFIED, WITH_SHA256 = 1 << 31, 1 << 30


def packed_chunk(content, scheme=PLAIN, *, size=None, packed_size=None, version=0):
    """A chunk behind its header; the sizes can be made to lie."""
    if scheme == GROUPED_LZ4:
        packed = lz4.frame.compress(b"".join(content[position::4] for position in range(4)))
    else:
        packed = lz4.frame.compress(content) if scheme == LZ4 else content
    size = len(content) if size is None else size
    packed_size = len(packed) if packed_size is None else packed_size
    return struct.pack("<II", version | packed_size << 8, scheme | size << 8) + packed


def packed_xorb(contents, scheme=PLAIN):
    """The body of a xorb."""
    return b"".join(packed_chunk(content, scheme) for content in contents)


def root(contents):
    """The root of the hash tree over chunks."""
    tree = hashes.HashTree()
    for content in contents:
        tree.add(hashes.chunk_hash(content), len(content))
    return tree.root()


def xorb_name(contents):
    """The hash of a xorb, as addresses have it."""
    return hashes.to_text(root(contents))


@dataclass(frozen=True)
class Run:
    """Chunks of a xorb, in a shard."""

    xorb: str
    size: int
    start: int
    end: int


@dataclass(frozen=True)
class ShardFile:
    """A file of a shard."""

    file_hash: bytes
    runs: tuple[Run, ...]
    sha256: str | None = None
    n_runs: int | None = None


def file_of(contents):
    """The file that consists of one whole xorb."""
    size = sum(map(len, contents))
    run = Run(xorb_name(contents), size, 0, len(contents))
    sha256 = hashlib.sha256(b"".join(contents)).hexdigest()
    return ShardFile(hashes.file_hash(root(contents)), (run,), sha256)


def packed_shard(*files, verified=True, tag=TAG, version=2):
    """The body of a shard."""
    parts = [tag + struct.pack("<QQ", version, 0)]
    for file in files:
        n_runs = len(file.runs) if file.n_runs is None else file.n_runs
        flags = (VERIFIED if verified else 0) | (WITH_SHA256 if file.sha256 else 0)
        parts.append(struct.pack("<32sII8x", file.file_hash, flags, n_runs))
        for run in file.runs:
            xorb = hashes.from_text(run.xorb)
            parts.append(struct.pack("<32sIIII", xorb, 0, run.size, run.start, run.end))
        parts += [bytes(48)] * (len(file.runs) if verified else 0)
        if file.sha256:
            parts.append(hashes.from_text(file.sha256) + bytes(16))
    return b"".join([*parts, BOOKEND, BOOKEND])
