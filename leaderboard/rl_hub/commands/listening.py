"""Serving until Ctrl-C: where a server listens, what its settings are, and how it ends."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rl_hub.commands import garbage
from rl_hub.errors import CommandError

if TYPE_CHECKING:
    import uvicorn

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

# Seconds after which a thread that computes lets another one run; Python's own is 0.005. Threads that hash and write
# large files wait that long for each turn: eight uploads at once go a quarter faster with this (`make bench`).
_SWITCH_SECONDS = 0.0005


def port(text: str) -> int:
    """A port from the command line.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    if not (text.isascii() and text.isdigit() and int(text[:6]) < 2**16):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def listen(host: str, number: int, flag: str = "--port") -> socket.socket:
    """A listening socket, so that a taken port is told before anything else happens.

    Args:
        host: The address.
        number: The port; 0 takes a free one.
        flag: How the command line calls the port.

    Raises:
        CommandError: If the address cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise CommandError(
            f"Cannot listen at {host}:{number} ({error.strerror or error}). "
            f"Choose another {flag}, or stop what runs there."
        ) from None


def address(host: str, listener: socket.socket) -> str:
    """The address of a listening socket, for people on this machine."""
    shown = "localhost" if host in ("127.0.0.1", "::1", "0.0.0.0", "::") else host  # noqa: S104  compared, not bound
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{listener.getsockname()[1]}"


def configuration(app: Any, *, behind_proxy: bool, grace_seconds: int) -> "uvicorn.Config":
    """How an application is served.

    Args:
        app: An ASGI application.
        behind_proxy: Whether a proxy on this machine says where requests come from.
        grace_seconds: What requests in progress get when the server is asked to stop.
    """
    import uvicorn

    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=grace_seconds,
        proxy_headers=behind_proxy,
        forwarded_allow_ips="127.0.0.1,::1",
    )


@dataclass(frozen=True)
class Service:
    """An application and where it is served.

    Attributes:
        config: How.
        listener: A listening socket.
        say_goodbye: Called when the server begins to stop: answers without an end have to end by themselves.
    """

    config: "uvicorn.Config"
    listener: socket.socket
    say_goodbye: Callable[[], None] = lambda: None


def run(services: Sequence[Service], greet: Callable[[], None]) -> None:
    """Serves applications in one event loop until Ctrl-C or SIGTERM; a second Ctrl-C ends them at once.

    If one of them cannot start, or ends, the others end too.

    Args:
        services: What is served.
        greet: Called once a signal would end everything in good order.
    """
    import uvicorn

    class Server(uvicorn.Server):
        """A server that leaves signals to whoever runs several."""

        def __init__(self, service: Service) -> None:
            super().__init__(service.config)
            self._service = service

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Captures none."""
            yield

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """Stops."""
            self._service.say_goodbye()
            await super().shutdown(sockets)

    running = [Server(service) for service in services]

    def leave(number: int, frame: Any) -> None:
        for server in running:
            server.handle_exit(number, frame)

    async def serve(server: Server, service: Service) -> None:
        try:
            await server.serve(sockets=[service.listener])
        finally:
            for other in running:
                other.should_exit = True

    async def serve_all() -> None:
        await asyncio.gather(*(serve(server, service) for server, service in zip(running, services, strict=True)))

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    sys.setswitchinterval(_SWITCH_SECONDS)
    garbage.settle()
    greet()
    with asyncio.Runner(loop_factory=services[0].config.get_loop_factory()) as runner:
        runner.run(serve_all())
