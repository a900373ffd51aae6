"""What a commit changed, file by file, and line by line where both sides are short texts. Pure functions."""

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from rl_hub.repositories.git_objects import TreeEntry

MAX_LINES = 2000
"""Of a text that is compared line by line."""

_MAX_SHOWN = 400
_CONTEXT = 3

Change = Literal["added", "changed", "removed"]
LoadTrees = Callable[[Collection[str]], Mapping[str, Sequence[TreeEntry]]]
"""From ids of trees to what is in them."""


@dataclass(frozen=True)
class ChangedFile:
    """A file that differs between two revisions.

    Attributes:
        path: Where it is.
        change: What happened to it.
    """

    path: str
    change: Change


@dataclass(frozen=True)
class Line:
    """A line of a difference.

    Attributes:
        kind: "added", "removed", "same" or, for the words above a group of lines, "place".
        text: The line, without a sign.
    """

    kind: Literal["added", "removed", "same", "place"]
    text: str


def find_changes(before: str | None, after: str, load: LoadTrees) -> list[ChangedFile]:
    """Compares two root trees; folders that are the same are not looked into.

    Args:
        before: Git's id of the first tree; None for a first commit.
        after: Git's id of the second.
        load: Reads trees.

    Returns:
        The files that differ, by path.
    """
    changes: list[ChangedFile] = []
    level: list[tuple[str, str | None, str | None]] = [("", before, after)] if before != after else []
    while level:
        loaded = load({tree for _, *pair in level for tree in pair if tree})
        below = []
        for prefix, old, new in level:
            for name, older, newer in _differing(loaded, old, new):
                path = prefix + name
                below.append((f"{path}/", _folder(older), _folder(newer)))
                if _file(older) != _file(newer):
                    changes.append(ChangedFile(path, _change(_file(older), _file(newer))))
        level = [pair for pair in below if pair[1] != pair[2]]
    return sorted(changes, key=lambda change: change.path)


def compare_lines(before: str, after: str) -> list[Line] | None:
    """The lines that differ, with three of those around them.

    Returns:
        None if a text is too long to be compared.
    """
    old, new = split_lines(before), split_lines(after)
    if max(len(old), len(new)) > MAX_LINES:
        return None
    lines = list(islice(_lines(old, new), _MAX_SHOWN + 1))
    if len(lines) > _MAX_SHOWN:
        lines[-1] = Line("place", "and more")
    return lines


def split_lines(text: str) -> list[str]:
    """Lines as editors count them."""
    return text.removesuffix("\n").split("\n") if text else []


def _differing(
    loaded: Mapping[str, Sequence[TreeEntry]], old: str | None, new: str | None
) -> Iterator[tuple[str, TreeEntry | None, TreeEntry | None]]:
    """The names in two folders that do not stand for the same in both."""
    before = {entry.name: entry for entry in loaded[old]} if old else {}
    after = {entry.name: entry for entry in loaded[new]} if new else {}
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def _folder(entry: TreeEntry | None) -> str | None:
    return entry.oid if entry and entry.is_folder else None


def _file(entry: TreeEntry | None) -> str | None:
    return entry.oid if entry and not entry.is_folder else None


def _change(before: str | None, after: str | None) -> Change:
    if before is None:
        return "added"
    return "removed" if after is None else "changed"


def _lines(old: list[str], new: list[str]) -> Iterator[Line]:
    kinds: dict[str, Literal["added", "removed", "same"]] = {"+": "added", "-": "removed", " ": "same"}
    for line in islice(difflib.unified_diff(old, new, n=_CONTEXT, lineterm=""), 2, None):
        if line.startswith("@@"):
            yield Line("place", f"line {line.split('+')[1].split()[0].partition(',')[0]}")
        else:
            yield Line(kinds[line[0]], line[1:])
