"""Which paths git-lfs is responsible for, by the `.gitattributes` at the top of a repository.

Neither macros nor the files of inner folders are looked at: a path that only those cover gets a line of its own, which
is right as well.
"""

from collections.abc import Iterable, Iterator

from rl_hub.repositories.patterns import LONGEST, Pattern, escape, literal, parse

FILE_NAME = ".gitattributes"

_LFS = b"filter=lfs diff=lfs merge=lfs -text"
# Nor are later wildcards: each costs a comparison with every file of a commit.
_MOST_WILDCARDS = 200
# Bytes of all of them; compiling these takes a tenth of a second.
_LONGEST_WILDCARDS = 32 * 1024


class LfsRules:
    """The rules of one `.gitattributes`.

    Attributes:
        content: The file.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._literals: dict[bytes, tuple[int, bool]] = {}
        self._wildcards: list[tuple[int, Pattern, bool]] = []
        room = _LONGEST_WILDCARDS
        for number, (line, is_lfs) in enumerate(_rules(content)):
            path = literal(line)
            if path is not None:
                self._literals[path] = (number, is_lfs)
            elif len(line) <= LONGEST and len(line) <= room and len(self._wildcards) < _MOST_WILDCARDS:
                room -= len(line)
                pattern = parse(line)
                if pattern is not None and not pattern.folders_only:
                    self._wildcards.append((number, pattern, is_lfs))

    def covers(self, path: str) -> bool:
        """Whether git-lfs handles this file: the last rule that matches decides."""
        encoded = path.encode()
        last, is_lfs = self._literals.get(encoded, (-1, False))
        for number, pattern, answer in reversed(self._wildcards):
            if number < last:
                break
            if pattern.matches(encoded):
                return answer
        return is_lfs

    def with_paths(self, paths: Iterable[str]) -> bytes:
        """The file with a line for each of these paths at its end."""
        lines = b"".join(escape(path) + b" " + _LFS + b"\n" for path in paths)
        separator = b"" if not self.content or self.content.endswith(b"\n") else b"\n"
        return self.content + separator + lines


def _rules(content: bytes) -> Iterator[tuple[bytes, bool]]:
    """Patterns that say something about the filter, and whether it is LFS."""
    for line in content.splitlines():
        if line.startswith((b"#", b"[attr]", b"!")):  # a comment, a macro, or what git refuses
            continue
        words = line.split()
        filters = [word for word in words[1:] if word.lstrip(b"-!").split(b"=")[0] == b"filter"]
        if filters:
            yield words[0], filters[-1] == b"filter=lfs"
