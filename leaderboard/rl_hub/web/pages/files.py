"""Folders and files of a revision."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rl_hub.errors import EntryNotFound
from rl_hub.repositories import history, last_commits, revisions, trees
from rl_hub.repositories.history import Commit
from rl_hub.repositories.trees import Entry
from rl_hub.settings import KIB
from rl_hub.web.api.resolve import media_type
from rl_hub.web.call import Call
from rl_hub.web.pages.addresses import RepositoryAddresses
from rl_hub.web.pages.contents import read_text
from rl_hub.web.pages.differences import split_lines
from rl_hub.web.pages.headings import open_heading, show_in
from rl_hub.web.routing import each_kind, page

_LARGEST_SHOWN = 256 * KIB
_MOST_LINES = 5000
_PLAYED = {"image", "video", "audio"}
_MOST_ENTRIES = 1000


@dataclass(frozen=True)
class Item:
    """A line of a folder's page.

    Attributes:
        name: Without the folder.
        entry: What it is.
        address: Its page.
        download: Where its content is; None for a folder.
        commit: The one that changed it last; None if that was too long ago to look it up.
    """

    name: str
    entry: Entry
    address: str
    download: str | None
    commit: Commit | None


def show_folder(call: Call) -> Response:
    """A folder's page; the address of a file leads to the file's page."""
    revision, path = call.params["revision"], call.params.get("path", "").rstrip("/")
    with call.hub.database.read() as connection:
        heading = open_heading(connection, call)
        sha = revisions.resolve(connection, heading.repository, revision)
        refs = revisions.list_refs(connection, heading.repository)
        commit = history.get(connection, heading.repository.id, sha)
        try:
            entries = trees.listing(connection, heading.repository, sha, path)
        except EntryNotFound:
            trees.file_at(connection, heading.repository, sha, path)
            return RedirectResponse(heading.at.blob(revision, path))
        shown = sorted(entries, key=lambda entry: (entry.type != "directory", entry.path))[:_MOST_ENTRIES]
        last = last_commits.of_paths(connection, heading.repository.id, sha, [entry.path for entry in shown])
    return show_in(
        call,
        heading,
        "folder.html",
        tab="files",
        revision=revision,
        path=path,
        refs=refs,
        commit=commit,
        items=[_item(heading.at, revision, path, entry, last.get(entry.path)) for entry in shown],
        more=len(entries) - len(shown),
    )


def show_file(call: Call) -> Response:
    """A file's page: the text, the picture, the video, or where to get it."""
    revision, path = call.params["revision"], call.params["path"]
    with call.hub.database.read() as connection:
        heading = open_heading(connection, call)
        sha = revisions.resolve(connection, heading.repository, revision)
        refs = revisions.list_refs(connection, heading.repository)
        entry = trees.file_at(connection, heading.repository, sha, path)
    medium = media_type(path).partition("/")[0]
    text = None if medium in _PLAYED else read_text(call.hub.blobs, entry, _LARGEST_SHOWN)
    lines = split_lines(text or "")
    return show_in(
        call,
        heading,
        "file.html",
        tab="files",
        revision=revision,
        path=path,
        refs=refs,
        entry=entry,
        medium=medium if medium in _PLAYED else "other" if text is None else "text",
        lines=lines[:_MOST_LINES],
        more=max(0, len(lines) - _MOST_LINES),
        content=heading.at.content(sha, path),
        download=heading.at.content(revision, path, download=True),
    )


def _item(at: RepositoryAddresses, revision: str, folder: str, entry: Entry, commit: Commit | None) -> Item:
    is_folder = entry.type == "directory"
    return Item(
        name=entry.path.removeprefix(f"{folder}/") if folder else entry.path,
        entry=entry,
        address=at.tree(revision, entry.path) if is_folder else at.blob(revision, entry.path),
        download=None if is_folder else at.content(revision, entry.path, download=True),
        commit=commit,
    )


ROUTES: list[Route] = [
    *each_kind("/tree/{revision:part}", page, show_folder),
    *each_kind("/tree/{revision:part}/{path:rest}", page, show_folder),
    *each_kind("/blob/{revision:part}/{path:rest}", page, show_file),
]
