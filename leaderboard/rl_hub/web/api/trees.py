"""Folders, files and history of a revision."""

from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from rl_hub import clock
from rl_hub.errors import BadRequest, TooLarge
from rl_hub.repositories import catalog, history, last_commits, revisions, trees
from rl_hub.repositories.catalog import Repository
from rl_hub.repositories.history import Commit
from rl_hub.repositories.trees import Entry
from rl_hub.web.answers import answer
from rl_hub.web.call import Call
from rl_hub.web.routing import api

_REPOSITORY = "/api/{kind:kind}/{owner:part}/{name:part}"
_MOST_PATHS = 1000  # in one question, as on huggingface.co
_PAGE_WITH_COMMITS = 50  # entries of a page whose last commits are asked for, as on huggingface.co
_PAGE_OF_HISTORY = 100
_TRUE = {"1", "true", "True"}


def list_tree(call: Call) -> Response:
    """What is in a folder, a page at a time."""
    expand = _is_true(call, "expand")
    longest = _PAGE_WITH_COMMITS if expand else call.hub.settings.limits.page_size
    limit, start = _number(call, "limit", longest), _number(call, "cursor", 0)
    with call.hub.database.read() as connection:
        repository, sha = _resolved(call, connection)
        path = call.params.get("path", "").strip("/")
        count, recursive = max(1, min(limit, longest)), _is_true(call, "recursive")
        # One more than is shown tells whether there is a next page.
        entries = trees.listing(
            connection, repository, sha, path, recursive=recursive, start=start, stop=start + count + 1
        )
        shown = _shown(connection, repository, sha, entries[:count], expand=expand)
    # The next page is of the same commit, wherever the branch has gone meanwhile.
    folder = f"/{quote(path, safe='')}" if path else ""
    more = {"cursor": str(start + count)} if len(entries) > count else None
    return answer(shown, headers=_next(call, f"tree/{sha}{folder}", more))


def list_paths(call: Call) -> Response:
    """What is at some paths; those at which there is nothing are left out."""
    paths, expand = _asked_paths(call)
    if len(paths) > _MOST_PATHS:
        raise TooLarge(f"Ask for {_MOST_PATHS} paths at most.")
    with call.hub.database.read() as connection:
        repository, sha = _resolved(call, connection)
        entries = trees.entries_at(connection, repository, sha, [path.strip("/") for path in paths])
        return answer(_shown(connection, repository, sha, entries, expand=expand))


def list_commits(call: Call) -> Response:
    """Commits from a revision back, a page at a time."""
    limit = max(1, min(_number(call, "limit", _PAGE_OF_HISTORY), call.hub.settings.limits.page_size))
    with call.hub.database.read() as connection:
        repository, sha = _resolved(call, connection)
        found = history.page(connection, repository.id, sha, limit)
    formatted = "formatted" in [*call.query.getlist("expand[]"), *call.query.getlist("expand")]
    following = found[-1].parent
    headers = _next(call, f"commits/{following}", {} if following else None)
    shown = [_commit(commit, formatted=formatted) for commit in found]
    return answer(shown, headers={**headers, "X-Total-Count": str(found[0].position + 1)})


def _resolved(call: Call, connection: Connection) -> tuple[Repository, str]:
    repository = catalog.find(connection, call.identity, call.kind, call.repo_id)
    return repository, revisions.resolve(connection, repository, call.params["revision"])


def _shown(
    connection: Connection, repository: Repository, sha: str, entries: Sequence[Entry], *, expand: bool
) -> list[dict[str, Any]]:
    shown = [_entry(entry) for entry in entries]
    if expand:
        changed = last_commits.of_paths(connection, repository.id, sha, [entry.path for entry in entries])
        for entry in shown:
            commit = changed.get(entry["path"])
            if commit is not None:  # otherwise it was too long ago to look it up
                entry["lastCommit"] = {"id": commit.sha, "title": commit.title, "date": clock.iso(commit.created_at)}
    return shown


def _entry(entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": entry.type, "oid": entry.oid, "size": entry.size, "path": entry.path}
    if entry.lfs is not None:
        shown["lfs"] = {"oid": entry.lfs, "size": entry.size, "pointerSize": trees.pointer_size(entry)}
    return shown


def _commit(commit: Commit, *, formatted: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": commit.sha,
        "title": commit.title,
        "message": commit.message,
        "authors": [{"user": commit.author_name}],
        "date": clock.iso(commit.created_at),
    }
    if formatted:
        shown["formatted"] = {"title": escape(commit.title), "message": escape(commit.message)}
    return shown


def _asked_paths(call: Call) -> tuple[list[str], bool]:
    """The paths of a form, as the Python client sends it, or of a JSON object, as others do."""
    if call.request.headers.get("content-type", "").startswith("application/json"):
        body = call.json()
        paths, expand = body.get("paths"), body.get("expand") is True
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise BadRequest("'paths' has to be a list of paths.")
        return paths, expand
    form = call.form()
    return form.get("paths", []), form.get("expand", [""])[0] in _TRUE


def _is_true(call: Call, name: str) -> bool:
    return call.query.get(name) in _TRUE


def _number(call: Call, name: str, otherwise: int) -> int:
    value = call.query.get(name) or str(otherwise)
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise BadRequest(f"{name!r} has to be a number, not {value!r}.")
    return int(value)


def _next(call: Call, path: str, changed: dict[str, str] | None) -> dict[str, str]:
    """The header that names the next page; `changed`: parameters that it has; None if there is no next page."""
    if changed is None:
        return {}
    kept = [(name, value) for name, value in call.query.multi_items() if name not in changed]
    query = urlencode([*kept, *changed.items()])
    address = f"{call.base_url}/api/{call.kind}s/{call.repo_id}/{path}{'?' if query else ''}{query}"
    return {"Link": f'<{address}>; rel="next"'}


ROUTES: list[Route] = [
    api(_REPOSITORY + "/tree/{revision:part}", list_tree),
    api(_REPOSITORY + "/tree/{revision:part}/{path:rest}", list_tree),
    api(_REPOSITORY + "/paths-info/{revision:part}", list_paths, ("POST",)),
    api(_REPOSITORY + "/commits/{revision:part}", list_commits),
]
