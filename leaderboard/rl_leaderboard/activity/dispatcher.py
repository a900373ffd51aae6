"""Tells outgoing webhooks what happens.

Every activity reaches every webhook that asked for its kind when it happened, at least once, also after a crash; a
receiver may get one twice, under the same delivery's number. A webhook gets one at a time, oldest first; one that
failed comes again later, so newer ones may overtake it. One that fails for about a day is given up, and the log says
so.
"""

import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup
from anyio.to_thread import run_sync
from sqlalchemy import Connection

from rl_hub.database.engine import Database
from rl_hub.events import backoff
from rl_leaderboard.activity import deliveries
from rl_leaderboard.activity.deliveries import Delivery
from rl_leaderboard.activity.sender import Sender

# How often is looked for what nobody announces: retries.
_LOOK_SECONDS = 2.0
_PRUNE_SECONDS = 3600.0
# What is in progress may take this long to end when the server stops.
_GRACE_SECONDS = 3.0

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@asynccontextmanager
async def dispatching(database: Database, sender: Sender, news: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Tells webhooks while the `async with` block runs.

    Args:
        database: Where the deliveries are.
        sender: Who calls.
        news: Waits until something has happened.
    """
    async with anyio.create_task_group() as group:
        dispatcher = _Dispatcher(database, sender, news, group)
        group.start_soon(dispatcher.look)
        try:
            yield
        finally:
            dispatcher.stop()
            group.cancel_scope.deadline = anyio.current_time() + _GRACE_SECONDS


class _Dispatcher:
    """A task that looks for deliveries, and one for each webhook that has any."""

    def __init__(
        self, database: Database, sender: Sender, news: Callable[[], Awaitable[None]], group: TaskGroup
    ) -> None:
        self._database = database
        self._sender = sender
        self._news = news
        self._group = group
        self._threads = anyio.CapacityLimiter(4)
        self._stopped = anyio.Event()
        self._looking = anyio.CancelScope()
        self._busy: set[int] = set()
        self._prune_at = anyio.current_time()

    def stop(self) -> None:
        """Lets each task end with what it is doing."""
        self._stopped.set()
        self._looking.cancel()

    async def look(self) -> None:
        """Starts a task for each webhook that has something to be told, whenever there is news."""
        with self._looking:
            while not self._stopped.is_set():
                try:
                    await self._start_webhooks()
                except Exception:
                    _log.exception("Deliveries could not be looked up; this is tried again.")
                with anyio.move_on_after(_LOOK_SECONDS):
                    await self._news()

    async def _start_webhooks(self) -> None:
        if anyio.current_time() >= self._prune_at:
            self._prune_at = anyio.current_time() + _PRUNE_SECONDS
            await self._write(deliveries.prune)
        for webhook_id in await self._read(deliveries.due):
            if webhook_id not in self._busy:
                self._busy.add(webhook_id)
                self._group.start_soon(self._deliver, webhook_id)

    async def _deliver(self, webhook_id: int) -> None:
        """Sends one webhook everything that is due, one after the other."""
        try:
            while not self._stopped.is_set():
                delivery = await self._write(partial(deliveries.claim, webhook_id=webhook_id))
                if delivery is None:
                    return
                await self._note(delivery, await self._sender.send(delivery))
        except Exception:
            _log.exception("Webhook %s could not be served; this is tried again.", webhook_id)
        finally:
            self._busy.discard(webhook_id)

    async def _note(self, delivery: Delivery, error: str | None) -> None:
        """Keeps what became of a delivery."""
        if error is None:
            await self._write(partial(deliveries.delivered, delivery=delivery))
            return
        failures = delivery.failures + 1
        pause = backoff.WEBHOOKS.pause(failures, random.random())  # noqa: S311  spreads retries, keeps no secret
        await self._write(partial(deliveries.failed, delivery=delivery, error=error, pause_seconds=pause))
        if pause is None:
            _log.warning(
                "Webhook %s has not taken activity %s in %s attempts (%s); it is given up.",
                *(delivery.webhook_id, delivery.activity.id, failures, error),
            )

    async def _read(self, function: Callable[[Connection], _T]) -> _T:
        def run() -> _T:
            with self._database.read() as connection:
                return function(connection)

        return await run_sync(run, limiter=self._threads)

    async def _write(self, function: Callable[[Connection], _T]) -> _T:
        def run() -> _T:
            with self._database.write() as connection:
                return function(connection)

        return await run_sync(run, limiter=self._threads)
