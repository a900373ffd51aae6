"""From addresses to functions.

Paths are matched as they were sent, percent-encoded, and decoded afterwards: a branch `feat/x` arrives as `feat%2Fx`
and is one part of the path. Three kinds of routes:

- `api`: a plain function, run in a worker thread, with the body read before, up to a limit. A cookie identifies its
  sender for reading only, so that no foreign page can write with it.
- `streaming`: a coroutine that reads the body itself.
- `page`: like `api`, for people: cookies identify for every method (forms carry a token of their own), tokens do not
  count, and errors are shown as pages.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from rl_hub.errors import HubError
from rl_hub.hub import Hub
from rl_hub.web import answers, identity, streams
from rl_hub.web.call import Call

Endpoint = Callable[[Call], Response]
StreamingEndpoint = Callable[[Call], Awaitable[Response]]
Handler = Callable[[Request], Awaitable[Response]]

_KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}
_READING = {"GET", "HEAD"}


class _Part(Convertor[str]):
    """One part of the path, decoded."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value, errors="replace")

    def to_string(self, value: str) -> str:
        return value


class _Rest(_Part):
    """All that follows, with its slashes, decoded."""

    regex = ".+"


class _Kind(Convertor[str]):
    """The plural in an address, the singular in the code."""

    regex = "|".join(_KINDS)

    def convert(self, value: str) -> str:
        return _KINDS[value]

    def to_string(self, value: str) -> str:
        return value


for _name, _convertor in {"part": _Part(), "rest": _Rest(), "kind": _Kind()}.items():
    register_url_convertor(_name, _convertor)


class EncodedPath:
    """Middleware that lets routes see the path as it was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with the wrapped application."""
        if scope["type"] == "http" and scope.get("raw_path"):
            scope = {**scope, "path": scope["raw_path"].decode("ascii", errors="replace")}
        await self.app(scope, receive, send)


# Contravariant: what makes routes of any function makes them of a plain one.
FunctionT = TypeVar("FunctionT", contravariant=True)


class RouteMaker(Protocol[FunctionT]):
    """`api`, `streaming` or `page`."""

    def __call__(
        self,
        path: str,
        function: FunctionT,
        methods: Sequence[str] = ("GET",),
        *,
        params: Mapping[str, str] | None = None,
        max_body: int | None = None,
    ) -> Route:
        """Makes a route."""


def api(
    path: str,
    function: Endpoint,
    methods: Sequence[str] = ("GET",),
    *,
    params: Mapping[str, str] | None = None,
    max_body: int | None = None,
) -> Route:
    """A route for the client. `max_body`: bytes of the body; None takes the limit for JSON."""

    async def handle(request: Request) -> Response:
        try:
            return await _run(request, function, params, max_body, cookie=request.method in _READING)
        except HubError as error:
            return answers.error_answer(request, error)

    return Route(path, handle, methods=list(methods), name=function.__qualname__)


def page(
    path: str,
    function: Endpoint,
    methods: Sequence[str] = ("GET",),
    *,
    params: Mapping[str, str] | None = None,
    max_body: int | None = None,
) -> Route:
    """A route for a person."""

    async def handle(request: Request) -> Response:
        try:
            return await _run(request, function, params, max_body, cookie=True, token=False)
        except HubError as error:
            return await run_in_threadpool(request.app.state.error_page, request, error)

    return Route(path, handle, methods=list(methods), name=function.__qualname__)


def streaming(
    path: str,
    function: StreamingEndpoint,
    methods: Sequence[str] = ("GET",),
    *,
    params: Mapping[str, str] | None = None,
    max_body: int | None = None,  # noqa: ARG001  the function bounds what it reads
) -> Route:
    """A route whose function reads the body as it arrives."""

    async def handle(request: Request) -> Response:
        hub: Hub = request.app.state.hub
        try:
            who = await run_in_threadpool(identity.of, hub, request, cookie=request.method in _READING)
            return await function(Call(hub, request, who, {**request.path_params, **(params or {})}))
        except HubError as error:
            return answers.error_answer(request, error)
        except ClientDisconnect:
            return Response(status_code=499)

    return Route(path, handle, methods=list(methods), name=function.__qualname__)


def each_kind(
    suffix: str,
    make: RouteMaker[FunctionT],
    function: FunctionT,
    methods: Sequence[str] = ("GET",),
    *,
    max_body: int | None = None,
) -> list[Route]:
    """Routes under `/{owner}/{name}` for models, `/datasets/{owner}/{name}` and `/spaces/{owner}/{name}`."""
    prefixes = {"model": "", "dataset": "/datasets", "space": "/spaces"}
    # Models come last: their pattern, without a prefix, would match the others' addresses.
    return [
        make(
            f"{prefixes[kind]}/{{owner:part}}/{{name:part}}{suffix}",
            function,
            methods,
            params={"kind": kind},
            max_body=max_body,
        )
        for kind in ("dataset", "space", "model")
    ]


async def _run(
    request: Request,
    function: Endpoint,
    params: Mapping[str, str] | None,
    max_body: int | None,
    *,
    cookie: bool,
    token: bool = True,
) -> Response:
    hub: Hub = request.app.state.hub
    body = await streams.read_body(request, hub.settings.limits.json_bytes if max_body is None else max_body)

    def answer() -> Response:
        who = identity.of(hub, request, cookie=cookie, token=token)
        return function(Call(hub, request, who, {**request.path_params, **(params or {})}, body))

    return await run_in_threadpool(answer)
