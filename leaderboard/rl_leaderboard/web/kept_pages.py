"""Pages of people who are not signed in, kept until what they show has changed.

A page says in a header, which does not leave the server, which counter of `boards.generations` it depends on.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rl_leaderboard.classroom import Classroom
from rl_leaderboard.people.sessions import COOKIE
from rl_leaderboard.web.kept import Kept

DEPENDS_ON = "x-depends-on"
_MOST_BYTES = 32 * 2**20
_LONGEST_ADDRESS = 500
_Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class _Page:
    start: Message
    body: bytes


def asks_for_part(scope: Scope) -> bool:
    """Whether a script asks for a part of a page, which is another page of the same address.

    Routes must ask this function: a page is kept under its answer.
    """
    return (b"hx-request", b"true") in scope["headers"]


class KeptPages:
    """Middleware that answers with a kept page where there is a good one."""

    def __init__(self, app: ASGIApp, classroom: Classroom) -> None:
        self.app = app
        self._classroom = classroom
        self._pages: Kept[_Page] = Kept(classroom, _MOST_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _is_anonymous(scope["headers"]):
            await self.app(scope, receive, _without_mark(send))
            return
        key = _key(scope)
        page = self._pages.find(key)
        if page is not None:
            # A copy: outer middlewares add to the headers of what they are given.
            await send({**page.start, "headers": list(page.start["headers"])})
            await send({"type": "http.response.body", "body": page.body})
            return
        await self._answer_and_keep(key, scope, receive, send)

    async def _answer_and_keep(self, key: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        before = dict(self._classroom.generations)
        start: Message | None = None
        depends_on = ""
        body = bytearray()

        async def keep(message: Message) -> None:
            nonlocal start, depends_on
            if message["type"] == "http.response.start":
                depends_on, headers = _split(message["headers"])
                start = {**message, "headers": list(headers)}
                message = {**message, "headers": headers}
            elif depends_on:
                body.extend(message.get("body", b""))
            await send(message)
            finished = message["type"] == "http.response.body" and not message.get("more_body", False)
            if finished and start is not None and depends_on and start["status"] == 200:
                self._keep(key, _Page(start, bytes(body)), depends_on, before.get(depends_on, 0))

        await self.app(scope, receive, keep)

    def _keep(self, key: bytes, page: _Page, depends_on: str, generation: int) -> None:
        if len(key) <= _LONGEST_ADDRESS:
            self._pages.keep(key, page, size=len(page.body), depends_on=depends_on, generation=generation)


def _key(scope: Scope) -> bytes:
    """What a page depends on besides the database: its address, and whether a script asks for a part of it."""
    part = b"part" if asks_for_part(scope) else b""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return b"\n".join((host, raw, scope["query_string"], part))


def _is_anonymous(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return not any(
        name == b"authorization" or (name == b"cookie" and COOKIE.encode() in value) for name, value in headers
    )


def _split(headers: _Headers) -> tuple[str, _Headers]:
    """The mark, and the headers without it."""
    mark = next((value.decode() for name, value in headers if name == DEPENDS_ON.encode()), "")
    return mark, [(name, value) for name, value in headers if name != DEPENDS_ON.encode()]


def _without_mark(send: Send) -> Send:
    async def forward(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": _split(message["headers"])[1]}
        await send(message)

    return forward
