"""Structured logs: one JSON object a line, and a line for each request.

Queries are never logged, because addresses can be signed, nor are headers, because they carry tokens.
"""

import logging
import sys
import time
import uuid
from collections.abc import Sequence

from pythonjsonlogger.json import JsonFormatter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_requests = logging.getLogger("rl_hub.requests")


def configure(level: str = "INFO") -> None:
    """Sends the log of the Hub and of its server to standard error, as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields={"asctime": "time"})
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # A line for every step of a new database tells an operator nothing.
    logging.getLogger("alembic").setLevel(logging.WARNING)


class RequestLog:
    """Middleware that logs each request once it is answered, and names it in the answer.

    Args:
        app: What answers.
        secret_below: Beginnings of paths; what follows them is not logged.
    """

    def __init__(self, app: ASGIApp, secret_below: Sequence[str] = ()) -> None:
        self.app = app
        self._secret_below = tuple(secret_below)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with the wrapped application."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = uuid.uuid4().hex[:12]
        seen = {"status": 0, "sent": 0}

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            else:
                seen["sent"] += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            _requests.info(
                "request",
                extra={
                    "request": request_id,
                    "method": scope["method"],
                    "path": without_secret(scope["path"], self._secret_below),
                    "status": seen["status"],
                    "bytes": seen["sent"],
                    "milliseconds": round(1000 * (time.perf_counter() - started), 1),
                },
            )


def without_secret(path: str, secret_below: Sequence[str]) -> str:
    """A path as a log may have it: only its beginning, if it is one of those that secrets follow."""
    beginning = next((known for known in secret_below if path.startswith(known)), None)
    return path if beginning is None else f"{beginning}…"
