"""The Host header: it goes into links, certificates and forms, so what no host is called is refused before it does."""

import re
from ipaddress import IPv6Address

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from rl_leaderboard.errors import BadRequest
from rl_leaderboard.web import failures

# A name has 253 characters at most (RFC 1035), and some networks have underscores in theirs.
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]{1,253}|\[([0-9A-Fa-f:.]{2,45})\])(?::(\d{1,5}))?")
_HIGHEST_PORT = 2**16 - 1


class CheckHost:
    """Middleware that answers only requests whose Host header can be one. Without one, the server's own address counts.

    It stands behind the kept pages: what is found there was asked for in the same words before.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with the wrapped application."""
        if scope["type"] != "http" or _is_sound([value for name, value in scope["headers"] if name == b"host"]):
            await self.app(scope, receive, send)
            return
        # The page of the refusal has links as well.
        headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
        refusal = BadRequest("The Host header of this request is not the name of a host.")
        answer = await failures.answer(Request({**scope, "headers": headers}), refusal)
        await answer(scope, receive, send)


def _is_sound(hosts: list[bytes]) -> bool:
    if not hosts:
        return True
    found = _HOST.fullmatch(hosts[0])
    if found is None or len(hosts) > 1 or int(found[2] or 0) > _HIGHEST_PORT:
        return False
    return found[1] is None or _is_ipv6(found[1].decode())


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True
