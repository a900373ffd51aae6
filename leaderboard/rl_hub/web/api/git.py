"""Git over HTTP, read-only: `git clone <Hub>/<owner>/<name>`.

Git shows a person what an error says only if it is plain text, and asks for name and password only after a challenge;
so errors are put that way here. The password is an access token of the Hub, the name may be anything.
"""

import zlib
from collections.abc import Awaitable, Callable, Iterator

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
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
# Requests that are being read, and clones whose objects are being listed, at the same time: each takes up to some
# hundred bytes for each line or object.
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
    unpacker = _unpacker(call.request)
    # A body is read only for those who may have the repository.
    await run_in_threadpool(_check_access, call)
    body = await _body(call.request)

    def respond() -> Iterator[bytes]:
        request = upload_pack.parse(_unpacked(body, unpacker) if unpacker else body)
        with call.hub.database.read() as connection:
            return upload_pack.respond(call.hub, connection, _repository(call, connection).id, request)

    answer = await run_sync(respond, limiter=_limiter(call.request))
    return StreamingResponse(answer, media_type=f"application/x-{_FETCH}-result", headers=_FRESH)


def _repository(call: Call, connection: Connection) -> catalog.Repository:
    """The repository that is asked for, with or without .git at the end of its name."""
    return catalog.find(connection, call.identity, call.kind, call.repo_id.removesuffix(".git"))


def _check_access(call: Call) -> None:
    with call.hub.database.read() as connection:
        _repository(call, connection)


def _limiter(request: Request) -> CapacityLimiter:
    state = request.app.state
    if not hasattr(state, "git_listings"):
        state.git_listings = CapacityLimiter(_MOST_LISTINGS)
    limiter: CapacityLimiter = state.git_listings
    return limiter


def _unpacker(request: Request) -> "zlib._Decompress | None":
    """What unpacks the body; git compresses it when it is long.

    Raises:
        UnsupportedEncoding: If it is compressed in another way.
    """
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise UnsupportedEncoding("A request of git comes as it is, or with gzip.")
    # 16 asks for gzip's header (https://docs.python.org/3/library/zlib.html#zlib.decompressobj).
    return None if encoding == "identity" else zlib.decompressobj(16 + zlib.MAX_WBITS)


async def _body(request: Request) -> bytes:
    """The body as it is sent.

    Raises:
        TooLarge: If it has more than `_MOST_BYTES`.
    """
    collected = bytearray()
    async for part in request.stream():
        collected += part
        _check_size(collected)
    return bytes(collected)


def _unpacked(body: bytes, unpacker: "zlib._Decompress") -> bytes:
    """The body as it was before it was compressed.

    Raises:
        TooLarge: If it has more than `_MOST_BYTES`.
        BadRequest: If it cannot be unpacked.
    """
    try:
        unpacked = unpacker.decompress(body, _MOST_BYTES + 1)
    except zlib.error:
        raise BadRequest("The compressed body cannot be unpacked.") from None
    _check_size(unpacked)
    if not unpacker.eof:
        raise BadRequest("The compressed body ends too early.")
    return unpacked


def _check_size(body: bytes | bytearray) -> None:
    if len(body) > _MOST_BYTES:
        raise TooLarge(f"A request of git may have {_MOST_BYTES} bytes at most. Clone anew instead of fetching.")


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
