"""Repositories over HTTP: created, moved, hidden and deleted; their branches, tags and access."""

from typing import Any, get_args

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from rl_hub.errors import BadRequest, Conflict
from rl_hub.events import feed
from rl_hub.events.payloads import UpdatedRef
from rl_hub.names import split_repo_id
from rl_hub.repositories import catalog, revisions
from rl_hub.repositories.catalog import Kind, Repository
from rl_hub.repositories.operations import is_clean
from rl_hub.repositories.revisions import NamedCommit, RefKind
from rl_hub.web.answers import answer
from rl_hub.web.call import Call
from rl_hub.web.routing import api

_REPOSITORY = "/api/{kind:kind}/{owner:part}/{name:part}"
_LONGEST_MESSAGE = 10_000  # characters of what is said of a tag


def create(call: Call) -> Response:
    """Creates a repository; if there is one of this name, the answer says where."""
    call.signed_in()
    body = call.json()
    kind, owner_name, name = _named(call, body)
    private = _private(body) or False
    try:
        with call.hub.database.write() as connection:
            repository = catalog.create(connection, call.identity, kind, owner_name, name, private=private)
    except Conflict as error:
        error.extra["url"] = _address(call, kind, error.extra.pop("repo_id"))
        raise
    call.hub.wake()
    repo_id = repository.repo_id
    return answer({"url": _address(call, kind, repo_id), "name": repo_id, "id": str(repository.id), "private": private})


def delete(call: Call) -> Response:
    """Deletes a repository."""
    call.signed_in()
    kind, owner_name, name = _named(call, call.json())
    with call.hub.database.write() as connection:
        database, repo_id = call.hub.database, f"{owner_name}/{name}"
        repository = catalog.find_locked(database, connection, call.identity, kind, repo_id, manage=True)
        catalog.remove(connection, repository)
    call.hub.wake()
    return answer({})


def move(call: Call) -> Response:
    """Renames a repository, or gives it to another account."""
    call.signed_in()
    body = call.json()
    old, new = "/".join(split_repo_id(_text(body, "fromRepo"))), _text(body, "toRepo")
    with call.hub.database.write() as connection:
        database, kind = call.hub.database, _kind(body)
        repository = catalog.find_locked(database, connection, call.identity, kind, old, manage=True)
        moved = catalog.move(connection, call.identity, repository, new)
    call.hub.wake()
    return answer({"url": _address(call, moved.kind, moved.repo_id)})


def update_settings(call: Call) -> Response:
    """Hides or shows a repository."""
    call.signed_in()
    body = call.json()
    if body.get("gated") not in (None, False):
        raise BadRequest("This Hub has no gated repositories. Make it private, and add people to an organisation.")
    private = _private(body)
    with call.hub.database.write() as connection:
        repository = _locked(call, connection, manage=True)
        if private is not None:
            repository = catalog.set_private(connection, repository, private=private)
    call.hub.wake()
    return answer({"private": repository.private, "visibility": "private" if repository.private else "public"})


def check_access(call: Call) -> Response:
    """Says that this person may read the repository, or why not."""
    return _checked(call, write=False)


def check_write_access(call: Call) -> Response:
    """Says that this person may commit to the repository, or why not."""
    return _checked(call, write=True)


def list_refs(call: Call) -> Response:
    """Branches and tags."""
    with call.hub.database.read() as connection:
        repository = catalog.find(connection, call.identity, call.kind, call.repo_id)
        found = revisions.list_refs(connection, repository)
    shown: dict[str, list[dict[str, str]]] = {"branches": [], "tags": [], "converts": []}
    for ref in found:
        place = "branches" if ref.kind == "branch" else "tags"
        shown[place].append({"name": ref.name, "ref": ref.ref, "targetCommit": ref.sha})
    if "include_prs" in call.query:
        shown["pullRequests"] = []
    return answer(shown)


def create_branch(call: Call) -> Response:
    """Adds a branch at a revision, main if none is named."""
    start = call.json().get("startingPoint") if call.body.strip() else None
    if start is not None and not isinstance(start, str):
        raise BadRequest("'startingPoint' has to be a revision.")
    return _create_ref(call, "branch", call.params["revision"], start or revisions.MAIN, None)


def create_tag(call: Call) -> Response:
    """Adds a tag at a revision."""
    body = call.json()
    message = body.get("message")
    is_text = isinstance(message, str) and len(message) <= _LONGEST_MESSAGE and is_clean(message)
    if message is not None and not is_text:
        raise BadRequest(f"The message of a tag is a text of {_LONGEST_MESSAGE} characters at most.")
    return _create_ref(call, "tag", _text(body, "tag"), call.params["revision"], message)


def delete_branch(call: Call) -> Response:
    """Removes a branch."""
    return _delete_ref(call, "branch")


def delete_tag(call: Call) -> Response:
    """Removes a tag."""
    return _delete_ref(call, "tag")


def _checked(call: Call, *, write: bool) -> Response:
    with call.hub.database.read() as connection:
        catalog.find(connection, call.identity, call.kind, call.repo_id, write=write)
    return answer({"message": "OK"})


def _create_ref(call: Call, kind: RefKind, name: str, start: str, message: str | None) -> Response:
    with call.hub.database.write() as connection:
        repository = _locked(call, connection, write=True)
        sha = revisions.resolve(connection, repository, start)
        ref = NamedCommit(kind, name, sha, message)
        revisions.create(connection, repository, ref)
        feed.record(connection, "update", "repo.content", repository, [UpdatedRef(ref.ref, None, sha)])
    call.hub.wake()
    return answer({"name": name, "ref": ref.ref, "targetCommit": sha}, 201)


def _delete_ref(call: Call, kind: RefKind) -> Response:
    with call.hub.database.write() as connection:
        repository = _locked(call, connection, write=True)
        ref = revisions.remove(connection, repository, kind, call.params["revision"])
        feed.record(connection, "update", "repo.content", repository, [UpdatedRef(ref.ref, ref.sha, None)])
    call.hub.wake()
    return answer({})


def _locked(call: Call, connection: Connection, *, write: bool = False, manage: bool = False) -> Repository:
    """The repository of the address, which nobody else changes meanwhile."""
    return catalog.find_locked(
        call.hub.database, connection, call.identity, call.kind, call.repo_id, write=write, manage=manage
    )


def _named(call: Call, body: dict[str, Any]) -> tuple[Kind, str, str]:
    """The kind, owner and name in a body; without an owner it is the sender."""
    name, owner = _text(body, "name"), body.get("organization")
    if owner is None and "/" in name:
        owner, name = split_repo_id(name)
    if owner is not None and not isinstance(owner, str):
        raise BadRequest("'organization' has to be the name of a user or an organisation.")
    return _kind(body), owner or call.identity.name, name


def _kind(body: dict[str, Any]) -> Kind:
    kinds: tuple[Kind, ...] = get_args(Kind)
    asked = body.get("type") or "model"
    for kind in kinds:
        if kind == asked:
            return kind
    raise BadRequest("'type' has to be model, dataset or space.")


def _private(body: dict[str, Any]) -> bool | None:
    """Whether a body asks for a private repository; older clients say `private`, newer ones `visibility`."""
    visibility, private = body.get("visibility"), body.get("private")
    if visibility not in (None, "public", "private"):
        raise BadRequest("'visibility' has to be public or private.")
    if private is not None and not isinstance(private, bool):
        raise BadRequest("'private' has to be true or false.")
    return visibility == "private" if visibility is not None else private


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name!r} is missing.")
    return value


def _address(call: Call, kind: Kind, repo_id: str) -> str:
    prefix = "" if kind == "model" else f"{kind}s/"
    return f"{call.base_url}/{prefix}{repo_id}"


ROUTES: list[Route] = [
    api("/api/repos/create", create, ("POST",)),
    api("/api/repos/delete", delete, ("DELETE",)),
    api("/api/repos/move", move, ("POST",)),
    api(_REPOSITORY + "/settings", update_settings, ("PUT",)),
    api(_REPOSITORY + "/auth-check", check_access),
    api(_REPOSITORY + "/auth-check/write", check_write_access),
    api(_REPOSITORY + "/refs", list_refs),
    api(_REPOSITORY + "/branch/{revision:part}", create_branch, ("POST",)),
    api(_REPOSITORY + "/branch/{revision:part}", delete_branch, ("DELETE",)),
    api(_REPOSITORY + "/tag/{revision:part}", create_tag, ("POST",)),
    api(_REPOSITORY + "/tag/{revision:part}", delete_tag, ("DELETE",)),
]
