"""`python -m rl_hub serve`."""

import argparse

from rl_hub.accounts import users
from rl_hub.commands import garbage, listening
from rl_hub.commands.subparsers import Subparsers
from rl_hub.hub import Hub
from rl_hub.maintenance.exclusion import serving
from rl_hub.settings import Settings

GRACE_SECONDS = 30
"""What requests in progress, a large upload perhaps, get when the server is asked to stop."""


def add_parsers(subparsers: Subparsers) -> None:
    """Adds `serve`."""
    parser = subparsers.add_parser("serve", help="serve the Hub until Ctrl-C")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: this machine only)")
    parser.add_argument("--port", type=listening.port, default=7870, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--log-level", default="INFO", choices=listening.LOG_LEVELS)
    parser.set_defaults(run=serve)


def serve(settings: Settings, options: argparse.Namespace) -> int:
    """Serves the Hub of a data folder; the first start creates an administrator and shows it once."""
    with garbage.uncollected():
        from rl_hub.web import logs
        from rl_hub.web.app import create_app

    with serving(settings.data), listening.listen(options.host, options.port) as listener:
        logs.configure(options.log_level)
        hub = Hub.open(settings)
        try:
            address = settings.public_url or listening.address(options.host, listener)
            behind_proxy = settings.public_url is not None
            config = listening.configuration(create_app(hub), behind_proxy=behind_proxy, grace_seconds=GRACE_SECONDS)
            listening.run([listening.Service(config, listener)], lambda: _greet(hub, address))
        finally:
            hub.close()
    return 0


def _greet(hub: Hub, address: str) -> None:
    show_new_administrator(hub)
    print(f"The Hub is at {address}")
    print(f"Clients set HF_ENDPOINT={address}", flush=True)


def show_new_administrator(hub: Hub) -> None:
    """Creates the administrator of a new Hub and prints how to sign in, this once."""
    with hub.database.write() as connection:
        administrator = users.ensure_administrator(connection)
    if administrator is not None:
        print("This Hub is new. Its administrator, shown this once:")
        print(f"  name      {administrator.name}")
        print(f"  password  {administrator.password}   (to sign in on its pages)")
        print(f"  token     {administrator.token}   (for HF_TOKEN)")
