"""Bodies that a worker thread takes piece by piece while the next piece is still arriving."""

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool


async def pump(pieces: AsyncIterator[bytearray], take: Callable[[bytearray], None]) -> None:
    """Hands each piece to `take`, in a worker thread, one at a time and in order.

    `take` is never running any more when this returns or raises, so its file can be closed.
    """
    running: asyncio.Task[None] | None = None
    try:
        async for piece in pieces:
            if running is not None:
                await running
            running = asyncio.create_task(run_in_threadpool(take, piece))
        if running is not None:
            await running
    finally:
        if running is not None:
            await asyncio.wait([running])
            # Told already if it was awaited above; if not, the error that ended the transfer matters more.
            running.exception()
