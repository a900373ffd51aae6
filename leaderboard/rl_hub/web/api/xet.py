"""Large files by the Xet protocol: its writing side, under an address of each user's own.

There is no reading side, since this Hub serves every file by itself, and no deduplication between users.
Source: Xet protocol specification, "CAS API"; `/v2/shards` is what the client expects (`shard_upload_v2.rs` of
xet-core).
"""

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from rl_hub import clock
from rl_hub.errors import BadRequest, Busy, HubError, NotFound
from rl_hub.hub import Hub
from rl_hub.repositories import catalog
from rl_hub.uploads import arrivals
from rl_hub.web import answers, streams
from rl_hub.web.call import Call
from rl_hub.web.routing import api
from rl_hub.web.transfer import pump
from rl_hub.xet import access, assembly, hashes, namespaces, turns
from rl_hub.xet.access import Access

Endpoint = Callable[[Hub, Access, Request], Awaitable[Response]]


def write_token(call: Call) -> Response:
    """Says where a user sends xorbs to, and gives the proof that the user may."""
    hub = call.hub
    with hub.database.read() as connection:
        repository = catalog.find(connection, call.identity, call.kind, call.repo_id, write=True)
    user_id = call.signed_in()
    namespace = _space(hub, user_id)
    expires_at = clock.now() + access.LIFETIME
    token = access.issue(hub.secret, Access(user_id, repository.id, namespace), expires_at)
    address = f"{call.base_url}/xet/{namespace}"
    seconds = int(expires_at.timestamp())
    # Clients before 1.20 read the headers.
    headers = {"X-Xet-Cas-Url": address, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(seconds)}
    return answers.answer({"casUrl": address, "accessToken": token, "exp": seconds}, headers=headers)


def read_token(_call: Call) -> Response:
    """There is no reading side."""
    raise NotFound("This Hub sends files by HTTP alone, not by Xet.")


async def receive_xorb(hub: Hub, sender: Access, request: Request) -> Response:
    """Takes a xorb."""
    limits, name = hub.settings.limits, request.path_params["hash"]
    if hashes.from_text(name) is None:
        raise BadRequest("A xorb is named by 64 lower-case hexadecimal digits.")
    store = assembly.store_of(hub)
    with store.arriving(sender.namespace, _announced(request, limits.xorb_bytes)) as others:
        await run_in_threadpool(store.check_room, sender.namespace, limits.repository_bytes, others)
        with store.receive(limits.xorb_bytes) as incoming:
            await pump(streams.pieces(request, limits.xorb_bytes), incoming.write)
            await run_in_threadpool(incoming.publish, store.path(sender.namespace, name))
    return answers.answer({"was_inserted": True})


async def receive_shard(hub: Hub, sender: Access, request: Request) -> Response:
    """Takes a shard and makes its files."""
    with arrivals.transfer(hub, sender.user_id):
        await _assemble(hub, sender, request)
    return answers.answer({"result": 1})


async def receive_shard_v2(hub: Hub, sender: Access, request: Request) -> Response:
    """Takes a shard and makes its files; the client shows the error's sentence, unlike that of any other answer."""
    event: dict[str, str | bool] = {"type": "result"}
    with arrivals.transfer(hub, sender.user_id):
        try:
            await _assemble(hub, sender, request)
        except HubError as error:
            event = {"type": "error", "message": error.message, "retryable": isinstance(error, Busy)}
    return Response(answers.compact(event) + "\n", media_type="application/x-ndjson")


async def _assemble(hub: Hub, sender: Access, request: Request) -> None:
    with hub.blobs.stage() as staged:
        await pump(streams.pieces(request, hub.settings.limits.shard_bytes), staged.write)

        def make() -> None:
            with staged.path.open("rb") as shard:
                assembly.assemble(hub, sender, shard, staged.size)

        await turns.of(request.app).run(sender.user_id, make)


def _announced(request: Request, most: int) -> int:
    """The size of a body as its sender announces it; `most` if it does not."""
    length = request.headers.get("content-length", "")
    return min(int(length[:20]), most) if length.isascii() and length.isdigit() else most


def _space(hub: Hub, user_id: int) -> str:
    """The name of the user's space of xorbs; a new one if the space is used up."""
    with hub.database.write() as connection:
        namespace = namespaces.current(connection, user_id)
    store = assembly.store_of(hub)
    if store.is_used_up(namespace, hub.settings.limits.repository_bytes):
        assembly.give_up(hub, namespace)
        with hub.database.write() as connection:
            namespace = namespaces.current(connection, user_id)
    store.prepare(namespace)
    return namespace


def _cas(path: str, function: Endpoint) -> Route:
    """A route under a user's address for xorbs, whose token is not one of the Hub's own."""

    async def handle(request: Request) -> Response:
        hub: Hub = request.app.state.hub

        def check() -> Access:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            with hub.database.read() as connection:
                return access.check(connection, hub.secret, token, request.path_params["namespace"])

        try:
            return await function(hub, await run_in_threadpool(check), request)
        except HubError as error:
            return answers.error_answer(request, error)
        except ClientDisconnect:
            return Response(status_code=499)

    return Route(f"/xet/{{namespace:part}}{path}", handle, methods=["POST"], name=function.__qualname__)


async def telemetry(_request: Request) -> Response:
    """What the client counts is not kept."""
    return Response(status_code=204)


async def _nothing(request: Request) -> Response:
    """The client asks for more than it needs: whether a chunk is known, and for grants. A 404 lets it go on."""
    return answers.error_answer(request, NotFound("This Hub has no such part of the Xet protocol."))


ROUTES = [
    api("/api/{kind:kind}/{owner:part}/{name:part}/xet-write-token/{revision:part}", write_token),
    api("/api/{kind:kind}/{owner:part}/{name:part}/xet-read-token/{revision:part}", read_token),
    _cas("/v1/xorbs/default/{hash:part}", receive_xorb),
    _cas("/v1/shards", receive_shard),
    _cas("/v2/shards", receive_shard_v2),
    Route("/xet/{rest:path}", _nothing, methods=["GET", "HEAD", "POST", "PUT"]),
    Route("/v1/telemetry", telemetry, methods=["POST"]),
]
