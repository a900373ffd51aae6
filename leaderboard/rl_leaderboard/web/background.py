"""What goes on beside the requests, in the server's process.

Each task is an async context manager that takes the application.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
from anyio.to_thread import run_sync
from fastapi import FastAPI

from rl_leaderboard.classroom import Classroom
from rl_leaderboard.web.pages.live import broadcasting

# How soon a page shows what another process has written.
_LOOK_SECONDS = 0.5
_log = logging.getLogger(__name__)


@asynccontextmanager
async def _looking(app: FastAPI) -> AsyncIterator[None]:
    """Finds out which pages other processes have changed."""
    classroom: Classroom = app.state.classroom

    async def look() -> None:
        while True:
            try:
                await run_sync(classroom.look_again)
            except Exception:
                _log.exception("What other processes have changed could not be read; this is tried again.")
            await anyio.sleep(_LOOK_SECONDS)

    async with anyio.create_task_group() as group:
        group.start_soon(look)
        yield
        group.cancel_scope.cancel()


@asynccontextmanager
async def _polling(app: FastAPI) -> AsyncIterator[None]:
    """Reads other Hubs; most classrooms have none, and need not import what reads them."""
    if not app.state.classroom.settings.sources:
        yield
        return
    from rl_leaderboard.sources import polling

    async with polling.polling(app.state.classroom):
        yield


TASKS: tuple[Callable[[FastAPI], AbstractAsyncContextManager[None]], ...] = (_looking, _polling, broadcasting)
