"""Contents on their way in: the room that they need is kept free until they are stored.

While a content arrives, its announced size counts against its owner's room, in memory. This only keeps the disk from
filling with what cannot be kept: what counts is the look at the room in the transaction that keeps it.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType

from sqlalchemy import Connection

from rl_hub.blobs import StagedFile
from rl_hub.errors import TooManyRequests
from rl_hub.hub import Hub
from rl_hub.uploads import grants, lfs, room
from rl_hub.uploads.tallies import Tally

# Twice what one client sends at a time: git-lfs 8 (`lfs.concurrenttransfers`), huggingface_hub 5 (`num_threads`).
MOST_TRANSFERS = 16
_SECONDS_BETWEEN = 5

# By data folder, since several Hubs may be open in one process.
_announced = Tally()
_transfers = Tally()


@contextmanager
def transfer(hub: Hub, user_id: int) -> Iterator[None]:
    """Counts a transfer of a user until the end of the `with` block.

    Raises:
        TooManyRequests: If the user has too many already.
    """
    with _transfers.adding((hub.settings.data, user_id), 1) as count:
        if count > MOST_TRANSFERS:
            raise TooManyRequests(
                f"{MOST_TRANSFERS} files are being sent by this user already. Try again when some have arrived.",
                headers={"Retry-After": str(_SECONDS_BETWEEN)},
            )
        yield


class Arrival:
    """A content that a user sends for a repository; its room is free again at the end of the `with` block."""

    def __init__(self, hub: Hub, user_id: int, repository_id: int) -> None:
        self._hub = hub
        self._user_id = user_id
        self._repository_id = repository_id
        self._reserved = ExitStack()

    def __enter__(self) -> "Arrival":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reserved.close()

    def reserve(self, size: int, sha256: str | None = None) -> None:
        """Keeps room free.

        Args:
            size: The announced size in bytes.
            sha256: The announced content, if it is known yet: one that is there already needs no room.

        Raises:
            NotFound: If the repository has been deleted meanwhile, or hidden from the user.
            Forbidden: If the user may not write there any more.
            QuotaExceeded: If the repository or its owner has no room.
        """
        with self._hub.database.read() as connection:
            target = room.repository(connection, self._user_id, self._repository_id, write=True)
            new_bytes = size if sha256 is None else self._new_bytes(connection, sha256, size)
            key = (self._hub.settings.data, target.owner_id)
            # After the transaction has begun: what `keep` releases afterwards is counted here, and in no sum that
            # this transaction sees.
            announced = self._reserved.enter_context(_announced.adding(key, new_bytes))
            if new_bytes:
                room.preview(connection, self._hub.settings.limits, target, announced)

    def keep(self, connection: Connection, staged: StagedFile) -> None:
        """Stores what has arrived and lets the user name it in commits to the repository, in a write transaction.

        Raises:
            NotFound: If the repository has been deleted meanwhile, or hidden from the user.
            Forbidden: If the user may not write there any more.
            QuotaExceeded: If the repository or its owner has no room.
        """
        database = self._hub.database
        database.lock_repository(connection, self._repository_id)
        target = room.repository(connection, self._user_id, self._repository_id, write=True)
        # In the order of commits: the repository, its contents, the owner.
        database.lock_blob(connection, staged.sha256)
        new_bytes = self._new_bytes(connection, staged.sha256, staged.size)
        room.check(connection, self._hub.settings.limits, target, new_bytes)
        self._hub.blobs.publish(connection, staged)
        grants.grant(connection, self._user_id, self._repository_id, staged.sha256)
        # Before the transaction ends, or others would count the content twice for a moment.
        self._reserved.close()

    def _new_bytes(self, connection: Connection, sha256: str, size: int) -> int:
        upload = lfs.Upload(self._user_id, self._repository_id, lfs.LfsObject(sha256, size))
        known = lfs.has_sent(connection, upload) or lfs.holds(connection, self._repository_id, upload.content)
        return 0 if known else size
