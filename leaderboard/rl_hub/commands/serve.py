"""`python -m rl_hub serve`."""

import argparse
import signal
import socket
import sys
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from rl_hub.accounts import users
from rl_hub.commands.subparsers import Subparsers
from rl_hub.errors import CommandError
from rl_hub.hub import Hub
from rl_hub.maintenance.exclusion import SERVE_LOCK
from rl_hub.settings import Settings

if TYPE_CHECKING:
    import uvicorn

# Seconds after which a thread that computes lets another one run; Python's own is 0.005. Threads that hash and write
# large files wait that long for each turn: eight uploads at once go a quarter faster with this (`make bench`).
_SWITCH_SECONDS = 0.0005
# Seconds that requests in progress get when the server is asked to stop.
_GRACE_SECONDS = 30


def add_parsers(subparsers: Subparsers) -> None:
    """Adds `serve`."""
    parser = subparsers.add_parser("serve", help="serve the Hub until Ctrl-C")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: this machine only)")
    parser.add_argument("--port", type=_port, default=7870, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    parser.set_defaults(run=serve)


def serve(settings: Settings, options: argparse.Namespace) -> int:
    """Serves the Hub of a data folder; the first start creates an administrator and shows it once."""
    import uvicorn

    from rl_hub.web import logs
    from rl_hub.web.app import create_app

    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(settings.data / SERVE_LOCK, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise CommandError(f"The Hub in {settings.data} is being served already.") from None
    with lock, _listen(options.host, options.port) as listener:
        logs.configure(options.log_level)
        hub = Hub.open(settings)
        address = settings.public_url or f"http://{_shown_host(options.host)}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            create_app(hub),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            # Who has a public address has a proxy on this machine, which says where a request comes from.
            proxy_headers=settings.public_url is not None,
            forwarded_allow_ips="127.0.0.1,::1",
        )
        server = uvicorn.Server(config)
        sys.setswitchinterval(_SWITCH_SECONDS)
        _leave_quietly(server)
        try:
            _welcome(hub, address)
            server.run(sockets=[listener])
        finally:
            hub.close()
    return 0


def _leave_quietly(server: "uvicorn.Server") -> None:
    """Ends the server after Ctrl-C or SIGTERM, without a traceback.

    While it serves, uvicorn takes these signals itself; afterwards it raises them again for whoever had them before.
    """

    def leave(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)


def _port(text: str) -> int:
    """A port from the command line."""
    if not (text.isascii() and text.isdigit() and int(text[:6]) < 2**16):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that a taken port is told before anything else happens.

    Raises:
        CommandError: If the address cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise CommandError(
            f"Cannot listen at {host}:{port} ({error.strerror or error}). "
            "Choose another --port, or stop what runs there."
        ) from None


def _shown_host(host: str) -> str:
    shown = "localhost" if host in ("127.0.0.1", "::1", "0.0.0.0", "::") else host  # noqa: S104  compared, not bound
    return f"[{shown}]" if ":" in shown else shown


def _welcome(hub: Hub, address: str) -> None:
    with hub.database.write() as connection:
        administrator = users.ensure_administrator(connection)
    if administrator is not None:
        print("This Hub is new. Its administrator, shown this once:")
        print(f"  name      {administrator.name}")
        print(f"  password  {administrator.password}   (to sign in on its pages)")
        print(f"  token     {administrator.token}   (for HF_TOKEN)")
    print(f"The Hub is at {address}")
    print(f"Clients set HF_ENDPOINT={address}", flush=True)
