"""Answers: JSON, errors as the client understands them, and files."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from rl_hub.errors import HubError

# A stored file is never a page of this Hub, whatever is in it.
FILE_POLICY = "sandbox; default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'"


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A value as JSON."""
    return JSONResponse(value, status, dict(headers) if headers else None)


def json_text(text: str, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that is text already."""
    return Response(text, media_type="application/json", headers=dict(headers) if headers else None)


def error_answer(request: Request, error: HubError) -> Response:
    """An error with the headers by which the client tells errors apart; plain text where it asks for that."""
    headers = {**_message_header(error.message, is_only=request.method == "HEAD"), **error.headers}
    if error.code:
        headers["X-Error-Code"] = error.code
    if request.headers.get("accept", "").startswith("text/plain"):
        return PlainTextResponse(error.message, error.status, headers)
    return JSONResponse({"error": error.message, **error.extra}, error.status, headers)


async def shown(request: Request, error: HubError) -> Response:
    """An error outside of any route: a page for people, data for programs."""
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/"):
        page: Response = await run_in_threadpool(request.app.state.error_page, request, error)
        return page
    return error_answer(request, error)


_ONE_RANGE = re.compile(rb"bytes=(\d{1,18}-\d{0,18}|-\d{1,18})")


class StoredFile(FileResponse):
    """A file of the blob store: Range, HEAD and conditional requests, in pieces of a megabyte.

    One range of bytes is served; anything else that is asked for in `Range` gets the whole file, as RFC 9110, section
    14.2 allows.
    """

    chunk_size = 2**20

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers."""
        headers = [(name, value) for name, value in scope["headers"] if name != b"range" or _ONE_RANGE.fullmatch(value)]
        await super().__call__({**scope, "headers": headers}, receive, send)


def file_answer(path: Path, *, etag: str, media_type: str, headers: Mapping[str, str]) -> Response:
    """A stored file.

    Args:
        path: Where it is.
        etag: What stands in the ETag header, without its quotes; it has to change with the content.
        media_type: What it is served as.
        headers: More headers.
    """
    every = {"ETag": f'"{etag}"', "Content-Security-Policy": FILE_POLICY, **headers}
    return StoredFile(path, headers=every, media_type=media_type, stat_result=path.stat())


def _message_header(message: str, *, is_only: bool) -> dict[str, str]:
    """The message as a header, which holds one line of ASCII.

    The client shows the header and the body, once if they agree. So where ASCII is not enough, the body speaks alone,
    unless there is none.
    """
    line = " ".join(message.split())
    fits = line.isascii() and line.isprintable()
    if fits or is_only:
        return {"X-Error-Message": "".join(letter if " " <= letter <= "~" else "?" for letter in line)}
    return {}


def compact(value: Any) -> str:
    """JSON without blanks."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
