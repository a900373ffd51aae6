"""Which rows of a board the games played so far do not tell apart; `rules.ties` says what that means."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection, select

from rl_leaderboard.boards.cursors import ORDER
from rl_leaderboard.boards.records import BoardRow
from rl_leaderboard.database.tables import evaluations, standings, submissions
from rl_leaderboard.rules import ties
from rl_leaderboard.rules.ties import Group

MOST_ROWS = 1000
"""Verified rows, from the first rank on, that are grouped: a few milliseconds, where all of 100,000 take most of a
second, after every change of the board."""


class _Interval(NamedTuple):
    low: float | None
    high: float | None


def read_ties(connection: Connection, assignment_id: str) -> Sequence[Group]:
    """The ties of a board, in their order, among its first `MOST_ROWS` verified rows.

    Rows further down are in none, and the last tie may end there although the next rows belong to it: what it says of
    its own ranks is true all the same.
    """
    intervals = (
        select(evaluations.c.low, evaluations.c.high)
        # A frozen board keeps a row whose evaluation is gone: it has a rank, and no interval.
        .join_from(standings, submissions, submissions.c.id == standings.c.submission_id)
        .outerjoin(evaluations, evaluations.c.id == submissions.c.evaluation_id)
        .where(standings.c.assignment_id == assignment_id, standings.c.tier == 0)
        .order_by(*ORDER)
        .limit(MOST_ROWS)
    )
    return ties.ties(_Interval(*row) for row in connection.execute(intervals))


def mark(rows: Sequence[BoardRow], found: Sequence[Group]) -> list[BoardRow]:
    """Rows of a board with the ties that they are in.

    Args:
        rows: Some of the board's rows; their ranks are those on the whole board.
        found: The ties of the board, see `read_ties`.
    """
    return [_marked(row, ties.tie_at(found, row.rank)) for row in rows]


def _marked(row: BoardRow, tie: Group | None) -> BoardRow:
    return row if tie is None else replace(row, tied_from=tie.first_rank, tied_to=tie.last_rank)
