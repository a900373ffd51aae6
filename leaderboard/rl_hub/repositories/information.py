"""What the API tells about a repository, property by property.

Properties are JSON text: cards are kept as such and are spliced into answers as they are. With 1,000 cards in a page,
parsing and writing them again would take most of the time.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, select

from rl_hub import cards, clock
from rl_hub.blobs import BlobStore
from rl_hub.database.tables import commits, repository_cards
from rl_hub.repositories import card_index, history, trees
from rl_hub.repositories.catalog import Repository
from rl_hub.repositories.trees import Entry
from rl_hub.settings import MIB

# Characters of all names of files in one answer. A page ends where more would follow.
_LONGEST_NAMES = 16 * MIB


class Described(Protocol):
    """A repository with its card: a row of `search.find`, or a `Description`."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def kind(self) -> str:
        """model, dataset or space."""

    @property
    def owner_name(self) -> str:
        """The account that it belongs to."""

    @property
    def name(self) -> str:
        """Its name there."""

    @property
    def private(self) -> bool:
        """Whether others may not see it."""

    @property
    def created_at(self) -> datetime:
        """When it was made."""

    @property
    def last_modified(self) -> datetime:
        """The time of the commit."""

    @property
    def sha(self) -> str:
        """The commit."""

    @property
    def data(self) -> str | None:
        """The card's metadata as JSON."""

    @property
    def tags(self) -> str | None:
        """The tags as JSON."""

    @property
    def library_name(self) -> str | None:
        """The library."""

    @property
    def pipeline_tag(self) -> str | None:
        """The task."""


@dataclass(frozen=True)
class Description:
    """A repository at one revision, see `Described`."""

    id: int
    kind: str
    owner_name: str
    name: str
    private: bool
    created_at: datetime
    last_modified: datetime
    sha: str
    data: str | None
    tags: str | None
    library_name: str | None
    pipeline_tag: str | None


# The Hub counts neither downloads nor likes, and gates nothing.
PROPERTIES: Mapping[str, Callable[[Described], str]] = {
    "author": lambda of: f'"{of.owner_name}"',
    "cardData": lambda of: of.data or "{}",
    "createdAt": lambda of: f'"{clock.iso(of.created_at)}"',
    "disabled": lambda _: "false",
    "downloads": lambda _: "0",
    "downloadsAllTime": lambda _: "0",
    "gated": lambda _: "false",
    "lastModified": lambda of: f'"{clock.iso(of.last_modified)}"',
    "library_name": lambda of: json.dumps(of.library_name),
    "likes": lambda _: "0",
    "model-index": lambda of: json.dumps(json.loads(of.data or "{}").get("model-index")),
    "pipeline_tag": lambda of: json.dumps(of.pipeline_tag),
    "private": lambda of: "true" if of.private else "false",
    "sdk": lambda of: json.dumps(json.loads(of.data or "{}").get("sdk")),
    "sha": lambda of: f'"{of.sha}"',
    "spaces": lambda _: "[]",
    "tags": lambda of: of.tags or "[]",
    "trendingScore": lambda _: "0",
}


def describe(connection: Connection, blobs: BlobStore, repository: Repository, sha: str, limit: int) -> Description:
    """A repository at a commit; at the head from what is kept for listings.

    Args:
        connection: Any transaction.
        blobs: The contents of files.
        repository: The repository.
        sha: A commit of it.
        limit: Bytes of the largest README.md that is looked at.
    """
    if sha == repository.sha:
        row = connection.execute(
            select(repository_cards).where(repository_cards.c.repository_id == repository.id)
        ).one()
        return _description(repository, sha, repository.last_modified, dict(row._mapping))
    commit = history.get(connection, repository.id, sha)
    card = card_index.read(connection, blobs, commit.tree, limit)
    index = cards.index(card, repository.kind)
    return _description(repository, sha, commit.created_at, card_index.as_columns(index))


def as_json(of: Described, wanted: Iterable[str], more: Mapping[str, str]) -> str:
    """A repository as a JSON object.

    Args:
        of: The repository.
        wanted: The properties, each in `PROPERTIES` or in `more`.
        more: Further properties as JSON text.
    """
    # Names of accounts and repositories hold nothing that JSON would escape.
    repo_id = f"{of.owner_name}/{of.name}"
    members = [f'"_id":"{of.id:024x}","id":"{repo_id}"']
    if of.kind == "model":
        members.append(f'"modelId":"{repo_id}"')
    members += [f'"{name}":{more[name] if name in more else PROPERTIES[name](of)}' for name in wanted]
    return f"{{{','.join(members)}}}"


def siblings(connection: Connection, rows: Sequence[Described]) -> dict[int, str]:
    """The names of the files of many repositories, as the JSON of `siblings` by the repositories' ids.

    Returns:
        As many of the first rows as one answer has room for, but one at least.
    """
    wanted = {row.id: row.sha for row in rows}
    query = select(commits.c.repository_id, commits.c.sha, commits.c.tree).where(
        commits.c.repository_id.in_(wanted), commits.c.sha.in_(set(wanted.values()))
    )
    trees_of = {
        row.repository_id: row.tree for row in connection.execute(query) if wanted[row.repository_id] == row.sha
    }
    roots = [trees_of[row.id] for row in rows]
    names = trees.file_names(connection, set(roots), _LONGEST_NAMES)
    while names is None:
        roots = roots[: len(roots) // 2]
        names = trees.file_names(connection, set(roots), _LONGEST_NAMES)
    texts = {root: json.dumps([{"rfilename": name} for name in paths]) for root, paths in names.items()}
    found: dict[int, str] = {}
    room = _LONGEST_NAMES
    for row, root in zip(rows, roots, strict=False):
        room -= len(texts[root])
        if found and room < 0:
            break
        found[row.id] = texts[root]
    return found


def siblings_with_sizes(entries: Iterable[Entry]) -> str:
    """The same of one repository, with sizes and ids (`files_metadata=True`)."""
    return json.dumps(
        [{"rfilename": entry.path, "size": entry.size, "blobId": entry.oid, **_lfs(entry)} for entry in entries]
    )


def _lfs(entry: Entry) -> dict[str, object]:
    if entry.lfs is None:
        return {}
    return {"lfs": {"sha256": entry.lfs, "size": entry.size, "pointerSize": trees.pointer_size(entry)}}


def _description(repository: Repository, sha: str, modified: datetime, card: Mapping[str, Any]) -> Description:
    return Description(
        id=repository.id,
        kind=repository.kind,
        owner_name=repository.owner_name,
        name=repository.name,
        private=repository.private,
        created_at=repository.created_at,
        last_modified=modified,
        sha=sha,
        data=card["data"],
        tags=card["tags"],
        library_name=card["library_name"],
        pipeline_tag=card["pipeline_tag"],
    )
