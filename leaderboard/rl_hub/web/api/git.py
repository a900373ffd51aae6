"""Git over HTTP, read-only: `git clone <Hub>/<owner>/<name>`.

Git shows a person what an error says only if it is plain text, and asks for name and password only after a challenge;
so errors are put that way here. The password is an access token of the Hub, the name may be anything.
"""

import zlib
from collections.abc import Awaitable, Callable, Iterator

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from rl_hub.errors import BadRequest, Forbidden, TooLarge, UnsupportedEncoding
from rl_hub.git import objects, upload_pack
from rl_hub.repositories import catalog
from rl_hub.settings import MIB
from rl_hub.web.call import Call
from rl_hub.web.routing import api, each_kind, streaming

_FETCH, _PUSH = "git-upload-pack", "git-receive-pack"
# Names of the commits that a client has; it sends some thousand at a time at most.
_MOST_BYTES = 8 * MIB
# Clones whose objects are being listed at the same time, each with up to some hundred bytes for each object.
_MOST_LISTINGS = 4
_NO_PUSH = (
    "git push is not possible: this Hub's git is for reading. Upload with huggingface_hub instead: "
    "`hf upload OWNER/NAME FOLDER`, or upload_folder() in Python."
)
_FRESH = {"Cache-Control": "no-cache"}


def info_refs(call: Call) -> Response:
    """What a clone, fetch or push asks for first."""
    service = call.query.get("service")
    if service == _PUSH:
        raise Forbidden(_NO_PUSH)
    if service != _FETCH:
        raise BadRequest("This Hub speaks git's smart protocol only. Use git 1.6.6 or newer.")
    with call.hub.database.read() as connection:
        refs = objects.read_refs(connection, _repository(call, connection).id)
    return Response(upload_pack.advertise(refs), media_type=f"application/x-{_FETCH}-advertisement", headers=_FRESH)


async def fetch(call: Call) -> Response:
    """Which commits the client gets, and the pack with them."""
    request = upload_pack.parse(await _body(call.request))

    def respond() -> Iterator[bytes]:
        with call.hub.database.read() as connection:
            return upload_pack.respond(call.hub, connection, _repository(call, connection).id, request)

    answer = await run_sync(respond, limiter=_limiter(call.request))
    return StreamingResponse(answer, media_type=f"application/x-{_FETCH}-result", headers=_FRESH)


def _repository(call: Call, connection: Connection) -> catalog.Repository:
    """The repository that is asked for, with or without .git at the end of its name."""
    return catalog.find(connection, call.identity, call.kind, call.repo_id.removesuffix(".git"))


def _limiter(request: Request) -> CapacityLimiter:
    state = request.app.state
    if not hasattr(state, "git_listings"):
        state.git_listings = CapacityLimiter(_MOST_LISTINGS)
    limiter: CapacityLimiter = state.git_listings
    return limiter


async def _body(request: Request) -> bytes:
    """The body; git compresses it when it is long.

    Raises:
        TooLarge: If it has more than `_MOST_BYTES`, as it is sent or unpacked.
        UnsupportedEncoding: If it is compressed in another way.
        BadRequest: If it cannot be unpacked.
    """
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise UnsupportedEncoding("A request of git comes as it is, or with gzip.")
    # 16 asks for gzip's header (https://docs.python.org/3/library/zlib.html#zlib.decompressobj).
    unpacker = None if encoding == "identity" else zlib.decompressobj(16 + zlib.MAX_WBITS)
    collected = bytearray()
    arrived = 0
    try:
        async for part in request.stream():
            arrived += len(part)
            collected += unpacker.decompress(part, _MOST_BYTES + 1 - len(collected)) if unpacker else part
            if max(arrived, len(collected)) > _MOST_BYTES:
                raise TooLarge(
                    f"A request of git may have {_MOST_BYTES} bytes at most. Clone anew instead of fetching."
                )
    except zlib.error:
        raise BadRequest("The compressed body cannot be unpacked.") from None
    if unpacker and not unpacker.eof:
        raise BadRequest("The compressed body ends too early.")
    return bytes(collected)


def _for_git(route: Route) -> Route:
    """The same route with errors as git understands them."""
    answer: Callable[[Request], Awaitable[Response]] = route.endpoint

    async def handle(request: Request) -> Response:
        return _told_git(await answer(request))

    return Route(route.path, handle, methods=list(route.methods or ()), name=route.name)


def _told_git(answer: Response) -> Response:
    if answer.status_code < 400:
        return answer
    headers = {"WWW-Authenticate": 'Basic realm="Hub"'} if answer.status_code == 401 else {}
    message = answer.headers.get("X-Error-Message", "")
    return PlainTextResponse(f"{message}\n", answer.status_code, headers)


ROUTES: list[Route] = [
    _for_git(route)
    for route in (
        *each_kind("/info/refs", api, info_refs),
        *each_kind(f"/{_FETCH}", streaming, fetch, ["POST"]),
    )
]
