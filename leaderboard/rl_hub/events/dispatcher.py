"""Tells events: to subscribers in this process, and to webhooks.

Promises:

- Every event reaches every subscriber, and every enabled webhook that watched its repository when it happened, at
  least once, also after a crash. A receiver may get an event twice. A webhook that fails for about a day loses it, and
  the log says so.
- A subscriber hears events one at a time, in order, and waits for the next while one fails.
- A webhook gets one event at a time, oldest first; one that failed comes again later, so newer ones may overtake it
  (`repo.headSha` and `updatedRefs` tell a receiver what is newest).
- None waits for another: each subscriber and each webhook has a task of its own.
"""

import inspect
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup
from anyio.to_thread import run_sync
from sqlalchemy import Connection

from rl_hub.events import backoff, deliveries, feed
from rl_hub.events.deliveries import Delivery
from rl_hub.events.feed import Event, Subscriber
from rl_hub.events.sender import Sender
from rl_hub.hub import Hub

# How often is looked for what nobody in this process announces: retries, and the events of other processes.
_LOOK_SECONDS = 2.0
_PRUNE_SECONDS = 3600.0
# What is in progress may take this long to end when the Hub stops.
_GRACE_SECONDS = 5.0
_BATCH = 100

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@asynccontextmanager
async def dispatching(hub: Hub, subscribers: Sequence[Subscriber] = ()) -> AsyncIterator[None]:
    """Tells a Hub's events while the `async with` block runs.

    Args:
        hub: An open Hub.
        subscribers: Who listens in this process, each with a name of its own.

    Raises:
        ValueError: If two subscribers have the same name.
    """
    async with Sender(hub.settings.public_url or "") as sender, anyio.create_task_group() as group:
        dispatcher = _Dispatcher(hub, subscribers, sender, group)
        dispatcher.start()
        try:
            yield
        finally:
            dispatcher.stop()
            group.cancel_scope.deadline = anyio.current_time() + _GRACE_SECONDS


class _Dispatcher:
    """The tasks that tell events."""

    def __init__(self, hub: Hub, subscribers: Sequence[Subscriber], sender: Sender, group: TaskGroup) -> None:
        if len({subscriber.name for subscriber in subscribers}) < len(subscribers):
            raise ValueError("Two subscribers have the same name, so they would share one position in the events.")
        self._hub = hub
        self._subscribers = subscribers
        self._sender = sender
        self._group = group
        self._database_threads = anyio.CapacityLimiter(4)
        self._handler_threads = anyio.CapacityLimiter(len(subscribers) or 1)
        self._waiting_thread = anyio.CapacityLimiter(1)
        self._news = anyio.Event()
        self._stopped = anyio.Event()
        self._busy: set[str] = set()
        self._prune_at = anyio.current_time()

    def start(self) -> None:
        """Starts a task for each subscriber, and one that starts others for webhooks."""
        self._group.start_soon(self._look)
        for subscriber in self._subscribers:
            self._group.start_soon(self._serve, subscriber)

    def stop(self) -> None:
        """Lets each task end with what it is doing."""
        self._stopped.set()
        self._news.set()
        self._hub.wake()

    async def _look(self) -> None:
        """Wakes whoever waits for news, and starts a task for each webhook that has something to be told."""
        while not self._stopped.is_set():
            try:
                await self._start_webhooks()
            except Exception:
                _log.exception("Events could not be looked up; this is tried again.")
            wait = partial(self._hub.wakeup.wait, _LOOK_SECONDS)
            await run_sync(wait, limiter=self._waiting_thread, abandon_on_cancel=True)
            self._hub.wakeup.clear()
            self._news.set()
            self._news = anyio.Event()

    async def _start_webhooks(self) -> None:
        if anyio.current_time() >= self._prune_at:
            self._prune_at = anyio.current_time() + _PRUNE_SECONDS
            await self._write(deliveries.prune)
        for webhook_id in await self._read(deliveries.due):
            if webhook_id not in self._busy:
                self._busy.add(webhook_id)
                self._group.start_soon(self._deliver, webhook_id)

    async def _deliver(self, webhook_id: str) -> None:
        """Sends one webhook everything that is due, one after the other."""
        try:
            while not self._stopped.is_set():
                delivery = await self._write(partial(deliveries.claim, webhook_id=webhook_id))
                if delivery is None:
                    # What was recorded since then found this webhook busy.
                    self._hub.wake()
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
                "Webhook %s has not taken event %s in %s attempts (%s); it is given up.",
                *(delivery.webhook_id, delivery.event_id, failures, error),
            )

    async def _serve(self, subscriber: Subscriber) -> None:
        """Tells one subscriber every event, in order."""
        failures = 0
        while not self._stopped.is_set():
            news = self._news
            try:
                told = await self._tell_next(subscriber)
                failures = 0
            except Exception:
                failures += 1
                pause = backoff.SUBSCRIBERS.pause(failures, random.random())  # noqa: S311  as above
                _log.exception("Subscriber %s failed; it is told the same event again.", subscriber.name)
                with anyio.move_on_after(pause):
                    await self._stopped.wait()
                continue
            if not told:
                await news.wait()

    async def _tell_next(self, subscriber: Subscriber) -> int:
        """Tells a subscriber the next few events; 0 if there is none."""

        def read(connection: Connection) -> list[Event]:
            return feed.after(connection, feed.position(connection, subscriber.name), _BATCH)

        events = await self._read(read)
        for event in events:
            if self._stopped.is_set():
                break
            await self._handle(subscriber, event)
            await self._write(partial(feed.advance, name=subscriber.name, event_id=event.id))
        return len(events)

    async def _handle(self, subscriber: Subscriber, event: Event) -> None:
        if inspect.iscoroutinefunction(subscriber.handle):
            await subscriber.handle(event)
            return
        handle = partial(subscriber.handle, event)
        # A handler that hangs must not keep the Hub from stopping; the event is told again at the next start.
        result = await run_sync(handle, limiter=self._handler_threads, abandon_on_cancel=True)
        if result is not None:
            await result

    async def _read(self, function: Callable[[Connection], _T]) -> _T:
        def run() -> _T:
            with self._hub.database.read() as connection:
                return function(connection)

        return await run_sync(run, limiter=self._database_threads)

    async def _write(self, function: Callable[[Connection], _T]) -> _T:
        def run() -> _T:
            with self._hub.database.write() as connection:
                return function(connection)

        return await run_sync(run, limiter=self._database_threads)
