"""What a check finds."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Progress = Callable[[str, int, int], None]
"""Told what is being looked at, how many of it are done, and how many there are."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Progress that nobody is told of."""


# A Hub on a dying disk can have a million: the first of them say what has happened.
MOST_PROBLEMS = 1000


@dataclass(frozen=True)
class Problem:
    """Something that is damaged.

    Attributes:
        kind: What sort of thing: blob, tree, commit, branch, card …
        what: Which one.
        sentence: What is wrong with it.
    """

    kind: str
    what: str
    sentence: str


@dataclass(frozen=True)
class Report:
    """The result of a check.

    Attributes:
        checked: How many things of each sort were looked at.
        problems: What is damaged, the first `MOST_PROBLEMS`.
        more: How many problems there are beyond these.
        garbage: How many things of each sort the next clean-up removes; no damage.
    """

    checked: Mapping[str, int]
    problems: tuple[Problem, ...]
    more: int
    garbage: Mapping[str, int]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is damaged."""
        return not self.problems


@dataclass
class Findings:
    """A report in the making.

    Attributes:
        progress: Told how far the check is.
    """

    progress: Progress
    _checked: Counter[str] = field(default_factory=Counter)
    _problems: list[Problem] = field(default_factory=list)
    _more: int = 0

    def count(self, what: str, number: int, total: int) -> None:
        """Notes that so many more things of a sort were looked at, of so many in all."""
        self._checked[what] += number
        self.progress(what, self._checked[what], total)

    def damage(self, kind: str, what: str, sentence: str) -> None:
        """Notes a problem."""
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(Problem(kind, what, sentence))
        else:
            self._more += 1

    def report(self, garbage: Mapping[str, int]) -> Report:
        """What was found."""
        return Report(dict(self._checked), tuple(self._problems), self._more, garbage)
