"""The history of a revision, and what a commit changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from rl_hub.blobs import BlobStore
from rl_hub.errors import BadRequest
from rl_hub.repositories import history, revisions, trees
from rl_hub.repositories.catalog import Repository
from rl_hub.repositories.history import Commit
from rl_hub.repositories.trees import Entry
from rl_hub.settings import KIB
from rl_hub.web.call import Call
from rl_hub.web.pages.contents import read_text
from rl_hub.web.pages.differences import Change, ChangedFile, Line, compare_lines, find_changes
from rl_hub.web.pages.formats import date
from rl_hub.web.pages.headings import open_heading, show_in
from rl_hub.web.routing import each_kind, page

_PAGE = 30
_MOST_FILES = 500
# Files that are compared line by line, and bytes of each.
_MOST_COMPARED, _LARGEST_COMPARED = 20, 64 * KIB


@dataclass(frozen=True)
class Difference:
    """A file on the page of a commit.

    Attributes:
        path: Where it is.
        change: What happened to it.
        size: Bytes, afterwards if it still exists; None if that was not looked up.
        lines: What differs in it; None if it is not compared line by line.
    """

    path: str
    change: Change
    size: int | None
    lines: Sequence[Line] | None


def show_history(call: Call) -> Response:
    """The commits of a revision, newest first; `after` continues where a page ended."""
    revision = call.params["revision"]
    with call.hub.database.read() as connection:
        heading = open_heading(connection, call)
        head = revisions.resolve(connection, heading.repository, revision)
        refs = revisions.list_refs(connection, heading.repository)
        start = call.query.get("from", "")
        if start and not (len(start) == 40 and start.isalnum() and start.isascii()):
            raise BadRequest("The address names no commit to go on from: start from the first page.")
        commits = history.page(connection, heading.repository.id, start or head, _PAGE)
    parent = commits[-1].parent
    first = heading.at.history(revision)
    return show_in(
        call,
        heading,
        "history.html",
        tab="history",
        revision=revision,
        refs=refs,
        days=[(day, list(group)) for day, group in groupby(commits, key=lambda commit: date(commit.created_at))],
        first=first if start else None,
        next=f"{first}?from={parent}" if parent else None,
    )


def show_commit(call: Call) -> Response:
    """What a commit changed."""
    with call.hub.database.read() as connection:
        heading = open_heading(connection, call)
        repository = heading.repository
        sha = revisions.resolve(connection, repository, call.params["revision"])
        commit = history.get(connection, repository.id, sha)
        parent = history.get(connection, repository.id, commit.parent) if commit.parent else None
        changes = find_changes(parent.tree if parent else None, commit.tree, partial(trees.load, connection))
        shown = changes[:_MOST_FILES]
        before = _entries(connection, repository, parent, shown)
        after = _entries(connection, repository, commit, shown)
    differences = [
        _difference(call.hub.blobs, change, before.get(change.path), after.get(change.path), number < _MOST_COMPARED)
        for number, change in enumerate(shown)
    ]
    return show_in(
        call,
        heading,
        "commit.html",
        tab="history",
        commit=commit,
        differences=differences,
        count=len(changes),
        more=len(changes) - len(shown),
    )


def _entries(
    connection: Connection, repository: Repository, commit: Commit | None, changes: Sequence[ChangedFile]
) -> dict[str, Entry]:
    if commit is None:
        return {}
    paths = [change.path for change in changes]
    return {entry.path: entry for entry in trees.entries_at(connection, repository, commit.sha, paths)}


def _difference(
    blobs: BlobStore, change: ChangedFile, old: Entry | None, new: Entry | None, compared: bool
) -> Difference:
    """A changed file; before and after it may be missing, or a folder."""
    before, after = (entry if entry and entry.type == "file" else None for entry in (old, new))
    lines = None
    if compared:
        texts = _text(blobs, before), _text(blobs, after)
        lines = compare_lines(texts[0], texts[1]) if texts[0] is not None and texts[1] is not None else None
    entry = after or before
    return Difference(change.path, change.change, entry.size if entry else None, lines)


def _text(blobs: BlobStore, entry: Entry | None) -> str | None:
    """A side of a comparison: empty where there is no file, None where it cannot be compared."""
    return read_text(blobs, entry, _LARGEST_COMPARED) if entry else ""


ROUTES: list[Route] = [
    *each_kind("/commits/{revision:part}", page, show_history),
    *each_kind("/commit/{revision:part}", page, show_commit),
]
