"""Groups of agents that the games played so far cannot tell apart.

A rank says who has the higher score; a group says whether that means anything. Reading from the top, the first row
opens a group, and every row below it whose interval overlaps with that first row's belongs to the group; the first row
whose interval does not opens the next one. For a reader, a group says: "the evaluations do not show that the best of
these is better than any other of them". It does not say that its members are equally good, and the last of one group
and the first of the next may overlap, too: they stand apart because the first rows of their groups do. So a chain, in
which everybody overlaps with their neighbour, does not make one group of a whole board.

Intervals of 95 % that do not overlap differ at more than 95 %, so that groups err towards saying nothing. A claim has
no interval, since nobody knows how it was measured: it stands alone, and ends the group above it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Ranked(Protocol):
    """A row of a board, as far as groups are concerned."""

    @property
    def low(self) -> float | None:
        """Lower end of the score's interval; None for a claim."""

    @property
    def high(self) -> float | None:
        """Upper end; None for a claim."""


@dataclass(frozen=True)
class Group:
    """Rows that stand next to each other on a board, from a first rank to a last.

    Attributes:
        first_rank: Rank of the row that opened the group.
        last_rank: Rank of its last row.
    """

    first_rank: int
    last_rank: int

    @property
    def is_tie(self) -> bool:
        """Whether it has more than one row."""
        return self.last_rank > self.first_rank


def group(rows: Iterable[Ranked]) -> list[Group]:
    """The groups of a board; each row is in one.

    Args:
        rows: All rows of a board, or as many as there are down to some rank, in their order from rank 1 on. Without
            the rows above, nobody can say where a group began.

    Raises:
        ValueError: If a row has one end of an interval only, or its ends are not in order.
    """
    found: list[Group] = []
    opener: tuple[float, float] | None = None
    for rank, row in enumerate(rows, 1):
        interval = _interval(row)
        if opener is not None and interval is not None and _overlap(opener, interval):
            found[-1] = Group(found[-1].first_rank, rank)
        else:
            found.append(Group(rank, rank))
            opener = interval
    return found


def ties(rows: Iterable[Ranked]) -> list[Group]:
    """The groups of more than one row: what is worth keeping of a board, and what a page of it is shown with.

    Args:
        rows: See `group`.

    Raises:
        ValueError: As `group`.
    """
    return [found for found in group(rows) if found.is_tie]


def tie_at(found: Sequence[Group], rank: int) -> Group | None:
    """The tie that a row is in, wherever its page begins and whatever the page leaves out; None if it stands alone.

    Args:
        found: The ties of the whole board, as `ties` has them.
        rank: The row's rank on the whole board.
    """
    place = bisect_right(found, rank, key=lambda tie: tie.first_rank) - 1
    return found[place] if place >= 0 and rank <= found[place].last_rank else None


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _interval(row: Ranked) -> tuple[float, float] | None:
    low, high = row.low, row.high
    if low is None and high is None:
        return None
    if low is None or high is None or not low <= high:
        raise ValueError(f"From {low} to {high} is no interval.")
    return low, high
