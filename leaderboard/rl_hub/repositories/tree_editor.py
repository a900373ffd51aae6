"""Changing a tree: only the folders on the way to a change are read and written anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rl_hub.errors import BadRequest, EntryNotFound
from rl_hub.names import collision_key, shown
from rl_hub.repositories.git_objects import StoredObject, TreeEntry, tree_object

_MOST_ENTRIES = 10_000  # of a folder, as on huggingface.co: every commit to it writes all of them anew
_MOST_FOLDERS = 100_000  # opened by one commit, which takes seconds

LoadTree = Callable[[str], Sequence[TreeEntry]]


@dataclass
class _Folder:
    """A folder that has been opened.

    Attributes:
        entries: What is in it by name; an opened folder in place of its entry.
        sha: The id of its tree before any change; None for a new one.
        changed: Whether something in it, at whatever depth, is other than before.
        has_additions: Whether a file was added in it, at whatever depth.
    """

    entries: dict[str, "TreeEntry | _Folder"] = field(default_factory=dict)
    sha: str | None = None
    changed: bool = False
    has_additions: bool = False


class TreeEditor:
    """A tree that operations change one after the other.

    Paths are as `names.check_file_path` accepts them; those to delete only have to be there.
    """

    def __init__(self, load: LoadTree, root: str) -> None:
        """Opens a tree.

        Args:
            load: Gives the entries of the tree with this id.
            root: The id of the tree to begin with.
        """
        self._load = load
        self._opened_folders = 0
        self._root = self._opened(root)
        self._added: set[str] = set()

    def add(self, path: str, oid: str) -> None:
        """Puts a file at a path, in place of the one that was there.

        Raises:
            BadRequest: If the path was added before, or a folder is where the file goes, or the other way round.
        """
        if path in self._added:
            raise BadRequest(f"This commit adds {shown(path)} twice. Add each file once.")
        self._added.add(path)
        self.replace(path, oid)

    def replace(self, path: str, oid: str) -> None:
        """The same, whether or not the path was added before.

        Raises:
            BadRequest: If a folder is where the file goes, or the other way round.
        """
        folders, name = self._walk(path, create=True)
        there = folders[-1].entries.get(name)
        if _is_folder(there) and not _is_emptied(there):
            raise BadRequest(f"{shown(path)} is a folder, so no file can have this name. Rename the file.")
        for folder in folders:
            folder.has_additions = True
        if isinstance(there, TreeEntry) and there.oid == oid:
            return
        folders[-1].entries[name] = TreeEntry(name, oid, is_folder=False)
        _mark(folders)

    def oid(self, name: str) -> str | None:
        """The id of the file of this name at the top, as things stand; None if there is no file."""
        entry = self._root.entries.get(name)
        return entry.oid if isinstance(entry, TreeEntry) and not entry.is_folder else None

    def delete_file(self, path: str) -> None:
        """Removes a file.

        Raises:
            EntryNotFound: If it is not there.
            BadRequest: If this commit added it before.
        """
        folders, name = self._walk(path)
        there = folders[-1].entries.get(name)
        if there is None or _is_folder(there):
            raise _missing(path)
        if path in self._added:
            raise _undone(path)
        del folders[-1].entries[name]
        _mark(folders)

    def delete_folder(self, path: str) -> None:
        """Removes a folder with all that is in it.

        Raises:
            EntryNotFound: If it is not there.
            BadRequest: If this commit added a file in it before.
        """
        folders, name = self._walk(path)
        there = folders[-1].entries.get(name)
        if not _is_folder(there):
            raise EntryNotFound(f"A folder with this name doesn't exist: {shown(path)}.")
        if isinstance(there, _Folder) and there.has_additions:
            raise _undone(path)
        del folders[-1].entries[name]
        _mark(folders)

    def write(self) -> tuple[str, list[StoredObject]]:
        """The id of the tree as it is now, and the folders that are new in it.

        Raises:
            BadRequest: If two names in a changed folder are the same on a file system without upper and lower case.
        """
        written: list[StoredObject] = []
        if self._root.sha is not None and not self._root.changed:
            return self._root.sha, written
        # An empty root is a tree like any other; an empty folder is not kept by git.
        root = tree_object(_written_entries(self._root, "", written))
        return root.sha, [*written, root]

    def _opened(self, sha: str | None) -> _Folder:
        """A folder that is there, or a new one."""
        self._opened_folders += 1
        if self._opened_folders > _MOST_FOLDERS:
            raise BadRequest(f"A commit may change {_MOST_FOLDERS} folders at most. Split it into several.")
        return _Folder({} if sha is None else {entry.name: entry for entry in self._load(sha)}, sha)

    def _walk(self, path: str, *, create: bool = False) -> tuple[list[_Folder], str]:
        """The opened folders from the root to where `path` is, and its last name."""
        *parents, name = path.split("/")
        folders = [self._root]
        for depth, parent in enumerate(parents):
            entries = folders[-1].entries
            there = entries.get(parent)
            if isinstance(there, TreeEntry) and there.is_folder:
                there = entries[parent] = self._opened(there.oid)
            elif there is None and create:
                there = entries[parent] = self._opened(None)
            if not isinstance(there, _Folder):
                if create:
                    raise BadRequest(
                        f"{shown('/'.join(parents[: depth + 1]))} is a file, so {shown(path)} cannot be in it. "
                        "Rename one of them."
                    )
                raise _missing(path)
            folders.append(there)
        return folders, name


def _is_folder(entry: "TreeEntry | _Folder | None") -> bool:
    return isinstance(entry, _Folder) or (entry is not None and entry.is_folder)


def _is_emptied(entry: "TreeEntry | _Folder | None") -> bool:
    """Whether it is a folder from which this commit has deleted everything."""
    return isinstance(entry, _Folder) and all(_is_emptied(inner) for inner in entry.entries.values())


def _mark(folders: list[_Folder]) -> None:
    for folder in folders:
        folder.changed = True


def _undone(path: str) -> BadRequest:
    return BadRequest(f"This commit adds to {shown(path)} and then deletes it. Do one of the two.")


def _missing(path: str) -> EntryNotFound:
    # The client looks for the first six words to tell how folders are deleted (`HfApi.create_commit`).
    return EntryNotFound(f"A file with this name doesn't exist: {shown(path)}.")


def _written_entries(folder: _Folder, path: str, written: list[StoredObject]) -> list[TreeEntry]:
    entries: list[TreeEntry] = []
    for name, entry in folder.entries.items():
        if isinstance(entry, TreeEntry):
            entries.append(entry)
        elif entry.sha is not None and not entry.changed:
            entries.append(TreeEntry(name, entry.sha, is_folder=True))
        elif inner := _written_entries(entry, f"{path}{name}/", written):
            tree = tree_object(inner)
            written.append(tree)
            entries.append(TreeEntry(name, tree.sha, is_folder=True))
    if len(entries) > _MOST_ENTRIES:
        where = f"The folder {shown(path)}" if path else "The top of the repository"
        raise BadRequest(f"{where} would have {len(entries)} entries; {_MOST_ENTRIES} are allowed. Use more folders.")
    _refuse_collisions(entries, path)
    return entries


def _refuse_collisions(entries: Sequence[TreeEntry], path: str) -> None:
    seen: dict[str, str] = {}
    for entry in entries:
        other = seen.setdefault(collision_key(entry.name), entry.name)
        if other != entry.name:
            raise BadRequest(
                f"{shown(path + entry.name)} and {shown(path + other)} are the same name on Windows and macOS, "
                "where upper and lower case or accents do not tell files apart. Rename or delete one of them."
            )
