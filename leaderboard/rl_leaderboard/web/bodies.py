"""How much anybody may send at once: a body is read into memory before it is known who sends it."""

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 2**20


class LimitBodies:
    """Middleware that stops reading a body at `MOST_BYTES`, whatever its length is said to be."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with the wrapped application."""
        received = 0

        async def count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MOST_BYTES:
                # FastAPI hands this kind on; it takes any other for a body that cannot be parsed.
                raise HTTPException(413, f"A request may have {MOST_BYTES // 1024} KiB at most.")
            return message

        await self.app(scope, count if scope["type"] == "http" else receive, send)
