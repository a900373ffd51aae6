"""A page of a board in groups: a line where the threshold falls, and one where the claims begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rl_leaderboard.boards.board import BoardRow
from rl_leaderboard.web.pages.numbers import score

CLAIMS = "Claimed by their authors, not verified yet"
UNSCORED = "Without a score: none could be read, or the judge has refused the agent"


@dataclass(frozen=True)
class Line:
    """What stands between two groups.

    Attributes:
        text: What it says.
        is_threshold: Whether it is the score that passes; otherwise it says of what kind the scores below are.
    """

    text: str
    is_threshold: bool = False


@dataclass(frozen=True)
class Group:
    """Rows of one kind, below the lines that say so."""

    lines: Sequence[Line]
    rows: Sequence[BoardRow]


def group_rows(rows: Sequence[BoardRow], threshold: float | None) -> list[Group]:
    """The rows of a page in groups, in their order.

    Every page says of its first row what it has to know: the rows above it are on another page.

    Args:
        rows: In the order of the board.
        threshold: The score that passes; None if every score does.
    """

    def kind(row: BoardRow) -> tuple[str, bool]:
        below = threshold is not None and row.score is not None and row.score < threshold
        return _kind(row), below

    found: list[Group] = []
    last = ""
    for (name, below), members in groupby(rows, kind):
        lines = [Line(name)] if name and name != last else []
        if below and threshold is not None:
            lines.append(Line(f"Pass at {score(threshold)}: the scores from here on are below", is_threshold=True))
        found.append(Group(lines, list(members)))
        last = name
    return found


def _kind(row: BoardRow) -> str:
    if row.score is None:
        return UNSCORED
    return "" if row.verified else CLAIMS
