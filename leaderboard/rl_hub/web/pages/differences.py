"""What a commit changed, file by file, and line by line where both sides are short texts."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

MAX_LINES = 2000
"""Of a text that is compared line by line; difflib's time grows with the product of both lengths."""

_MAX_SHOWN = 400
_CONTEXT = 3

Change = Literal["added", "changed", "removed"]


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


def changed_files(before: Mapping[str, str], after: Mapping[str, str]) -> list[ChangedFile]:
    """Compares two revisions.

    Args:
        before: Path to id of every file; empty for a first commit.
        after: The same afterwards.

    Returns:
        The files that differ, by path.
    """
    return [
        ChangedFile(path, _change(path, before, after))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


def _change(path: str, before: Mapping[str, str], after: Mapping[str, str]) -> Change:
    if path not in before:
        return "added"
    return "changed" if path in after else "removed"


def compare_lines(before: str, after: str) -> list[Line] | None:
    """The lines that differ, with three of those around them.

    Returns:
        None if a text is too long to be compared.
    """
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > MAX_LINES:
        return None
    lines = list(islice(_lines(old, new), _MAX_SHOWN + 1))
    if len(lines) > _MAX_SHOWN:
        lines[-1] = Line("place", "and more")
    return lines


def _lines(old: list[str], new: list[str]) -> Iterator[Line]:
    kinds: dict[str, Literal["added", "removed", "same", "place"]] = {"+": "added", "-": "removed", " ": "same"}
    for line in islice(difflib.unified_diff(old, new, n=_CONTEXT, lineterm=""), 2, None):
        if line.startswith("@@"):
            yield Line("place", line.strip("@ "))
        else:
            yield Line(kinds[line[0]], line[1:])
