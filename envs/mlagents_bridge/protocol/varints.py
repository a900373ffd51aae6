"""Whole numbers as Protocol Buffers write them: seven bits a byte, the lowest first; and fields, which begin so."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

VARINT: Final = 0
BYTES: Final = 2
FLOAT: Final = 5
"""Wire types."""

PADDED_BYTES: Final = 5
"""Enough for any number of 31 bits. One may be written longer than it needs, so that all are of one length."""


def varint(number: int) -> bytes:
    """A number from 0 to 2**63 - 1, as short as it can be written."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def padded_varints(numbers: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Numbers from 0 to 2**31 - 1, uint8 `[n, 5]`."""
    shifts = 7 * np.arange(PADDED_BYTES, dtype=np.int64)
    written = (numbers[:, None].astype(np.int64) >> shifts) & 0x7F
    written[:, :-1] |= 0x80
    return written.astype(np.uint8)


def tagged(field: int, content: bytes) -> bytes:
    """A field of bytes, a text or a message."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def read_varint(content: bytes, start: int) -> tuple[int, int]:
    """A number, and where it ends.

    Raises:
        ValueError: If it is cut off.
    """
    number = 0
    for index, byte in enumerate(content[start : start + 10]):
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return number, start + index + 1
    raise ValueError("A number is cut off.")


def fields_of(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, wire type, begin and end of each field between two places.

    Raises:
        ValueError: If one is cut off, or of a wire type that ML-Agents does not use.
    """
    while start < end:
        tag, start = read_varint(content, start)
        wire_type = tag & 7
        if wire_type == VARINT:
            stop = read_varint(content, start)[1]
        elif wire_type == FLOAT:
            stop = start + 4
        elif wire_type == BYTES:
            length, start = read_varint(content, start)
            stop = start + length
        else:
            raise ValueError(f"A field is of the wire type {wire_type}.")
        if stop > end:
            raise ValueError("A field is cut off.")
        yield tag >> 3, wire_type, start, stop
        start = stop
