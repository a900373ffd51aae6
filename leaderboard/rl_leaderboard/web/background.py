"""What goes on beside the requests, in the server's process.

Each task is an async context manager that takes the application.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
from anyio.to_thread import run_sync
from fastapi import FastAPI

from rl_leaderboard.classroom import Classroom

# How soon a page shows what another process has written.
_LOOK_SECONDS = 0.5


@asynccontextmanager
async def _looking(app: FastAPI) -> AsyncIterator[None]:
    """Finds out which pages other processes have changed."""
    classroom: Classroom = app.state.classroom

    async def look() -> None:
        while True:
            await run_sync(classroom.look_again)
            await anyio.sleep(_LOOK_SECONDS)

    async with anyio.create_task_group() as group:
        group.start_soon(look)
        yield
        group.cancel_scope.cancel()


TASKS: tuple[Callable[[FastAPI], AbstractAsyncContextManager[None]], ...] = (_looking,)
