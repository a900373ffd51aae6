"""Git's own objects, so that the Hub's ids are git's and a clone needs no translation.

Bodies are without git's header (such as `tree 42` and a NUL), as they are stored. Serialising is dulwich's work.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from dulwich.objects import Commit, ObjectID, parse_tree, serialize_tree, sorted_tree_items

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_FILE_MODE = 0o100644
_FOLDER_MODE = 0o40000

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: keys in order, the version first, at most 1024 bytes.
_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
_POINTER_START = re.compile(rb"\s*version https?://(?:git-lfs\.github|hawser\.github|git-media)\.")
_LONGEST_POINTER = 1024


class TreeEntry(NamedTuple):
    """One name in a folder.

    Attributes:
        name: Without the folder's path.
        oid: Git's id of the file or of the folder's tree.
        is_folder: Whether it is a folder.
    """

    name: str
    oid: str
    is_folder: bool


@dataclass(frozen=True)
class StoredObject:
    """A tree or commit as it is stored.

    Attributes:
        sha: Git's id.
        data: The body.
    """

    sha: str
    data: bytes


def object_id(kind: str, data: bytes) -> str:
    """Git's id of an object.

    Args:
        kind: blob, tree or commit.
        data: Its body.
    """
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()


def tree_object(entries: Iterable[TreeEntry]) -> StoredObject:
    """A folder, whatever the order of the entries."""
    modes = {
        entry.name.encode(): (_FOLDER_MODE if entry.is_folder else _FILE_MODE, ObjectID(entry.oid.encode()))
        for entry in entries
    }
    data = b"".join(serialize_tree(sorted_tree_items(modes, name_order=False)))
    return StoredObject(object_id("tree", data), data)


def tree_entries(data: bytes) -> tuple[TreeEntry, ...]:
    """The entries of a folder, in git's order."""
    return tuple(
        TreeEntry(name.decode(), sha.decode(), mode == _FOLDER_MODE) for name, mode, sha in parse_tree(data, 20)
    )


def commit_object(
    tree: str, parent: str | None, author: str, created_at: datetime, title: str, description: str
) -> StoredObject:
    """A commit.

    Args:
        tree: The id of the root folder.
        parent: The id of the commit before it.
        author: A user's name; the address beside it is nobody's.
        created_at: When; git keeps whole seconds.
        title: The first line of the message.
        description: What follows it.
    """
    commit = Commit()
    commit.tree = ObjectID(tree.encode())
    commit.parents = [ObjectID(parent.encode())] if parent else []
    commit.author = commit.committer = f"{author} <{author}@users.noreply.invalid>".encode()
    commit.author_time = commit.commit_time = int(created_at.timestamp())
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = (f"{title}\n\n{description}" if description else title).encode() + b"\n"
    data = commit.as_raw_string()
    return StoredObject(object_id("commit", data), data)


def pointer(sha256: str, size: int) -> bytes:
    """What git has in place of a large file."""
    return _POINTER.format(sha256=sha256, size=size).encode()


def is_pointer(content: bytes) -> bool:
    """Whether git-lfs would take this content for a pointer, by a generous reading of its specification."""
    return len(content) <= _LONGEST_POINTER and _POINTER_START.match(content) is not None
