"""Files of a revision: `resolve`, as the client downloads them, and `raw`, as git keeps them."""

import mimetypes
from email.utils import format_datetime

from starlette.responses import Response
from starlette.routing import Route

from rl_hub.repositories import catalog, git_objects, history, revisions, trees
from rl_hub.web.answers import FILE_POLICY, file_answer
from rl_hub.web.call import Call
from rl_hub.web.routing import api, each_kind

# What a browser may show by itself. Everything else, and above all HTML and SVG, is a text or a download: a file that
# somebody uploaded must never act as a page of this Hub.
_SHOWN = ("image/", "video/", "audio/")
_NEVER_SHOWN = {"image/svg+xml"}
_TEXT_SUFFIXES = (
    *(".md", ".txt", ".json", ".jsonl", ".yml", ".yaml", ".toml", ".ini", ".cfg", ".csv", ".log"),
    *(".py", ".ipynb", ".html", ".xml", ".svg", ".js", ".css", ".gitattributes", ".gitignore"),
)
_UNTYPED = "application/octet-stream"


def resolve(call: Call) -> Response:
    """A file's content, with the headers by which the client caches it."""
    entry, commit = _find(call)
    etag = entry.lfs or entry.oid
    headers = {**_headers(commit), "Content-Disposition": _disposition(call, entry.path)}
    if entry.lfs:
        headers |= {"X-Linked-Etag": f'"{entry.lfs}"', "X-Linked-Size": str(entry.size)}
    if _known(call, etag):
        return Response(status_code=304, headers={**headers, "ETag": f'"{etag}"'})
    place = call.hub.blobs.path(entry.sha256)
    return file_answer(place, etag=etag, media_type=media_type(entry.path), headers=headers)


def raw(call: Call) -> Response:
    """What git has under this path: for a large file the pointer to it."""
    entry, commit = _find(call)
    headers = _headers(commit)
    if entry.lfs:
        headers |= {"ETag": f'"{entry.oid}"', "Content-Security-Policy": FILE_POLICY}
        return Response(git_objects.pointer(entry.lfs, entry.size), headers=headers, media_type="text/plain")
    place = call.hub.blobs.path(entry.sha256)
    return file_answer(place, etag=entry.oid, media_type="text/plain; charset=utf-8", headers=headers)


def media_type(path: str) -> str:
    """What a file is served as."""
    guessed = mimetypes.guess_type(path)[0] or _UNTYPED
    if guessed.startswith(_SHOWN) and guessed not in _NEVER_SHOWN:
        return guessed
    return "text/plain; charset=utf-8" if path.lower().endswith(_TEXT_SUFFIXES) else _UNTYPED


def _find(call: Call) -> tuple[trees.Entry, history.Commit]:
    with call.hub.database.read() as connection:
        repository = catalog.find(connection, call.identity, call.kind, call.repo_id)
        sha = revisions.resolve(connection, repository, call.params["revision"])
        commit = history.get(connection, repository.id, sha)
        return trees.file_at(connection, repository, sha, call.params["path"]), commit


def _headers(commit: history.Commit) -> dict[str, str]:
    return {
        "X-Repo-Commit": commit.sha,
        "Accept-Ranges": "bytes",
        # A branch may have moved on by the next request.
        "Cache-Control": "private, no-cache",
        # Not the time of the stored content, which may be that of somebody else's upload.
        "Last-Modified": format_datetime(commit.created_at, usegmt=True),
    }


def _disposition(call: Call, path: str) -> str:
    download = "download" in call.query or media_type(path) == _UNTYPED
    return "attachment" if download else "inline"


def _known(call: Call, etag: str) -> bool:
    """Whether the client has this content already (RFC 9110, section 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in call.request.headers.get("if-none-match", "").split(",")]
    return "*" in tags or f'"{etag}"' in tags


ROUTES: list[Route] = [
    *each_kind("/resolve/{revision:part}/{path:rest}", api, resolve),
    *each_kind("/raw/{revision:part}/{path:rest}", api, raw),
]
