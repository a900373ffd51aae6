"""`python -m rl_leaderboard serve`: the classroom's pages and its Hub, on two ports of one process."""

import argparse
import contextlib
import socket
from typing import TYPE_CHECKING

from rl_hub.commands import garbage, listening
from rl_hub.commands.serve import GRACE_SECONDS, show_new_administrator
from rl_hub.commands.subparsers import Subparsers
from rl_hub.maintenance.exclusion import serving
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.commands import judge
from rl_leaderboard.commands.judge_process import judging
from rl_leaderboard.commands.opening import opened
from rl_leaderboard.settings import Settings

if TYPE_CHECKING:
    import uvicorn

# Pages are quick; who listens for events comes back by itself.
_PAGES_GRACE_SECONDS = 3


def add_parsers(subparsers: Subparsers) -> None:
    """Adds `serve`."""
    parser = subparsers.add_parser("serve", help="serve the classroom, and its Hub, until Ctrl-C")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: this machine only)")
    parser.add_argument(
        "--port", type=listening.port, default=7880, help="the pages' port; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--hub-port", type=listening.port, default=7870, help="the Hub's port; 0 as above (default: %(default)s)"
    )
    parser.add_argument(
        "--workers", type=judge.workers, help="start a judge beside it, with so many workers (default: no judge)"
    )
    parser.add_argument("--log-level", default="INFO", choices=listening.LOG_LEVELS)
    parser.set_defaults(run=serve)


def serve(settings: Settings, options: argparse.Namespace) -> int:
    """Serves the classroom of a data folder; the first start shows the Hub's administrator once."""
    from rl_hub.web import logs

    with contextlib.ExitStack() as stack:
        stack.enter_context(serving(settings.data, "classroom"))
        pages = stack.enter_context(listening.listen(options.host, options.port))
        hub = None
        if settings.hub_embedded:
            stack.enter_context(serving(settings.resolved_hub_data))
            hub = stack.enter_context(listening.listen(options.host, options.hub_port, "--hub-port"))
        logs.configure(options.log_level)
        classroom = stack.enter_context(opened(settings))
        if options.workers:
            stack.enter_context(judging(options.workers, options.log_level))
        _run(classroom, options.host, pages, hub)
    return 0


def _run(classroom: Classroom, host: str, pages: socket.socket, hub: socket.socket | None) -> None:
    with garbage.uncollected():
        from rl_leaderboard.web.app import create_app
        from rl_leaderboard.web.pages import live

    settings = classroom.settings
    address = settings.public_url or listening.address(host, pages)
    hub_address = "" if hub is None else settings.hub_public_url or listening.address(host, hub)
    hub_port = None if hub is None else hub.getsockname()[1]
    app = create_app(classroom, hub_url=settings.hub_public_url or "", hub_port=hub_port)
    behind_proxy = settings.public_url is not None
    config = listening.configuration(app, behind_proxy=behind_proxy, grace_seconds=_PAGES_GRACE_SECONDS)
    services = [listening.Service(config, pages, lambda: live.close(app))]
    if hub is not None:
        services.append(listening.Service(_hub_configuration(classroom), hub))

    def greet() -> None:
        if classroom.hub is not None:
            show_new_administrator(classroom.hub)
        print(f"The classroom is at {address}", flush=hub is None)
        if hub is not None:
            print(f"Its Hub is at {hub_address}; clients set HF_ENDPOINT={hub_address}", flush=True)

    listening.run(services, greet)


def _hub_configuration(classroom: Classroom) -> "uvicorn.Config":
    with garbage.uncollected():
        from rl_hub.web.app import create_app
        from rl_leaderboard.sources import embedded

    assert classroom.hub is not None  # noqa: S101  the caller has looked
    app = create_app(classroom.hub, subscribers=[embedded.subscriber(classroom)])
    behind_proxy = classroom.hub.settings.public_url is not None
    return listening.configuration(app, behind_proxy=behind_proxy, grace_seconds=GRACE_SECONDS)
