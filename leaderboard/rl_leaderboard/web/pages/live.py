"""The stream of what happens, and the same for scripts that ask again and again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, FastAPI, Header, Query, Request
from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

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
# What is on its way to a browser may take so long when the server stops.
_GRACE_SECONDS = 1.0
_NEWEST_ID = 2**62
# A browser waits so long before it comes back.
_RETRY = b"retry: 2000\n\n"

router = APIRouter(include_in_schema=False)

After = Annotated[int | None, Query(ge=0, le=_NEWEST_ID)]


class _Stream(EventSourceResponse):
    """A stream of events that ends quietly when nobody takes them any more."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(SendTimeoutError):
            await super().__call__(scope, receive, send)


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
    stopping = anyio.Event()

    async def end_with_server() -> None:
        await stopping.wait()
        broadcaster.close()

    return _Stream(
        _messages(request.app.state.classroom, broadcaster, known, network),
        ping=_HEARTBEAT_SECONDS,
        sep="\n",
        send_timeout=_SEND_SECONDS,
        data_sender_callable=end_with_server,
        shutdown_event=stopping,
        shutdown_grace_period=_GRACE_SECONDS,
    )


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


async def _messages(
    classroom: Classroom, broadcaster: Broadcaster, known: int | None, network: str
) -> AsyncIterator[bytes]:
    # The queue first: what happens while the missed ones are read is in both, and told once.
    with broadcaster.listening(network) as queue:
        yield _RETRY
        told = 0
        if known is not None:
            for number, message in await run_sync(_missed, classroom, known):
                yield message
                told = number
        async for number, message in queue:
            if number > told:
                yield message


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
