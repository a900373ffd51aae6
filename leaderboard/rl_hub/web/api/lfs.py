"""Large files by Git LFS: the batch request, and the signed addresses that it gives out."""

from datetime import datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from rl_hub import clock
from rl_hub.errors import BadRequest, HiddenRepository, HubError, NotFound, TooLarge
from rl_hub.repositories import catalog
from rl_hub.uploads import arrivals, lfs, room
from rl_hub.uploads.arrivals import Arrival
from rl_hub.uploads.lfs import Download, IncomingFile, LfsObject, Upload
from rl_hub.web import answers, streams
from rl_hub.web.call import Call
from rl_hub.web.routing import api, each_kind, streaming
from rl_hub.web.transfer import pump

_MEDIA_TYPE = "application/vnd.git-lfs+json"
# A large file on a slow line takes long; only its beginning has to lie within this time.
_LIFETIME = timedelta(hours=1)


def batch(call: Call) -> Response:
    """Says where each content is sent to or fetched from."""
    request = call.json()
    try:
        if request.get("operation") == "upload":
            objects = _uploads(call, lfs.read_objects(request))
        elif request.get("operation") == "download":
            objects = _downloads(call, lfs.read_objects(request))
        else:
            raise BadRequest("The operation of a batch request is upload or download.")
    except HubError as error:
        # git-lfs shows `message`, and asks for a name and a password where this header is.
        error.extra["message"] = error.message
        if isinstance(error, HiddenRepository):
            error.headers["LFS-Authenticate"] = 'Basic realm="rl_hub"'
        raise
    return JSONResponse({"transfer": "basic", "objects": objects, "hash_algo": "sha256"}, media_type=_MEDIA_TYPE)


def verify(call: Call) -> Response:
    """Says whether a content has arrived."""
    content = lfs.read_object(call.json())
    with call.hub.database.read() as connection:
        repository = catalog.find(connection, call.identity, call.kind, call.repo_id, write=True)
        upload = Upload(call.signed_in(), repository.id, content)
        if not (lfs.has_sent(connection, upload) or lfs.holds(connection, repository.id, content)):
            raise NotFound("This content has not arrived here. Start the upload again.")
    return answers.answer({})


async def receive(call: Call) -> Response:
    """Takes a content."""
    hub, oid = call.hub, call.params["oid"]
    upload = lfs.verify_upload(hub.secret, oid, call.query.get("signature", ""))
    content = upload.content
    with arrivals.transfer(hub, upload.user_id), Arrival(hub, upload.user_id, upload.repository_id) as arrival:
        await run_in_threadpool(arrival.reserve, content.size, content.oid)
        await _take(call, content, arrival)
    return answers.answer({})


async def _take(call: Call, content: LfsObject, arrival: Arrival) -> None:
    hub = call.hub
    with hub.blobs.stage() as staged:
        incoming = IncomingFile(staged, content)
        await pump(streams.pieces(call.request, content.size), incoming.write)

        def keep() -> None:
            incoming.close()
            with hub.database.write() as connection:
                arrival.keep(connection, staged)

        await run_in_threadpool(keep)


def send(call: Call) -> Response:
    """Gives a content to the holder of its signed address."""
    oid = call.params["oid"]
    download = lfs.verify_download(call.hub.secret, oid, call.query.get("signature", ""))
    with call.hub.database.read() as connection:
        room.repository(connection, download.user_id, download.repository_id, write=False)
    path = call.hub.blobs.path(oid)
    if not path.exists():
        raise NotFound("This content has been removed meanwhile.")
    headers = {"Content-Disposition": "attachment"}
    return answers.file_answer(path, etag=oid, media_type="application/octet-stream", headers=headers)


def _uploads(call: Call, contents: list[LfsObject]) -> list[dict[str, Any]]:
    limits = call.hub.settings.limits
    expires_at = clock.now() + _LIFETIME
    objects = []
    new_bytes = 0
    with call.hub.database.read() as connection:
        repository = catalog.find(connection, call.identity, call.kind, call.repo_id, write=True)
        for content in contents:
            upload = Upload(call.signed_in(), repository.id, content)
            item: dict[str, Any] = {"oid": content.oid, "size": content.size}
            objects.append(item)
            try:
                room.check_file(limits, content.size)
            except TooLarge as error:
                item["error"] = {"code": error.status, "message": error.message}
                continue
            if lfs.has_sent(connection, upload) or lfs.holds(connection, repository.id, content):
                continue
            new_bytes += content.size
            href = _href(call, content.oid, lfs.sign_upload(call.hub.secret, upload, expires_at))
            item["actions"] = {"upload": _action(href, expires_at), "verify": {"href": _verify_address(call)}}
        room.preview(connection, limits, repository, new_bytes)
    return objects


def _downloads(call: Call, contents: list[LfsObject]) -> list[dict[str, Any]]:
    expires_at = clock.now() + _LIFETIME
    objects = []
    with call.hub.database.read() as connection:
        repository = catalog.find(connection, call.identity, call.kind, call.repo_id)
        for content in contents:
            item: dict[str, Any] = {"oid": content.oid, "size": content.size}
            objects.append(item)
            if not lfs.holds(connection, repository.id, content):
                item["error"] = {"code": 404, "message": "This repository has no such file."}
                continue
            download = Download(call.identity.user_id or room.NOBODY, repository.id, content.oid)
            href = _href(call, content.oid, lfs.sign_download(call.hub.secret, download, expires_at))
            item["actions"] = {"download": _action(href, expires_at)}
    return objects


def _href(call: Call, oid: str, signature: str) -> str:
    return f"{call.base_url}/api/lfs/objects/{oid}?signature={signature}"


def _action(href: str, expires_at: datetime) -> dict[str, Any]:
    return {"href": href, "expires_at": expires_at.isoformat().replace("+00:00", "Z")}


def _verify_address(call: Call) -> str:
    return f"{call.base_url}/{_PREFIXES[call.kind]}{call.repo_id}.git/info/lfs/verify"


_PREFIXES = {"model": "", "dataset": "datasets/", "space": "spaces/"}

ROUTES = [
    *each_kind(".git/info/lfs/objects/batch", api, batch, ("POST",)),
    *each_kind(".git/info/lfs/verify", api, verify, ("POST",)),
    streaming("/api/lfs/objects/{oid:part}", receive, ("PUT",)),
    api("/api/lfs/objects/{oid:part}", send),
]
