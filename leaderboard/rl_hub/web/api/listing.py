"""`GET /api/models`, `/api/datasets` and `/api/spaces`: lists of repositories, a page at a time.

Cards are kept as JSON text, and spliced into the answer as they are: with 1,000 cards in a page, parsing and writing
them again would take most of the time.
"""

import json
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from rl_hub import clock
from rl_hub.errors import BadRequest
from rl_hub.repositories import search, trees
from rl_hub.web.answers import json_text
from rl_hub.web.call import Call
from rl_hub.web.routing import api

# Each property as JSON text, from a row of `search.find`. The Hub counts neither downloads nor likes.
_PROPERTIES: dict[str, Callable[[Any], str]] = {
    "author": lambda row: f'"{row.owner_name}"',
    "cardData": lambda row: row.data or "{}",
    "createdAt": lambda row: f'"{clock.iso(row.created_at)}"',
    "disabled": lambda _: "false",
    "downloads": lambda _: "0",
    "downloadsAllTime": lambda _: "0",
    "gated": lambda _: "false",
    "lastModified": lambda row: f'"{clock.iso(row.last_modified)}"',
    "library_name": lambda row: json.dumps(row.library_name),
    "likes": lambda _: "0",
    "model-index": lambda row: json.dumps(json.loads(row.data or "{}").get("model-index")),
    "pipeline_tag": lambda row: json.dumps(row.pipeline_tag),
    "private": lambda row: "true" if row.private else "false",
    "sha": lambda row: f'"{row.sha}"',
    "tags": lambda row: row.tags or "[]",
    "trendingScore": lambda _: "0",
}
_USUAL = ("createdAt", "downloads", "likes", "private", "tags")
_USUAL_OF_MODELS = ("library_name", "pipeline_tag")
_FULL = ("author", "disabled", "gated", "lastModified", "sha", "siblings")
_NEWEST = {"lastModified", "trendingScore", "downloads", "likes"}
# Files are looked up for each repository, so that such pages are shorter.
_PAGE_WITH_FILES = 100
_TRUE = {"1", "true", "True"}


def list_repositories(call: Call) -> Response:
    """A page of repositories; the `Link` header says where the next one is."""
    wanted = _wanted(call)
    query = _query(call, wanted)
    with call.hub.database.read() as connection:
        page = search.find(connection, call.identity, query)
        files = {}
        if "siblings" in wanted:
            files = {row.id: _siblings(trees.all_files(connection, row.sha)) for row in page.rows}
    entries = (_entry(row, wanted, files) for row in page.rows)
    return json_text(f"[{','.join(entries)}]", _link(call, page.cursor))


def _query(call: Call, wanted: Collection[str]) -> search.Query:
    asked = call.query
    longest = _PAGE_WITH_FILES if "siblings" in wanted else call.hub.settings.limits.page_size
    sort = asked.get("sort") or "lastModified"
    if sort not in _NEWEST and sort != "createdAt":
        raise BadRequest(f"Repositories cannot be sorted by {sort!r}: take lastModified or createdAt.")
    return search.Query(
        kind=call.kind,
        limit=min(_limit(call), longest),
        # Older clients send several tags as one value, separated by commas.
        tags=[tag for value in asked.getlist("filter") for tag in value.split(",") if tag],
        author=asked.get("author"),
        words=[word for value in asked.getlist("search") for word in value.split()],
        pipeline_tag=asked.get("pipeline_tag"),
        oldest_first=asked.get("direction", "-1") != "-1",
        by_creation=sort == "createdAt",
        cursor=asked.get("cursor"),
    )


def _limit(call: Call) -> int:
    value = call.query.get("limit") or str(call.hub.settings.limits.page_size)
    if not (value.isascii() and value.isdigit() and int(value[:9]) > 0):
        raise BadRequest(f"A limit is a positive number, not {value!r}.")
    return int(value[:9])


def _wanted(call: Call) -> list[str]:
    """The properties that were asked for; those that this Hub does not know are left out, as the client expects."""
    asked = call.query
    expanded = [name for value in asked.getlist("expand") for name in value.split(",")]
    if expanded:
        return [name for name in dict.fromkeys(expanded) if name in _PROPERTIES or name == "siblings"]
    wanted = [*_USUAL, *(_USUAL_OF_MODELS if call.kind == "model" else ())]
    if asked.get("full") in _TRUE:
        wanted += _FULL
    if asked.get("cardData") in _TRUE or (asked.get("full") in _TRUE and call.kind != "model"):
        wanted.append("cardData")
    return wanted


def _entry(row: Any, wanted: Collection[str], files: dict[int, str]) -> str:
    """A repository as JSON text. Names of accounts and repositories hold nothing that JSON would escape."""
    repo_id = f"{row.owner_name}/{row.name}"
    members = [f'"_id":"{row.id:024x}","id":"{repo_id}"']
    if row.kind == "model":
        members.append(f'"modelId":"{repo_id}"')
    members += [f'"{name}":{files[row.id] if name == "siblings" else _PROPERTIES[name](row)}' for name in wanted]
    return f"{{{','.join(members)}}}"


def _siblings(entries: Collection[trees.Entry]) -> str:
    return json.dumps([{"rfilename": entry.path} for entry in entries])


def _link(call: Call, cursor: str | None) -> dict[str, str]:
    if cursor is None:
        return {}
    rest = [(name, value) for name, value in call.query.multi_items() if name != "cursor"]
    address = f"{call.base_url}/api/{call.kind}s?{urlencode([*rest, ('cursor', cursor)])}"
    return {"Link": f'<{address}>; rel="next"'}


ROUTES: list[Route] = [api("/api/{kind:kind}", list_repositories)]
