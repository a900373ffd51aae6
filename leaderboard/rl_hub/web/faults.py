"""Mistakes of ours: logged with their traceback, and answered like every other error."""

import logging

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rl_hub.errors import HubError
from rl_hub.web import answers

_log = logging.getLogger(__name__)


class Fault(HubError):
    """An error of ours: the log tells it."""

    status = 500


class Faults:
    """Middleware that answers when an exception was not expected. It stands inside those for headers and logs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with the wrapped application."""
        started = False

        async def note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, note)
        except ClientDisconnect:
            # Nobody is there to be answered.
            return
        except Exception:
            if scope["type"] != "http" or started:
                raise
            _log.exception("A request failed.", extra={"method": scope["method"], "path": scope["path"]})
            fault = Fault("The Hub made a mistake here. Its log has the details; try again.")
            answer = await answers.shown(Request(scope), fault)
            await answer(scope, receive, send)
