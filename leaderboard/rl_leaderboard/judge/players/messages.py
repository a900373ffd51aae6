"""Framing between the judge and a sandboxed process; standard library only, and no pickle anywhere.

A message is its length in 4 bytes (big endian), a byte that says its kind, and a body. The length counts the kind and
the body. This module reads and writes them with blocking calls, for the process inside; the judge's own side, which
trusts nothing it reads and waits for nothing without end, is `channel`.
"""

import json
import os
import struct
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any

HEADER = struct.Struct(">IB")
"""Length (of kind and body together) and kind."""
_CHUNK_BYTES = 1024**2


class Kind(IntEnum):
    """What a message is. Those below 100 go to the sandbox, the others come from it."""

    OPENING = 1  # JSON: nonce, task, protocol, algo, and names and sizes of the files that follow
    FILE = 2  # a file's bytes
    OBSERVATIONS = 3  # a batch, see `arrays`
    END = 4  # empty: the submission is over
    READY = 101  # JSON: versions; the process waits for submissions
    BORN = 102  # JSON: nonce, commitment; a process for this submission has been made
    LOADED = 103  # JSON: algo, sha256, and names and sizes of the files that follow if it converts
    FAILED = 104  # JSON: reason, sentence
    ACTIONS = 105  # raw bytes of the actions
    CONVERTED = 106  # a file's bytes
    OVER = 107  # JSON: secret, signal, code; the submission's process has ended and left nothing


def frame(kind: Kind, *parts: bytes | memoryview) -> list[bytes | memoryview]:
    """A message as the pieces to write, none of them copied."""
    return [HEADER.pack(1 + sum(len(part) for part in parts), kind), *parts]


def json_frame(kind: Kind, document: dict[str, Any]) -> list[bytes | memoryview]:
    """A message with a JSON body."""
    return frame(kind, json.dumps(document, allow_nan=False).encode())


class Pipe:
    """Both directions of a process's connection with the judge, blocking.

    Args:
        reading: File descriptor to read from.
        writing: File descriptor to write to.
    """

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self.writing = reading, writing
        self._buffer = bytearray()

    def send(self, pieces: Iterable[bytes | memoryview]) -> None:
        """Writes a message."""
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(self.writing, rest) :]

    def header(self) -> tuple[int, int] | None:
        """Reads a message's beginning: its kind, and the length of its body. None at the end of all messages."""
        content = self._read(HEADER.size, may_end=True)
        if not content:
            return None
        length, kind = HEADER.unpack(content)
        return kind, length - 1

    def body(self, length: int) -> bytearray:
        """Reads a message's body.

        Raises:
            EOFError: If the other side has gone.
        """
        return self._read(length)

    def batch(self, length: int) -> memoryview:
        """Reads a message's body into memory that the next call uses again: half a megabyte anew costs page faults.

        Raises:
            EOFError: If the other side has gone.
        """
        if len(self._buffer) < length:
            self._buffer = bytearray(length)
        view = memoryview(self._buffer)[:length]
        self._fill(view)
        return view

    def body_to(self, length: int, descriptor: int) -> None:
        """Copies a message's body into a file.

        Raises:
            EOFError: If the other side has gone.
            OSError: If the file cannot be written.
        """
        while length:
            chunk = self._read(min(length, _CHUNK_BYTES))
            length -= len(chunk)
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(descriptor, rest) :]

    def _read(self, length: int, *, may_end: bool = False) -> bytearray:
        content = bytearray(length)
        return content if self._fill(memoryview(content), may_end=may_end) else bytearray()

    def _fill(self, content: memoryview, *, may_end: bool = False) -> bool:
        rest = content
        while rest:
            count = os.readv(self.reading, [rest])
            if count == 0:
                if may_end and len(rest) == len(content):
                    return False
                raise EOFError("the judge has gone")
            rest = rest[count:]
        return True


def manifest(files: Sequence[tuple[str, int]]) -> list[list[Any]]:
    """Names and sizes of files, for a JSON body."""
    return [[name, size] for name, size in files]
