"""Files and folders of a revision.

Trees never change, so that what was read of one is kept for the next request, up to a bound.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

from sqlalchemy import Connection, select

from rl_hub.database.tables import files, git_objects
from rl_hub.errors import EntryNotFound
from rl_hub.names import shown
from rl_hub.repositories import history
from rl_hub.repositories.catalog import Repository
from rl_hub.repositories.git_objects import TreeEntry, pointer, tree_entries

_ASKED_AT_ONCE = 1000  # ids in a query
_KEPT_ENTRIES = 50_000  # in all trees together; about 15 MB
_LARGEST_KEPT = 10_000  # entries of one tree
_NAMELESS = 20  # characters that a path costs beside itself
_QUERY = 50  # entries that could be read in the time that asking for a tree takes


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder of a revision.

    Attributes:
        path: From the top of the repository.
        type: file or directory.
        oid: Git's id; for a large file that of its pointer.
        size: Bytes of the content; 0 for a folder.
        sha256: The content's; empty for a folder.
        lfs: The same for a large file (sent by LFS or Xet), None for others.
    """

    path: str
    type: Literal["file", "directory"]
    oid: str
    size: int = 0
    sha256: str = ""
    lfs: str | None = None


class _KeptTrees:
    """The entries of trees by id, those used last; shared by all threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._trees: OrderedDict[str, Sequence[TreeEntry]] = OrderedDict()
        self._entries = 0

    def find(self, shas: Iterable[str]) -> dict[str, Sequence[TreeEntry]]:
        """Those that are kept."""
        found = {}
        with self._lock:
            for sha in shas:
                if sha in self._trees:
                    self._trees.move_to_end(sha)
                    found[sha] = self._trees[sha]
        return found

    def keep(self, trees: Mapping[str, Sequence[TreeEntry]]) -> None:
        """Adds trees, in place of those that nobody asked for the longest."""
        with self._lock:
            for sha, entries in trees.items():
                if sha not in self._trees and len(entries) <= _LARGEST_KEPT:
                    self._trees[sha] = entries
                    self._entries += len(entries) + 1
            while self._entries > _KEPT_ENTRIES:
                self._entries -= len(self._trees.popitem(last=False)[1]) + 1


_kept = _KeptTrees()
_MOST_COUNTED = 100_000
_counted: dict[str, int] = {}
"""The numbers of files below trees, which never change; begun anew when there are too many."""


def load(connection: Connection, shas: Collection[str]) -> dict[str, Sequence[TreeEntry]]:
    """The entries of trees, by the trees' ids."""
    found = _kept.find(shas)
    missing = [sha for sha in dict.fromkeys(shas) if sha not in found]
    read = {}
    for batch in _batches(missing):
        query = select(git_objects.c.sha, git_objects.c.data).where(git_objects.c.sha.in_(batch))
        read.update({row.sha: tree_entries(row.data) for row in connection.execute(query)})
    _kept.keep(read)
    return found | read


class TreeReader:
    """Looks paths up in one tree after the other.

    A folder is read once, however many paths lead into it, and not again where the next tree has it unchanged.

    Attributes:
        work: Entries read so far, with what it takes to ask for them.
    """

    def __init__(self, connection: Connection) -> None:
        self.work = 0
        self._connection = connection
        self._folders: dict[str, Mapping[str, TreeEntry]] = {}

    def find(self, tree: str, paths: Iterable[str]) -> dict[str, TreeEntry]:
        """What is at each path below a tree; paths at which there is nothing are left out."""
        kept, self._folders = self._folders, {}
        found: dict[str, TreeEntry] = {}
        waiting = {path: (tree, path.split("/")) for path in paths}
        while waiting:
            self._open({folder for folder, _ in waiting.values()}, kept)
            below = {}
            for path, (folder, (name, *rest)) in waiting.items():
                entry = self._folders[folder].get(name)
                if entry is not None and not rest:
                    found[path] = entry
                elif entry is not None and entry.is_folder:
                    below[path] = (entry.oid, rest)
            waiting = below
        return found

    def _open(self, shas: Collection[str], kept: Mapping[str, Mapping[str, TreeEntry]]) -> None:
        self._folders.update((sha, kept[sha]) for sha in shas if sha in kept)
        new = load(self._connection, [sha for sha in shas if sha not in self._folders])
        self._folders.update((sha, {entry.name: entry for entry in entries}) for sha, entries in new.items())
        self.work += sum(len(entries) + _QUERY for entries in new.values())


def listing(
    connection: Connection,
    repository: Repository,
    sha: str,
    path: str = "",
    *,
    recursive: bool = False,
    start: int = 0,
    stop: int | None = None,
) -> Sequence[Entry]:
    """What is in a folder.

    Args:
        connection: Any transaction.
        repository: The repository.
        sha: A commit of it.
        path: The folder; the top if empty.
        recursive: Whether what is in its folders is listed too.
        start: How many of them are left out at the beginning.
        stop: Where the list ends; None for all.

    Returns:
        Files and folders by path, a folder before what is in it.

    Raises:
        EntryNotFound: If there is no such folder.
    """
    commit = history.get(connection, repository.id, sha)
    tree = entry_in(connection, commit.tree, path) if path else TreeEntry("", commit.tree, is_folder=True)
    if tree is None or not tree.is_folder:
        raise EntryNotFound(f"{repository.repo_id} has no folder {shown(path)} at this revision.")
    entries = _listed(connection, tree.oid, f"{path}/" if path else "", recursive=recursive)
    return _described(connection, entries[start:stop])


def file_at(connection: Connection, repository: Repository, sha: str, path: str) -> Entry:
    """The file at a path.

    Args:
        connection: Any transaction.
        repository: The repository.
        sha: A commit of it.
        path: From the top.

    Raises:
        EntryNotFound: If there is no such file.
    """
    commit = history.get(connection, repository.id, sha)
    found = entry_in(connection, commit.tree, path)
    if found is None or found.is_folder:
        raise EntryNotFound(f"{repository.repo_id} has no file {shown(path)} at this revision.")
    return _described(connection, [(path, found)])[0]


def entries_at(connection: Connection, repository: Repository, sha: str, paths: Collection[str]) -> Sequence[Entry]:
    """The files and folders at these paths; paths at which there is nothing are left out."""
    tree = history.get(connection, repository.id, sha).tree
    found = TreeReader(connection).find(tree, paths)
    return _described(connection, [(path, found[path]) for path in dict.fromkeys(paths) if path in found])


def all_files(connection: Connection, repository: Repository, sha: str) -> Sequence[Entry]:
    """Every file of a commit, by path."""
    entries = listing(connection, repository, sha, recursive=True)
    return [entry for entry in entries if entry.type == "file"]


def file_names(connection: Connection, roots: Collection[str], longest: int) -> dict[str, list[str]] | None:
    """The paths of all files in many trees at once.

    Args:
        connection: Any transaction.
        roots: Ids of root trees.
        longest: Characters that all paths may have together, with a bit for each path itself. A single root
            may have any number.

    Returns:
        For each root the paths in it, sorted; None if there are more than that in several roots.
    """
    room = longest if len(roots) > 1 else None
    names: dict[str, list[str]] = {root: [] for root in roots}
    level = [(root, "", root) for root in names]
    while level:
        trees = load(connection, [tree for _, _, tree in level])
        below = []
        for root, prefix, tree in level:
            if room is not None:
                room -= sum(len(prefix) + len(entry.name) + _NAMELESS for entry in trees[tree])
                if room < 0:
                    return None
            for entry in trees[tree]:
                if entry.is_folder:
                    below.append((root, f"{prefix}{entry.name}/", entry.oid))
                else:
                    names[root].append(prefix + entry.name)
        level = below
    return {root: sorted(paths) for root, paths in names.items()}


def count_files(connection: Connection, tree: str) -> int:
    """The number of files below a tree; only folders that were not counted before are read."""
    counted: dict[str, int] = {}

    def is_new(sha: str) -> bool:
        if (count := _counted.get(sha)) is not None:
            counted[sha] = count
        return sha not in counted

    levels: list[dict[str, Sequence[TreeEntry]]] = []
    waiting = {tree} if is_new(tree) else set()
    while waiting:
        levels.append(load(connection, waiting))
        folders = (entry.oid for entries in levels[-1].values() for entry in entries if entry.is_folder)
        waiting = set(filter(is_new, folders))
    for level in reversed(levels):
        for sha, entries in level.items():
            counted[sha] = sum(counted[entry.oid] if entry.is_folder else 1 for entry in entries)
    if len(_counted) > _MOST_COUNTED:
        _counted.clear()
    _counted.update(counted)
    return counted[tree]


def pointer_size(entry: Entry) -> int:
    """Bytes of what git has in place of a large file."""
    return len(pointer(entry.sha256, entry.size))


def entry_in(connection: Connection, tree: str, path: str) -> TreeEntry | None:
    """What is at a path below a tree; None if there is nothing."""
    return TreeReader(connection).find(tree, [path]).get(path)


def _listed(connection: Connection, tree: str, prefix: str, *, recursive: bool) -> list[tuple[str, TreeEntry]]:
    """Paths with their entries, sorted; level by level, so that a level is few queries."""
    found: list[tuple[str, TreeEntry]] = []
    level = [(prefix, tree)]
    while level:
        trees = load(connection, [sha for _, sha in level])
        new = [(outer + entry.name, entry) for outer, sha in level for entry in trees[sha]]
        found += new
        level = [(f"{path}/", entry.oid) for path, entry in new if entry.is_folder] if recursive else []
    # A slash sorts before every letter that a name may have but a few; as the lowest it keeps folders together.
    return sorted(found, key=lambda each: each[0].replace("/", "\0"))


def _described(connection: Connection, entries: Sequence[tuple[str, TreeEntry]]) -> list[Entry]:
    """Entries with the sizes and contents of files."""
    contents: dict[str, Any] = {}
    for batch in _batches([entry.oid for _, entry in entries if not entry.is_folder]):
        contents.update(
            {row.git_oid: row for row in connection.execute(select(files).where(files.c.git_oid.in_(batch)))}
        )
    described = []
    for path, entry in entries:
        if entry.is_folder:
            described.append(Entry(path, "directory", entry.oid))
        else:
            content = contents[entry.oid]
            lfs = content.sha256 if content.lfs else None
            described.append(Entry(path, "file", entry.oid, content.size, content.sha256, lfs))
    return described


def _batches(shas: Sequence[str]) -> Iterator[Sequence[str]]:
    different = list(dict.fromkeys(shas))
    return (different[start : start + _ASKED_AT_ONCE] for start in range(0, len(different), _ASKED_AT_ONCE))
