"""The Hub as an ASGI application: served alone, or mounted in another one."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from rl_hub.errors import BadRequest, HubError, MethodNotAllowed, NotFound
from rl_hub.events.dispatcher import dispatching
from rl_hub.events.feed import Subscriber
from rl_hub.hub import Hub
from rl_hub.maintenance import gc
from rl_hub.web import answers, health, pages
from rl_hub.web.api import (
    accounts,
    cards,
    commits,
    git,
    lfs,
    listing,
    repositories,
    resolve,
    trees,
    webhooks,
    xet,
)
from rl_hub.web.faults import Faults
from rl_hub.web.headers import SecurityHeaders
from rl_hub.web.logs import RequestLog
from rl_hub.web.pages import errors
from rl_hub.web.routing import EncodedPath

# The first route that matches answers, so pages, whose addresses are the widest, come last.
_ROUTES: tuple[BaseRoute, ...] = (
    *health.ROUTES,
    *accounts.ROUTES,
    *cards.ROUTES,
    *listing.ROUTES,
    *repositories.ROUTES,
    *commits.ROUTES,
    *trees.ROUTES,
    *webhooks.ROUTES,
    *xet.ROUTES,
    *lfs.ROUTES,
    *git.ROUTES,
    *resolve.ROUTES,
    *pages.ROUTES,
)


def create_app(hub: Hub, subscribers: Sequence[Subscriber] = ()) -> Starlette:
    """The application.

    Args:
        hub: An open Hub; the caller closes it.
        subscribers: Who hears of every event, in this process.

    Returns:
        An application for any ASGI server, or to be mounted under a prefix. Mounted, its lifespan has to be entered
        by the outer application (`async with hub_app.router.lifespan_context(hub_app)`), since it tells the events.
    """
    app = Starlette(
        routes=_ROUTES,
        middleware=[Middleware(RequestLog), Middleware(SecurityHeaders), Middleware(EncodedPath), Middleware(Faults)],
        exception_handlers={HTTPException: _http_error},
        lifespan=_lifespan,
    )
    app.state.hub = hub
    app.state.subscribers = tuple(subscribers)
    app.state.error_page = errors.error_page
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    """No route for this path or method."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        refusal: HubError = MethodNotAllowed(f"{request.method} is not possible here.")
    elif isinstance(error, HTTPException) and error.status_code != 404:
        refusal = BadRequest(str(error.detail))
    else:
        refusal = NotFound("There is nothing at this address.")
    return await answers.shown(request, refusal)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """What goes on beside the requests: events are told, and once a day the Hub is cleaned."""
    async with dispatching(app.state.hub, app.state.subscribers), gc.keeping_clean(app.state.hub):
        yield
