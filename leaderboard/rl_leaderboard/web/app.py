"""The leaderboard as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI

from rl_hub.web.headers import PAGE_POLICY, SecurityHeaders
from rl_hub.web.logs import RequestLog
from rl_leaderboard import __version__
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.web import api, background, failures, pages
from rl_leaderboard.web.bodies import LimitBodies
from rl_leaderboard.web.faults import Faults
from rl_leaderboard.web.hosts import CheckHost
from rl_leaderboard.web.kept_pages import KeptPages
from rl_leaderboard.web.pages.kept_boards import KeptBoards
from rl_leaderboard.web.traffic import CountTraffic, Traffic

# Pages follow what happens, and search as one types.
_POLICY = f"{PAGE_POLICY}; connect-src 'self'"

# What follows these is as good as a password, and belongs into no log.
_SECRET_BELOW = ("/join/", "/certificates/", "/api/v1/certificates/")

# Threads that answer requests, the embedded Hub's too. They take turns anyway: with more of them each waits longer for
# its turn, and each keeps a connection with pages of the database (`make bench`).
_THREADS = 6


def create_app(classroom: Classroom, *, hub_url: str = "", hub_port: int | None = None) -> FastAPI:
    """The application.

    Args:
        classroom: An open classroom; the caller closes it.
        hub_url: The embedded Hub's address for people, without a slash at the end; empty without one, or where it is
            found on the host that people ask for.
        hub_port: The port on that host; None without an embedded Hub.
    """
    app = FastAPI(
        title="RL Classroom",
        version=__version__,
        description=api.DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.classroom = classroom
    app.state.hub_url = hub_url
    app.state.hub_port = hub_port
    app.state.traffic = Traffic()
    app.state.kept_boards = KeptBoards(classroom)
    for router in (*api.ROUTERS, *pages.ROUTERS):
        # As the application's own: a router that is included matches each request twice, and keeps each route twice.
        app.router.routes.extend(router.routes)
    failures.add_handlers(app)
    # The last that is added is the outermost.
    app.add_middleware(LimitBodies)
    app.add_middleware(CheckHost)
    app.add_middleware(KeptPages, classroom=classroom)
    app.add_middleware(Faults, secret_below=_SECRET_BELOW)
    app.add_middleware(SecurityHeaders, policy=_POLICY)
    app.add_middleware(CountTraffic, traffic=app.state.traffic)
    app.add_middleware(RequestLog, secret_below=_SECRET_BELOW)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """What goes on beside the requests."""
    to_thread.current_default_thread_limiter().total_tokens = _THREADS
    async with AsyncExitStack() as stack:
        for task in background.TASKS:
            await stack.enter_async_context(task(app))
        yield
