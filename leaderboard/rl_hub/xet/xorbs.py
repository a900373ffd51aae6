"""Xorbs: chunks one after the other, each packed on its own behind a header of eight bytes.

Source: Xet protocol specification, "Xorb Formation & Serialization Format". Older clients send a footer after the last
chunk; all that it says follows from the chunks, so it is dropped.
"""

from collections.abc import Iterator
from struct import Struct

from lz4.frame import LZ4FrameDecompressor

from rl_hub.errors import BadRequest

HEADER_BYTES = 8
# TARGET_CHUNK_SIZE, its divisor for the least and its multiplier for the largest chunk, and MAX_XORB_CHUNKS, from
# xet-core (`xorb_object/constants.rs`). Only the last chunk of a file is smaller than the least.
LEAST_CHUNK_BYTES = 8 * 1024
MOST_CHUNK_BYTES = 128 * 1024
MOST_CHUNKS = 8 * 1024

# What xet-core accepts: packing may enlarge a chunk a little.
_MOST_PACKED_BYTES = 2 * MOST_CHUNK_BYTES
_PLAIN, _LZ4, _GROUPED_LZ4 = 0, 1, 2
_HEADER = Struct("<II")  # version and packed size, scheme and unpacked size: a byte and 24 bits each
_FOOTER_MARK = b"XETBLOB"


class ChunkReader:
    """Unpacks chunks while their bytes arrive; no more than one incomplete chunk is kept.

    Attributes:
        ends: Where each chunk ends in the xorb, in bytes from where the reading began.
        unpacked: Bytes of all chunks so far, unpacked.
    """

    def __init__(self, most_bytes: int = MOST_CHUNKS * MOST_CHUNK_BYTES) -> None:
        self.ends: list[int] = []
        self.unpacked = 0
        self._most_bytes = most_bytes
        self._rest = bytearray()
        self._at_footer = False

    def feed(self, piece: bytes | bytearray | memoryview) -> Iterator[bytes | memoryview]:
        """Takes the next bytes and yields the content of each chunk that they complete.

        Raises:
            BadRequest: If this is no xorb, or one that unpacks to more than allowed.
        """
        data = memoryview(piece)
        if self._rest:
            for _ in ("header", "content"):
                lacking = _end(self._rest, 0) - len(self._rest)
                self._rest += data[:lacking]
                data = data[lacking:]
            rest, self._rest = self._rest, bytearray()
            yield from self._whole(memoryview(rest))
        yield from self._whole(data)

    def finish(self) -> None:
        """Says that there are no more bytes.

        Raises:
            BadRequest: If the last chunk is incomplete, or there was none.
        """
        if self._rest or not self.ends:
            raise BadRequest("This xorb is cut off: its last chunk is not complete.")

    def _whole(self, data: memoryview) -> Iterator[bytes | memoryview]:
        """The contents of the chunks that are complete in `data`; what follows them is kept."""
        start = 0
        while not self._at_footer and len(data) - start >= HEADER_BYTES:
            end = _end(data, start)
            if end > len(data):
                break
            if _is_footer(data, start):
                self._at_footer = True
            else:
                scheme, _, size = _read_header(data, start)
                self._count(end - start, size)
                yield _unpack(scheme, data[start + HEADER_BYTES : end], size)
            start = end
        if not self._at_footer:
            self._rest += data[start:]

    def _count(self, packed: int, size: int) -> None:
        self.ends.append((self.ends[-1] if self.ends else 0) + packed)
        self.unpacked += size
        if len(self.ends) > MOST_CHUNKS or self.unpacked > self._most_bytes:
            raise BadRequest(
                f"A xorb holds {MOST_CHUNKS} chunks and {self._most_bytes} unpacked bytes at most; this one has more."
            )


def _is_footer(data: bytearray | memoryview, start: int) -> bool:
    return bytes(data[start : start + len(_FOOTER_MARK)]) == _FOOTER_MARK


def _end(data: bytearray | memoryview, start: int) -> int:
    """Where the chunk, or its header if not all of that is there yet, ends."""
    if len(data) - start < HEADER_BYTES or _is_footer(data, start):
        return start + HEADER_BYTES
    return start + HEADER_BYTES + _read_header(data, start)[1]


def _read_header(data: bytearray | memoryview, start: int) -> tuple[int, int, int]:
    """The scheme, the packed and the unpacked size of a chunk."""
    first, second = _HEADER.unpack_from(data, start)
    version, packed = first & 0xFF, first >> 8
    scheme, size = second & 0xFF, second >> 8
    if version != 0 or scheme not in (_PLAIN, _LZ4, _GROUPED_LZ4):
        raise BadRequest("This is no xorb, or one of a newer version of the protocol than this Hub knows.")
    if not 0 < size <= MOST_CHUNK_BYTES or packed > _MOST_PACKED_BYTES:
        raise BadRequest(f"A chunk has between 1 and {MOST_CHUNK_BYTES} bytes; this xorb announces one of {size}.")
    return scheme, packed, size


def _unpack(scheme: int, packed: memoryview, size: int) -> bytes | memoryview:
    content: bytes | memoryview = packed if scheme == _PLAIN else _decompress(packed, size)
    if len(content) != size:
        raise BadRequest(f"A chunk of this xorb does not unpack to the {size} bytes that its header announces.")
    return _ungroup(content) if scheme == _GROUPED_LZ4 else content


def _decompress(packed: memoryview, size: int) -> bytes:
    """The content of an LZ4 frame, never more than one byte beyond `size`."""
    decompressor = LZ4FrameDecompressor()
    try:
        content: bytes = decompressor.decompress(packed, max_length=size + 1)
    except RuntimeError:
        raise BadRequest("A chunk of this xorb is not valid LZ4.") from None
    # An empty content has the wrong size, whatever the header says.
    return content if decompressor.eof and not decompressor.unused_data else b""


def _ungroup(grouped: bytes | memoryview) -> bytes:
    """Undoes the grouping by four: first all bytes at positions 0, 4, 8…, then 1, 5, 9… and so on."""
    content = bytearray(len(grouped))
    start = 0
    for position in range(4):
        end = start + (len(grouped) + 3 - position) // 4
        content[position::4] = grouped[start:end]
        start = end
    return bytes(content)
