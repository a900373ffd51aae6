"""The stream of what happens, and the same for scripts that ask again and again."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, FastAPI, Header, Query, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from rl_leaderboard.activity import dispatcher, feed
from rl_leaderboard.activity.feed import Activity
from rl_leaderboard.activity.sender import Sender
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import Unavailable
from rl_leaderboard.web.live import MOST_MISSED, Broadcaster
from rl_leaderboard.web.networks import network_of
from rl_leaderboard.web.pages.happenings import describe, encode
from rl_leaderboard.web.requests import ClassroomOf

_HEARTBEAT_SECONDS = 15
# A browser whose network is gone takes nothing; the system notices much later.
_SEND_SECONDS = 30
_NEWEST_ID = 2**62
# A browser waits so long before it comes back.
_RETRY = b"retry: 2000\n\n"

_STILL_HERE = b": nothing new\n\n"

router = APIRouter(include_in_schema=False)

After = Annotated[int | None, Query(ge=0, le=_NEWEST_ID)]


class _Stream(StreamingResponse):
    """A stream of events that ends quietly when nobody takes them any more."""

    media_type = "text/event-stream"

    def __init__(self, messages: AsyncGenerator[bytes, None]) -> None:
        # Proxies such as nginx would collect events before they pass them on.
        super().__init__(messages, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._messages = messages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            with anyio.fail_after(_SEND_SECONDS):
                await send(message)

        try:
            with suppress(TimeoutError):
                await super().__call__(scope, receive, send_in_time)
        finally:
            # At once, and not when Python finds the time: it gives the place back.
            await self._messages.aclose()


@router.get("/live")
async def live(
    request: Request, after: After = None, last_event_id: Annotated[str, Header(max_length=20)] = ""
) -> Response:
    """What happens from now on; or from an activity on, which a browser that comes back names in a header.

    Raises:
        Unavailable: If too many are listening.
    """
    broadcaster: Broadcaster | None = getattr(request.app.state, "live", None)
    network = network_of(request)
    if broadcaster is None or not broadcaster.has_room(network):
        raise Unavailable("Too many people are watching at the moment. Reload the page to see what is new.")
    is_number = last_event_id.isascii() and last_event_id.isdigit()
    known = min(int(last_event_id), _NEWEST_ID) if is_number else after
    return _Stream(_messages(request.app.state.classroom, broadcaster, known, network))


@router.get("/live/latest")
def live_latest(classroom: ClassroomOf, after: After = None) -> Response:
    """What has happened since an activity, oldest first; without one, only how far the activities are."""
    found: list[dict[str, Any]] = []
    with classroom.read() as connection:
        newest = feed.newest_id(connection)
        if after is not None:
            activities = feed.latest(connection, MOST_MISSED, after_id=after)
            found = [describe(activity, classroom.course) for activity in reversed(activities)]
    return JSONResponse({"items": found, "last": newest}, headers={"Cache-Control": "no-store"})


def close(app: FastAPI) -> None:
    """Ends the streams of an application: its server, which is about to stop, waits for every answer."""
    broadcaster: Broadcaster | None = getattr(app.state, "live", None)
    if broadcaster is not None:
        broadcaster.close()


async def _messages(
    classroom: Classroom, broadcaster: Broadcaster, known: int | None, network: str
) -> AsyncGenerator[bytes, None]:
    # The queue first: what happens while the missed ones are read is in both, and told once.
    with broadcaster.listening(network) as queue:
        yield _RETRY
        told = 0
        if known is not None:
            for number, message in await run_sync(_missed, classroom, known):
                yield message
                told = number
        while True:
            found = None
            with anyio.move_on_after(_HEARTBEAT_SECONDS) as waiting:
                found = await queue.get()
            if waiting.cancelled_caught:
                yield _STILL_HERE
            elif found is None:
                return
            elif found[0] > told:
                yield found[1]


def _missed(classroom: Classroom, known: int) -> list[tuple[int, bytes]]:
    """What followed an activity, oldest first, the newest of it."""
    with classroom.read() as connection:
        found = feed.latest(connection, MOST_MISSED, after_id=known)
    return [(activity.id, encode(activity, classroom.course)) for activity in reversed(found)]


@asynccontextmanager
async def broadcasting(app: FastAPI) -> AsyncIterator[None]:
    """Tells browsers and webhooks what happens, while the application runs; `app.state.live` is the broadcaster."""
    classroom: Classroom = app.state.classroom

    def encoded(activity: Activity) -> bytes:
        return encode(activity, classroom.course)

    broadcaster = Broadcaster(classroom, encoded)
    sender = Sender(allow_private=classroom.settings.private_webhooks)
    await broadcaster.start()
    app.state.live = broadcaster
    async with (
        anyio.create_task_group() as group,
        dispatcher.dispatching(classroom.database, sender, broadcaster.news),
    ):
        group.start_soon(broadcaster.follow)
        try:
            yield
        finally:
            broadcaster.close()
            group.cancel_scope.cancel()
