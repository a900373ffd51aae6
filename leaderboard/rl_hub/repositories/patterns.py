"""The patterns of `.gitignore` and `.gitattributes`, matched in bounded time.

Whoever writes a pattern chooses what it costs: with git's wildcards turned into one regular expression, a few stars
suffice to keep a server busy for minutes. Here every star takes the first place that fits and keeps it, which decides
the same and never backtracks into earlier stars.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dulwich.wildmatch import MalformedPattern, translate_bracket_expression

LONGEST = 1024  # bytes; no path is longer

_ANY_FOLDERS = re.compile(rb"\*\*+")
_NEVER = re.compile(rb"(?!)")
_SPACE = b"[[:space:]]"
_SPECIAL = re.compile(rb"([*?\[\]\\])")
_ESCAPED = re.compile(rb"\\(.)")
_WILD = re.compile(rb"(?<!\\)[*?\[]")


@dataclass(frozen=True)
class Pattern:
    """A line of git's wildcards.

    Attributes:
        parts: What stands between slashes: a compiled expression, or None for `**`.
        anchored: Whether it matches from the top; otherwise it is one part that matches a name in any folder.
        folders_only: Whether it ended in a slash.
    """

    parts: tuple[re.Pattern[bytes] | None, ...]
    anchored: bool
    folders_only: bool

    def cost(self, depth: int) -> int:
        """Names that are compared with a path of this many names, at most."""
        if not self.anchored:
            return 1
        return depth * len(self.parts) if None in self.parts else min(depth, len(self.parts))

    def matches(self, path: bytes) -> bool:
        """Whether it matches a path (without a slash at either end)."""
        names = path.split(b"/")
        return self._match(names if self.anchored else names[-1:])

    def _match(self, names: Sequence[bytes]) -> bool:
        """Compares part by part, going back to the last `**` at most."""
        part = name = 0
        resume_part = resume_name = -1
        while name < len(names):
            expression = self.parts[part] if part < len(self.parts) else _NEVER
            if expression is None:
                resume_part, resume_name = part, name
                part += 1
            elif expression.fullmatch(names[name]):
                part += 1
                name += 1
            elif resume_part >= 0:
                resume_name += 1
                part, name = resume_part + 1, resume_name
            else:
                return False
        # What is left over has matched nothing: "a/**" is all that is in a, not a itself.
        return part == len(self.parts)


def parse(line: bytes) -> Pattern | None:
    """Compiles a pattern.

    Args:
        line: The pattern alone, without negation or attributes.

    Returns:
        None if it can match nothing, or is longer than any path.
    """
    if len(line) > LONGEST:
        return None
    folders_only = line.endswith(b"/")
    line = line.removesuffix(b"/")
    anchored = b"/" in line
    line = line.removeprefix(b"/")
    if not line:
        return None
    try:
        parts = tuple(None if part is None else _compile(part) for part in _parts(line))
    except (MalformedPattern, re.error):
        return None
    return Pattern(parts, anchored, folders_only)


def literal(line: bytes) -> bytes | None:
    """The one path that an anchored pattern without wildcards matches; None for other patterns."""
    if b"/" not in line:
        return None
    path = _ESCAPED.sub(rb"\1", line.replace(_SPACE, b" ")).removeprefix(b"/")
    return None if _WILD.search(line.replace(_SPACE, b" ")) else path


def escape(path: str) -> bytes:
    """The pattern that matches this path and no other."""
    return b"/" + _SPECIAL.sub(rb"\\\1", path.encode()).replace(b" ", _SPACE)


def _parts(line: bytes) -> list[bytes | None]:
    """What stands between slashes: None for `**`, of which several in a row are one."""
    parts: list[bytes | None] = []
    for part in line.split(b"/"):
        if not _ANY_FOLDERS.fullmatch(part):
            parts.append(part)
        elif parts[-1:] != [None]:
            parts.append(None)
    return parts


def _compile(part: bytes) -> re.Pattern[bytes]:
    """One part as an expression: each star is bound to what follows it, up to the next star."""
    pieces: list[bytes] = [b""]
    place = 0
    while place < len(part):
        letter = part[place : place + 1]
        place += 1
        if letter == b"*":
            pieces.append(b"")
        elif letter == b"[":
            place, expression = translate_bracket_expression(part, place)
            pieces[-1] += expression
        elif letter == b"?":
            pieces[-1] += b"."
        else:
            if letter == b"\\" and place < len(part):
                letter = part[place : place + 1]
                place += 1
            pieces[-1] += re.escape(letter)
    first, *middle = pieces
    if not middle:
        return re.compile(first, re.DOTALL)
    last = middle.pop()
    bound = b"".join(b"(?>.*?" + piece + b")" for piece in middle if piece)
    return re.compile(first + bound + b".*" + last, re.DOTALL)
