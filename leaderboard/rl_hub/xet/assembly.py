"""Files made from the chunks that a shard names.

Everything is checked on the contents themselves: each chunk is unpacked and hashed again, the chunks together have to
hash to the file's hash, and its bytes to the SHA-256 that the shard announces.
"""

from collections.abc import Iterator
from typing import BinaryIO

from rl_hub.blobs import StagedFile
from rl_hub.errors import BadRequest, TooLarge
from rl_hub.hub import Hub
from rl_hub.repositories.quotas import readable
from rl_hub.settings import Limits
from rl_hub.uploads import grants, room
from rl_hub.uploads.arrivals import Arrival
from rl_hub.xet import namespaces
from rl_hub.xet.access import Access
from rl_hub.xet.hashes import HashTree, chunk_hash, file_hash
from rl_hub.xet.shards import FileInfo, Term, read_files, read_terms
from rl_hub.xet.storage import XorbStore
from rl_hub.xet.xorbs import LEAST_CHUNK_BYTES

_PIECE_BYTES = 2**20


def store_of(hub: Hub) -> XorbStore:
    """The xorbs of a Hub."""
    return XorbStore(hub.settings.data, hub.blobs.staging)


def assemble(hub: Hub, access: Access, shard: BinaryIO, size: int) -> None:
    """Makes the files of a shard, stores them, and lets the user name them in commits to the repository.

    If the shard cannot be right, the user's space of xorbs is given up: the next upload starts from nothing, so that
    a client which remembers xorbs that are gone or damaged fails once and not for ever.

    Args:
        hub: The Hub.
        access: Who sent the shard, and for which repository.
        shard: The shard, seekable.
        size: Its size in bytes.

    Raises:
        BadRequest: If the shard is none, or names what the user has not sent, or a file is not what it announces.
        TooLarge: If a file, or all together, are larger than allowed.
        QuotaExceeded: If the repository or its owner has no room for them.
        StorageFull: If the disk has none.
    """
    try:
        _assemble_all(hub, access, shard, size)
    except BadRequest:
        give_up(hub, access.namespace)
        raise


def give_up(hub: Hub, namespace: str) -> None:
    """Removes a space of xorbs; its user gets a new one."""
    with hub.database.write() as connection:
        namespaces.drop(connection, namespace)
    store_of(hub).remove(namespace)


def _assemble_all(hub: Hub, access: Access, shard: BinaryIO, size: int) -> None:
    limits = hub.settings.limits
    done: set[bytes] = set()
    total = 0
    for file in read_files(shard, size):
        if file.file_hash in done:
            continue
        done.add(file.file_hash)
        if len(done) > limits.commit_lines:
            raise TooLarge(f"More than {limits.commit_lines} files were sent at once. Upload them in several parts.")
        expected = _measure(shard, file, limits)
        total += expected
        if total > limits.repository_bytes:
            raise TooLarge(
                f"More than {readable(limits.repository_bytes)} were sent at once: no repository holds as much."
            )
        if not _was_made_before(hub, access, file):
            _make(hub, access, shard, file, expected)


def _measure(shard: BinaryIO, file: FileInfo, limits: Limits) -> int:
    """The announced size of a file, in bytes, if what it announces is possible."""
    size = n_chunks = 0
    for term in read_terms(shard, file):
        size += term.size
        n_chunks += term.end - term.start
    room.check_file(limits, size)
    # In a run, all chunks but the last have the least size, which bounds the work of a hostile shard.
    if n_chunks > size // LEAST_CHUNK_BYTES + file.n_terms:
        raise BadRequest(f"This shard announces a file of {size} bytes in {n_chunks} chunks, which are too many.")
    return size


def _was_made_before(hub: Hub, access: Access, file: FileInfo) -> bool:
    """Whether this user has sent the content for this repository already, for instance before a commit that failed."""
    if file.sha256 is None:
        return False
    with hub.database.read() as connection:
        if not grants.granted(connection, access.user_id, access.repository_id, file.sha256):
            return False
    with hub.database.write() as connection:
        room.repository(connection, access.user_id, access.repository_id, write=True)
        grants.grant(connection, access.user_id, access.repository_id, file.sha256)
        namespaces.touch(connection, access.user_id)
    return True


def _make(hub: Hub, access: Access, shard: BinaryIO, file: FileInfo, size: int) -> None:
    with Arrival(hub, access.user_id, access.repository_id) as arrival, hub.blobs.stage() as staged:
        arrival.reserve(size, file.sha256)
        if _write(store_of(hub), access.namespace, shard, file, staged) != file.file_hash:
            raise BadRequest("A file of this upload does not have the hash that was announced. Start the upload again.")
        staged.close()
        if file.sha256 not in (None, staged.sha256):
            raise BadRequest(
                "A file of this upload does not have the SHA-256 that was announced; it may have changed while it was "
                "sent. Start the upload again."
            )
        with hub.database.write() as connection:
            arrival.keep(connection, staged)
            namespaces.touch(connection, access.user_id)


def _write(store: XorbStore, namespace: str, shard: BinaryIO, file: FileInfo, staged: StagedFile) -> bytes:
    """Writes the content of a file and returns its hash in the Xet protocol."""
    tree = HashTree()
    waiting: list[bytes | memoryview] = []
    n_waiting = 0
    for term in read_terms(shard, file):
        for content in _contents(store, namespace, term):
            tree.add(chunk_hash(content), len(content))
            waiting.append(content)
            n_waiting += len(content)
            if n_waiting >= _PIECE_BYTES:
                staged.write(b"".join(waiting))
                waiting, n_waiting = [], 0
    staged.write(b"".join(waiting))
    return file_hash(tree.root())


def _contents(store: XorbStore, namespace: str, term: Term) -> Iterator[bytes | memoryview]:
    """The contents of the chunks of a run, which together have the announced size."""
    left = term.size
    for content in store.read(namespace, term.xorb, term.start, term.end):
        left -= len(content)
        if left < 0:
            break
        yield content
    if left:
        raise BadRequest("A run of chunks does not have the size that this shard announces. Start the upload again.")
