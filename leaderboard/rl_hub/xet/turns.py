"""Who may make files now: a few users, each for one shard at a time. All others wait without a thread.

A shard of a few kilobytes can name gigabytes, and making those takes a thread for minutes.
"""

import asyncio
from collections.abc import Callable
from weakref import WeakValueDictionary

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.applications import Starlette

MOST_AT_ONCE = 4


class Turns:
    """The turns of an application, to be taken in its event loop."""

    def __init__(self) -> None:
        self._threads = CapacityLimiter(MOST_AT_ONCE)
        # A lock lives as long as somebody holds it or waits for it.
        self._users: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def run(self, user_id: int, make: Callable[[], None]) -> None:
        """Runs a function for a user, in a thread, when it is its turn."""
        lock = self._users.setdefault(user_id, asyncio.Lock())
        async with lock:
            await run_sync(make, limiter=self._threads)


def of(app: Starlette) -> Turns:
    """The turns of an application."""
    if not hasattr(app.state, "xet_turns"):
        app.state.xet_turns = Turns()
    turns: Turns = app.state.xet_turns
    return turns
