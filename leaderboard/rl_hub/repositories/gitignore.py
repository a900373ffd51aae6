"""Which files of a folder its `.gitignore` keeps out of a commit."""

from collections.abc import Iterator

from rl_hub.errors import BadRequest
from rl_hub.repositories.patterns import Pattern, parse

_MOST_RULES = 300
_LONGEST = 64 * 1024  # characters; compiling these takes a fifth of a second
# Names compared for one request: a second or so, whatever the rules.
_MOST_COMPARED = 2_000_000


class IgnoreRules:
    """The rules of one `.gitignore` at the top of a repository."""

    def __init__(self, text: str) -> None:
        """Reads the file.

        Raises:
            BadRequest: If it is longer, or has more rules, than is compared in reasonable time.
        """
        if len(text) > _LONGEST:
            raise BadRequest(f".gitignore may have {_LONGEST} characters at most. Shorten it.")
        self._rules = list(_rules(text))
        if len(self._rules) > _MOST_RULES:
            raise BadRequest(f".gitignore may have {_MOST_RULES} rules at most. Shorten it.")
        self._compared = 0
        self._folders: dict[bytes, bool] = {b"": False}

    def ignores(self, path: str) -> bool:
        """Whether a file is kept out: by a rule for it, or because a folder that it is in is.

        Raises:
            BadRequest: If all files so far have taken more comparisons than one request may.
        """
        encoded = path.encode()
        return self._ignores_folder(encoded.rpartition(b"/")[0]) or self._decides(encoded, is_folder=False)

    def _ignores_folder(self, path: bytes) -> bool:
        if path not in self._folders:
            outer = self._ignores_folder(path.rpartition(b"/")[0])
            self._folders[path] = outer or self._decides(path, is_folder=True)
        return self._folders[path]

    def _decides(self, path: bytes, *, is_folder: bool) -> bool:
        """What the last rule that matches says."""
        depth = path.count(b"/") + 1
        for pattern, ignored in reversed(self._rules):
            if is_folder or not pattern.folders_only:
                self._compared += pattern.cost(depth)
                if self._compared > _MOST_COMPARED:
                    raise BadRequest(
                        "The rules of .gitignore are too many for files in so many folders. Use fewer rules with a "
                        "slash, or upload fewer files at a time."
                    )
                if pattern.matches(path):
                    return ignored
        return False


def _rules(text: str) -> Iterator[tuple[Pattern, bool]]:
    for line in text.removeprefix("\N{BYTE ORDER MARK}").splitlines():
        rule = line.rstrip(" ")
        if rule.endswith("\\") and rule != line:
            rule += " "
        ignored = not rule.startswith("!")
        pattern = None if rule.startswith("#") else parse(rule.removeprefix("!").encode())
        if pattern is not None:
            yield pattern, ignored
