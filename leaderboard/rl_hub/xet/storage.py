"""Xorbs on disk: `xet/<space>/<hash>` in the data folder.

A stored xorb is its chunks as they were sent, then an index: where each chunk ends, and how many there are, as 32-bit
little-endian numbers. Xorbs are not synced to the disk: what counts is the files made from them, and should a power
cut damage one, its hash tells and the client sends it again.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from struct import Struct
from types import TracebackType

from rl_hub.blobs import storage_errors
from rl_hub.errors import BadRequest, QuotaExceeded, Unauthorized
from rl_hub.uploads.tallies import Tally
from rl_hub.xet.hashes import HashTree, chunk_hash, to_text
from rl_hub.xet.xorbs import ChunkReader

_PIECE_BYTES = 2**20
_NUMBER = Struct("<I")
# One session of a client can need as many xorbs as fit into a repository, and the one before it left as many at most.
_REPOSITORIES = 2
# Looking how full a space is takes a few microseconds for each xorb in it.
_MOST_XORBS = 10_000
_AGAIN = "Start the upload again."

# Bytes of xorbs on their way, by the folder of their space.
_arriving = Tally()


class IncomingXorb:
    """A xorb that is being received and checked; gone at the end of the `with` block unless it was published."""

    def __init__(self, staging: Path, most_bytes: int) -> None:
        with storage_errors():
            handle, name = tempfile.mkstemp(dir=staging)
        self._file = os.fdopen(handle, "wb", buffering=0)
        self._path = Path(name)
        self._reader = ChunkReader(most_bytes)
        self._tree = HashTree()

    def __enter__(self) -> "IncomingXorb":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, piece: bytes | bytearray) -> None:
        """Takes the next bytes; best a megabyte.

        Raises:
            BadRequest: If this is no xorb.
            StorageFull: If the disk has no room.
        """
        for content in self._reader.feed(piece):
            self._tree.add(chunk_hash(content), len(content))
        self._write(piece)

    def publish(self, place: Path) -> None:
        """Keeps the xorb if it is what it should be: its hash is the name of `place`.

        Raises:
            BadRequest: If it is cut off or has another hash.
            Unauthorized: If the space has been given up meanwhile.
        """
        self._reader.finish()
        if to_text(self._tree.root()) != place.name:
            raise BadRequest("This xorb does not have the hash under which it was sent. It may be damaged: try again.")
        ends = self._reader.ends
        with storage_errors():
            # A footer is not kept.
            self._file.truncate(ends[-1])
            self._file.seek(ends[-1])
        self._write(b"".join(map(_NUMBER.pack, [*ends, len(ends)])))
        self._file.close()
        try:
            self._path.replace(place)
        except FileNotFoundError:
            raise Unauthorized(f"What was sent here has been cleaned up meanwhile. {_AGAIN}") from None

    def _write(self, data: bytes | bytearray) -> None:
        rest = memoryview(data)
        with storage_errors():
            while rest:
                rest = rest[self._file.write(rest) or 0 :]


class XorbStore:
    """The xorbs of all users."""

    def __init__(self, data: Path, staging: Path) -> None:
        self.folder = data / "xet"
        self._staging = staging

    def prepare(self, namespace: str) -> None:
        """Makes the folder of a space."""
        with storage_errors():
            (self.folder / namespace).mkdir(parents=True, exist_ok=True)

    def receive(self, most_bytes: int) -> IncomingXorb:
        """Begins to receive a xorb that unpacks to `most_bytes` at most."""
        return IncomingXorb(self._staging, most_bytes)

    def path(self, namespace: str, xorb: str) -> Path:
        """Where a xorb of a space is, or would be. Both names are checked by the caller: hexadecimal digits only."""
        return self.folder / namespace / xorb

    @contextmanager
    def arriving(self, namespace: str, size: int) -> Iterator[int]:
        """Counts a xorb of `size` bytes as on its way to a space until the end of the `with` block.

        Yields:
            The bytes of the others that are on their way there.
        """
        with _arriving.adding(self.folder / namespace, size) as total:
            yield total - size

    def check_room(self, namespace: str, repository_bytes: int, arriving: int) -> None:
        """Looks whether a space can take one more xorb, besides the bytes that are arriving.

        Raises:
            QuotaExceeded: If it is full.
        """
        most = _REPOSITORIES * repository_bytes - arriving
        if self._is_fuller(namespace, most, _MOST_XORBS):
            raise QuotaExceeded("This upload is too large to be sent at once. Upload its files in several parts.")

    def is_used_up(self, namespace: str, repository_bytes: int) -> bool:
        """Whether a space has too little room left to begin another upload in it."""
        return self._is_fuller(namespace, repository_bytes, _MOST_XORBS // _REPOSITORIES)

    def read(self, namespace: str, xorb: str, start: int, end: int) -> Iterator[bytes | memoryview]:
        """Yields the contents of the chunks from `start` up to `end` of a xorb, the first number below the second.

        Raises:
            BadRequest: If the space has no such xorb, or it has no such chunks, or it is damaged.
        """
        try:
            file = self.path(namespace, xorb).open("rb", buffering=0)
        except FileNotFoundError:
            raise BadRequest(f"This upload refers to xorb {xorb}, which has not been sent. {_AGAIN}") from None
        with file:
            position, stop = _find(file, xorb, start, end)
            file.seek(position)
            reader = ChunkReader()
            while position < stop and (piece := file.read(min(_PIECE_BYTES, stop - position))):
                position += len(piece)
                yield from reader.feed(piece)
            reader.finish()

    def names(self) -> set[str]:
        """The names of the spaces that have a folder."""
        return {entry.name for entry in self.folder.iterdir()} if self.folder.exists() else set()

    def remove(self, namespace: str) -> None:
        """Removes a space with all its xorbs."""
        shutil.rmtree(self.folder / namespace, ignore_errors=True)

    def _is_fuller(self, namespace: str, most_bytes: int, most_xorbs: int) -> bool:
        try:
            with os.scandir(self.folder / namespace) as entries:
                sizes = [entry.stat().st_size for entry in entries]
        except FileNotFoundError:
            return False
        return len(sizes) >= most_xorbs or sum(sizes) >= most_bytes


def _find(file: FileIO, xorb: str, start: int, end: int) -> tuple[int, int]:
    """Where the chunks from `start` up to `end` begin and end in a stored xorb."""
    size = os.fstat(file.fileno()).st_size
    n_chunks = _number(file, size - _NUMBER.size)
    if end > n_chunks:
        raise BadRequest(f"This upload refers to chunk {end - 1} of xorb {xorb}, which has {n_chunks}. {_AGAIN}")
    index = size - _NUMBER.size * (n_chunks + 1)
    position = _number(file, index + _NUMBER.size * (start - 1)) if start else 0
    return position, _number(file, index + _NUMBER.size * (end - 1))


def _number(file: FileIO, offset: int) -> int:
    """A number of the index; 0 where a damaged file has none."""
    if offset < 0:
        return 0
    file.seek(offset)
    data = file.read(_NUMBER.size)
    return int(_NUMBER.unpack(data)[0]) if len(data) == _NUMBER.size else 0
