"""Commits over HTTP: what the client asks before one, and the commit itself."""

import shutil
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from rl_hub.errors import DISK_FULL, BadRequest, StorageFull, TooLarge
from rl_hub.names import check_file_path, shown
from rl_hub.repositories import catalog, commits, quotas, revisions, trees
from rl_hub.repositories.gitattributes import FILE_NAME as GITATTRIBUTES
from rl_hub.repositories.gitattributes import LfsRules
from rl_hub.repositories.gitignore import IgnoreRules
from rl_hub.repositories.operations import CommitReader, CommitRequest
from rl_hub.uploads import grants
from rl_hub.web import streams
from rl_hub.web.answers import answer
from rl_hub.web.call import Call
from rl_hub.web.routing import api, streaming

# What the client asks about at a time (`_commit_api._fetch_upload_modes`).
_MOST_FILES = 256
_LARGEST_SIZE = 2**63  # a size beyond is none, and can neither be shown nor kept
_TRUE = {"1", "true", "True"}


def preupload(call: Call) -> Response:
    """Says of each file whether it comes in the commit or is uploaded before, and what is there under its name."""
    _refuse_pull_request(call)
    body = call.json()
    files = _files(body.get("files"))
    ignored = _ignore_rules(body.get("gitIgnore"))
    limits = call.hub.settings.limits
    with call.hub.database.read() as connection:
        repository = catalog.find(connection, call.identity, call.kind, call.repo_id, write=True)
        sha = revisions.branch(connection, repository, call.params["revision"]).sha
        there = {entry.path: entry for entry in trees.entries_at(connection, repository, sha, [*files, GITATTRIBUTES])}
    # Said here, the client shows it at once. Refused later, Xet sends a large file again and again for minutes.
    if max(files.values(), default=0) > shutil.disk_usage(call.hub.settings.data).free:
        raise StorageFull(DISK_FULL)
    rules = _lfs_rules(call, there.get(GITATTRIBUTES))
    answers = []
    for path, size in files.items():
        if size > limits.file_bytes:
            raise TooLarge(
                f"{shown(path)} has {quotas.readable(size)}; {quotas.readable(limits.file_bytes)} are allowed."
            )
        entry = there.get(path)
        is_lfs = size > limits.regular_bytes or (size > 0 and rules.covers(path))
        known = {} if entry is None or entry.type != "file" else {"oid": entry.lfs or entry.oid}
        mode = "lfs" if is_lfs else "regular"
        answers.append({"path": path, "uploadMode": mode, "shouldIgnore": ignored.ignores(path), **known})
    return answer({"files": answers})


async def commit(call: Call) -> Response:
    """Makes a commit from lines of JSON, each dealt with as it arrives."""
    _refuse_pull_request(call)
    repository = await run_in_threadpool(_writable, call)
    with CommitReader(call.hub.blobs, call.hub.settings.limits) as reader:
        async for piece in streams.pieces(call.request, call.hub.settings.limits.commit_bytes):
            await run_in_threadpool(reader.feed, piece)
        return await run_in_threadpool(_finish, call, repository, reader)


def _writable(call: Call) -> catalog.Repository:
    """The repository, looked for before the body is read, so that nobody sends a gigabyte in vain."""
    with call.hub.database.read() as connection:
        repository = catalog.find(connection, call.identity, call.kind, call.repo_id, write=True)
        revisions.branch(connection, repository, call.params["revision"])
    return repository


def _finish(call: Call, repository: catalog.Repository, reader: CommitReader) -> Response:
    request: CommitRequest = reader.finish()
    committed = commits.apply(call.hub, call.identity, repository.id, call.params["revision"], request, grants.granted)
    prefix = "" if call.kind == "model" else f"{call.kind}s/"
    address = f"{call.base_url}/{prefix}{committed.repository.repo_id}/commit/{committed.sha}"
    return answer({"success": True, "commitOid": committed.sha, "commitUrl": address, "hookOutput": ""})


def _refuse_pull_request(call: Call) -> None:
    if call.query.get("create_pr") in _TRUE:
        raise BadRequest("This Hub has no pull requests. Commit to main, or create a branch and commit to that.")


def _files(value: Any) -> dict[str, int]:
    """Paths and sizes."""
    if not isinstance(value, list) or len(value) > _MOST_FILES:
        raise BadRequest(f"'files' has to be a list of {_MOST_FILES} files at most.")
    files = {}
    for file in value:
        path, size = (file.get("path"), file.get("size")) if isinstance(file, dict) else (None, None)
        if not isinstance(path, str) or not isinstance(size, int) or isinstance(size, bool):
            raise BadRequest("Each of 'files' needs its path and its size in bytes.")
        if not 0 <= size < _LARGEST_SIZE:
            raise BadRequest("Each of 'files' needs its path and its size in bytes.")
        check_file_path(path)
        files[path] = size
    return files


def _ignore_rules(value: Any) -> IgnoreRules:
    if value is not None and not isinstance(value, str):
        raise BadRequest("'gitIgnore' has to be the text of a .gitignore.")
    return IgnoreRules(value or "")


def _lfs_rules(call: Call, entry: trees.Entry | None) -> LfsRules:
    limit = call.hub.settings.limits.regular_bytes
    if entry is None or entry.type != "file" or entry.size > limit:
        return LfsRules(b"")
    return LfsRules(call.hub.blobs.read(entry.sha256, limit))


ROUTES: list[Route] = [
    api("/api/{kind:kind}/{owner:part}/{name:part}/preupload/{revision:part}", preupload, ("POST",)),
    streaming("/api/{kind:kind}/{owner:part}/{name:part}/commit/{revision:part}", commit, ("POST",)),
]
