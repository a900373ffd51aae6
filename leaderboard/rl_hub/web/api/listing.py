"""Repositories as the client sees them: one, or a page of a list."""

from collections.abc import Collection, Mapping
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from rl_hub.errors import BadRequest
from rl_hub.repositories import catalog, information, quotas, revisions, search, trees
from rl_hub.web.answers import json_text
from rl_hub.web.call import Call
from rl_hub.web.routing import api

_USUAL = ("createdAt", "downloads", "likes", "private", "tags")
_USUAL_OF_MODELS = ("library_name", "pipeline_tag")
_FULL = ("author", "disabled", "gated", "lastModified", "sha", "siblings")
_OF_ONE = ("cardData", "usedStorage")
_OF_ONE_BY_KIND: Mapping[str, Collection[str]] = {"model": ("model-index", "spaces"), "dataset": (), "space": ("sdk",)}
# Properties that are not in the row of a repository.
_LOOKED_UP = ("siblings", "usedStorage")

_NEWEST = {"lastModified", "trendingScore", "downloads", "likes"}
# What this Hub has none of, so that nothing can match.
_WITHOUT_ANSWER = ("apps", "inference", "inference_provider", "num_parameters", "datasets", "models", "linked")
_MOST_TERMS = 20  # each is a condition of the query
_TRUE = {"1", "true", "True"}


def show(call: Call) -> Response:
    """One repository, at its head or at a revision."""
    limit = call.hub.settings.limits.regular_bytes
    with call.hub.database.read() as connection:
        repository = catalog.find(connection, call.identity, call.kind, call.repo_id)
        sha = revisions.resolve(connection, repository, call.params.get("revision", revisions.MAIN))
        description = information.describe(connection, call.hub.blobs, repository, sha, limit)
        wanted = _expanded(call) or [*_usual(call.kind), *_FULL, *_OF_ONE, *_OF_ONE_BY_KIND[call.kind]]
        more = {}
        if "siblings" in wanted:
            if call.query.get("blobs") in _TRUE:
                more["siblings"] = information.siblings_with_sizes(trees.all_files(connection, repository, sha))
            else:
                more["siblings"] = information.siblings(connection, [description])[repository.id]
        if "usedStorage" in wanted:
            more["usedStorage"] = str(quotas.repository_bytes(connection, repository.id))
    return json_text(information.as_json(description, wanted, more))


def list_repositories(call: Call) -> Response:
    """A page of repositories; the `Link` header says where the next one is."""
    wanted = _wanted(call)
    query = _query(call)
    if _without_answer(call):
        return json_text("[]")
    with call.hub.database.read() as connection:
        page = search.find(connection, call.identity, query)
        siblings = {}
        if "siblings" in wanted:
            siblings = information.siblings(connection, page.rows)
            page = page.first(len(siblings))
        used = {}
        if "usedStorage" in wanted:
            used = quotas.bytes_by_repository(connection, [row.id for row in page.rows])
    entries = (
        information.as_json(
            row, wanted, {"siblings": siblings.get(row.id, "[]"), "usedStorage": str(used.get(row.id, 0))}
        )
        for row in page.rows
    )
    return json_text(f"[{','.join(entries)}]", _link(call, page.cursor))


def _query(call: Call) -> search.Query:
    asked = call.query
    sort = asked.get("sort") or "lastModified"
    if sort not in _NEWEST and sort != "createdAt":
        raise BadRequest(f"Repositories cannot be sorted by {sort!r}: take lastModified or createdAt.")
    if "\0" in call.request.url.query or "%00" in call.request.url.query:
        raise BadRequest("A search cannot have a NUL character in it.")
    # Older clients send several tags as one value, separated by commas.
    tags = [tag for value in asked.getlist("filter") for tag in value.split(",") if tag]
    words = [word for value in asked.getlist("search") for word in value.split()]
    if max(len(tags), len(words)) > _MOST_TERMS:
        raise BadRequest(f"A search has {_MOST_TERMS} words and {_MOST_TERMS} tags at most.")
    return search.Query(
        kind=call.kind,
        limit=min(_limit(call), call.hub.settings.limits.page_size),
        tags=tags,
        author=asked.get("author"),
        words=words,
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


def _without_answer(call: Call) -> bool:
    """Whether something is asked for that no repository of this Hub has."""
    gated = call.query.get("gated")
    return any(name in call.query for name in _WITHOUT_ANSWER) or gated in _TRUE


def _usual(kind: str) -> list[str]:
    return [*_USUAL, *(_USUAL_OF_MODELS if kind == "model" else ())]


def _expanded(call: Call) -> list[str]:
    """The properties that were asked for one by one; those that this Hub does not know are left out."""
    asked = [name for value in call.query.getlist("expand") for name in value.split(",")]
    return [name for name in dict.fromkeys(asked) if name in information.PROPERTIES or name in _LOOKED_UP]


def _wanted(call: Call) -> list[str]:
    """The properties of each repository in a list."""
    if "expand" in call.query:
        return _expanded(call)
    is_full = call.query.get("full") in _TRUE
    wanted = [*_usual(call.kind), *(_FULL if is_full else ())]
    if call.query.get("cardData") in _TRUE or (is_full and call.kind != "model"):
        wanted.append("cardData")
    return wanted


def _link(call: Call, cursor: str | None) -> dict[str, str]:
    if cursor is None:
        return {}
    rest = [(name, value) for name, value in call.query.multi_items() if name != "cursor"]
    address = f"{call.base_url}/api/{call.kind}s?{urlencode([*rest, ('cursor', cursor)])}"
    return {"Link": f'<{address}>; rel="next"'}


ROUTES: list[Route] = [
    api("/api/{kind:kind}", list_repositories),
    api("/api/{kind:kind}/{owner:part}/{name:part}", show),
    api("/api/{kind:kind}/{owner:part}/{name:part}/revision/{revision:part}", show),
]
