"""Mistakes of ours: logged with their traceback, and answered like every other error."""

import logging
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rl_hub.web.logs import without_secret
from rl_leaderboard.errors import Fault
from rl_leaderboard.web import failures

# nginx's number for somebody who did not wait for the answer: it is only counted.
_GONE = 499
_log = logging.getLogger(__name__)


class Faults:
    """Middleware that answers when an exception was not expected. It stands inside those for headers and logs.

    Args:
        app: What answers.
        secret_below: Beginnings of paths; what follows them is not logged.
    """

    def __init__(self, app: ASGIApp, secret_below: Sequence[str] = ()) -> None:
        self.app = app
        self._secret_below = tuple(secret_below)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with the wrapped application."""
        started = False

        async def note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, note)
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            answer = await self._answer(scope, error)
            await answer(scope, receive, send)

    async def _answer(self, scope: Scope, error: Exception) -> Response:
        if isinstance(error, ClientDisconnect):
            return Response(status_code=_GONE)
        path = without_secret(scope["path"], self._secret_below)
        _log.error("A request failed.", exc_info=error, extra={"method": scope["method"], "path": path})
        fault = Fault("The site made a mistake here. Its log has the details; try again.")
        return await failures.answer(Request(scope), fault)
