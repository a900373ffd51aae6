"""What happens, told at once to everybody who looks on.

One broadcaster a process reads new activities from the database, whichever process has written them, and hands each to
every client's queue. A client that does not keep up is let go; its browser comes back and names the last activity that
it has seen. So does one whose connection broke.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import anyio
from anyio.to_thread import run_sync

from rl_leaderboard.activity import feed
from rl_leaderboard.activity.feed import Activity
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.rules.sharing import may_take_another

MOST_CLIENTS = 2000
MOST_MISSED = 200
"""So many of the activities that a client has missed are told it when it comes back, the newest ones."""

# How soon is told what another process has written.
_LOOK_SECONDS = 0.5
# Activities that a client may be behind before it is let go.
_QUEUE = 100
_BATCH = 500

_log = logging.getLogger(__name__)


class Broadcaster:
    """Tells every client what happens.

    Args:
        classroom: Whose activities.
        encode: An activity as the message that every client gets: made once, however many there are.
    """

    def __init__(self, classroom: Classroom, encode: Callable[[Activity], bytes]) -> None:
        self._classroom = classroom
        self._encode = encode
        self._queues: set[Queue] = set()
        self._networks: Counter[str] = Counter()
        self._news = anyio.Event()
        self._last = 0
        self._is_closed = False
        self._waiting_thread = anyio.CapacityLimiter(1)

    @property
    def clients(self) -> int:
        """How many look on."""
        return len(self._queues)

    def has_room(self, network: str) -> bool:
        """Whether one more of this network can look on."""
        mine = self._networks[network]
        return not self._is_closed and may_take_another(mine, len(self._queues) - mine, MOST_CLIENTS)

    async def follow(self) -> None:
        """Tells what happens from now on, until it is cancelled."""
        wait = partial(self._classroom.wakeup.wait, _LOOK_SECONDS)
        while True:
            await run_sync(wait, limiter=self._waiting_thread, abandon_on_cancel=True)
            self._classroom.wakeup.clear()
            try:
                found = await run_sync(self._read_new)
            except Exception:
                _log.exception("What has happened could not be read; this is tried again.")
                await anyio.sleep(_LOOK_SECONDS)
                continue
            if found:
                self._tell(found)

    async def start(self) -> None:
        """Takes what has happened so far as known."""
        self._last = await run_sync(self._newest)

    @contextmanager
    def listening(self, network: str) -> Iterator["Queue"]:
        """What happens while the `with` block runs, in a queue; nothing if there are too many of them.

        Args:
            network: Where the client is.
        """
        queue = Queue()
        if not self.has_room(network):
            queue.close()
        self._queues.add(queue)
        self._networks[network] += 1
        try:
            yield queue
        finally:
            self._queues.discard(queue)
            self._networks[network] -= 1
            if not self._networks[network]:
                del self._networks[network]
            queue.drop()

    async def news(self) -> None:
        """Waits until something has happened."""
        await self._news.wait()

    def close(self) -> None:
        """Ends every stream, so that a server which stops need not wait for them."""
        self._is_closed = True
        for queue in self._queues:
            queue.close()

    def _tell(self, activities: list[Activity]) -> None:
        messages = [(activity.id, self._encode(activity)) for activity in activities]
        self._last = activities[-1].id
        for queue in self._queues:
            queue.put(messages)
        self._news.set()
        self._news = anyio.Event()

    def _read_new(self) -> list[Activity]:
        with self._classroom.read() as connection:
            return feed.after(connection, self._last, _BATCH)

    def _newest(self) -> int:
        with self._classroom.read() as connection:
            return feed.newest_id(connection)


class Queue:
    """What a client is still to be told."""

    def __init__(self) -> None:
        self._sender, self._receiver = anyio.create_memory_object_stream[tuple[int, bytes]](_QUEUE)

    def put(self, messages: list[tuple[int, bytes]]) -> None:
        """Adds messages; a client with too many of them waiting is let go once it has been told those."""
        try:
            for message in messages:
                self._sender.send_nowait(message)
        except anyio.WouldBlock:
            self.close()
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            pass

    def close(self) -> None:
        """Ends it behind what is waiting."""
        self._sender.close()

    def drop(self) -> None:
        """Ends it with what is waiting."""
        self._sender.close()
        self._receiver.close()

    async def get(self) -> tuple[int, bytes] | None:
        """The next activity's id with its message, once there is one; None at the end."""
        try:
            return await self._receiver.receive()
        except anyio.EndOfStream:
            return None
