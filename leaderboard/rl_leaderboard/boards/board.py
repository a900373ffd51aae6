"""A board, a page at a time.

Pages continue from the last row of the one before (keyset), so that the last page costs what the first does. The rank
of a row is its place on the whole board, whatever is searched for.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, select, tuple_

from rl_leaderboard.boards.cursors import ORDER, Key, key_of, read_cursor, write_cursor
from rl_leaderboard.boards.records import PAGE_SIZE, BoardPage, BoardRow, Query
from rl_leaderboard.database.tables import evaluations, members, people, standings, submissions
from rl_leaderboard.errors import BadRequest
from rl_leaderboard.rules import names

__all__ = ["MOST_ROWS", "PAGE_SIZE", "BoardPage", "BoardRow", "Query"]

MOST_ROWS = 200
LONGEST_SEARCH = 100
MOST_WORDS = 6
"""Each of them is looked for in every row."""


def read_page(connection: Connection, query: Query) -> BoardPage:
    """One page.

    Raises:
        BadRequest: If a cursor is not one of ours, or `check` refuses.
    """
    check(query)
    conditions = _conditions(query)
    backwards = query.before is not None and query.after is None
    found = list(connection.execute(_page(query, conditions, _start(connection, query), backwards=backwards)))
    more = len(found) > query.limit
    found = found[: query.limit]
    if backwards:
        found.reverse()
    has_previous = more if backwards else bool(query.after or (query.rank or 1) > 1)
    has_next = backwards or more
    ranks = _ranks(connection, query, [key_of(row) for row in found])
    total = connection.scalar(select(func.count()).select_from(standings).where(*conditions)) or 0
    return BoardPage(
        rows=[_board_row(row, rank) for row, rank in zip(found, ranks, strict=True)],
        next=write_cursor(key_of(found[-1])) if found and has_next else None,
        previous=write_cursor(key_of(found[0])) if found and has_previous else None,
        total=total,
    )


def rank_of(connection: Connection, assignment_id: str, source: str, student_key: str) -> int | None:
    """Where a student stands on a board; None if not on it."""
    row = connection.execute(
        select(*ORDER).where(
            standings.c.assignment_id == assignment_id,
            standings.c.source == source,
            standings.c.student_key == student_key,
        )
    ).one_or_none()
    return None if row is None else 1 + _count_before(connection, assignment_id, key_of(row))


def rank_of_submission(connection: Connection, submission_id: int) -> int | None:
    """Where a submission stands on its board; None if it does not."""
    columns = standings.c.assignment_id, *ORDER
    row = connection.execute(select(*columns).where(standings.c.submission_id == submission_id)).first()
    return None if row is None else 1 + _count_before(connection, row.assignment_id, key_of(row))


@dataclass(frozen=True)
class Position:
    """A place on a board that reading goes on from.

    Attributes:
        rank: Rows that were passed so far, whether they were looked for or not.
        key: Of the last of them.
    """

    rank: int
    key: Key | None


START = Position(0, None)


def read_stretch(connection: Connection, query: Query, start: Position) -> tuple[list[BoardRow], Position | None]:
    """The next rows of a whole board that are looked for, whatever the page.

    Read stretch by stretch, each in its own transaction, a board of any length takes little memory and holds nobody up.
    Who leaves the board meanwhile is left out.

    Args:
        connection: A transaction.
        query: What is looked for; it has been checked.
        start: Where the stretch before has ended.

    Returns:
        The rows, perhaps none, and where to go on; None at the end of the board.
    """
    here = standings.c.assignment_id == query.assignment_id
    passed = select(*ORDER, and_(*_conditions(query)).label("wanted")).where(here).order_by(*ORDER).limit(MOST_ROWS)
    if start.key is not None:
        passed = passed.where(tuple_(*ORDER) > tuple_(*start.key))
    found = connection.execute(passed).all()
    ranks = {row.submission_id: rank for rank, row in enumerate(found, start.rank + 1) if row.wanted}
    place = select(*ORDER).where(here, standings.c.submission_id.in_(ranks))
    rows = [_board_row(row, ranks[row.submission_id]) for row in connection.execute(_with_details(place))]
    end = Position(start.rank + len(found), key_of(found[-1])) if len(found) == MOST_ROWS else None
    return sorted(rows, key=lambda row: row.rank), end


def check(query: Query) -> None:
    """Refuses what cannot be asked for.

    Raises:
        BadRequest: If a number is out of bounds, or too much is searched for.
    """
    if not 1 <= query.limit <= MOST_ROWS:
        raise BadRequest(f"A page has 1 to {MOST_ROWS} rows.")
    if len(query.search) > LONGEST_SEARCH:
        raise BadRequest(f"Search for {LONGEST_SEARCH} characters or less.")
    if len(query.search.split()) > MOST_WORDS:
        raise BadRequest(f"Search for {MOST_WORDS} words or less.")
    if query.rank is not None and not 1 <= query.rank < 2**31:
        raise BadRequest("A rank is a number from 1.")


def _conditions(query: Query) -> list[ColumnElement[bool]]:
    found = [standings.c.assignment_id == query.assignment_id]
    found += [standings.c.words.contains(word, autoescape=True) for word in query.search.lower().split()]
    if query.algorithm:
        found.append(standings.c.algorithm == query.algorithm)
    if query.library:
        found.append(standings.c.library == query.library)
    if query.verified is not None:
        found.append(standings.c.tier == 0 if query.verified else standings.c.tier > 0)
    if query.class_id is not None:
        known_as = and_(people.c.source == standings.c.source, people.c.key == standings.c.student_key)
        member = members.c.class_id == query.class_id, members.c.person_id == people.c.id, members.c.role == "student"
        found.append(exists().where(known_as, *member))
    return found


def _start(connection: Connection, query: Query) -> ColumnElement[bool] | None:
    """Where the page begins, as a condition."""
    key = tuple_(*ORDER)
    if query.after is not None:
        return key > tuple_(*read_cursor(query.after))
    if query.before is not None:
        return key < tuple_(*read_cursor(query.before))
    if query.rank is not None and query.rank > 1:
        here = select(*ORDER).where(standings.c.assignment_id == query.assignment_id).order_by(*ORDER)
        row = connection.execute(here.offset(query.rank - 1).limit(1)).one_or_none()
        return standings.c.tier < 0 if row is None else key >= tuple_(*key_of(row))
    return None


def _page(
    query: Query, conditions: list[ColumnElement[bool]], start: ColumnElement[bool] | None, *, backwards: bool
) -> Select[Any]:
    """The page's rows, found on the index of the order alone."""
    place = select(*ORDER).where(*conditions, *([] if start is None else [start]))
    order = [column.desc() if backwards else column for column in ORDER]
    rows = _with_details(place.order_by(*order).limit(query.limit + 1))
    again = [rows.selected_columns[column.name] for column in ORDER]
    return rows.order_by(*(column.desc() if backwards else column for column in again))


def _with_details(place: Select[Any]) -> Select[Any]:
    """Rows of the order with all that is shown of each."""
    found = place.subquery()
    known_as = (people.c.source == submissions.c.source) & (people.c.key == submissions.c.student_key)
    return (
        select(
            found,
            submissions,
            evaluations.c.mean.label("verified_mean"),
            evaluations.c.std.label("verified_std"),
            evaluations.c.low,
            evaluations.c.high,
            evaluations.c.n_episodes,
            evaluations.c.replay,
            people.c.id.label("person_id"),
            people.c.pseudonym,
            people.c.is_public,
        )
        .join_from(found, submissions, submissions.c.id == found.c.submission_id)
        .outerjoin(evaluations, evaluations.c.id == submissions.c.evaluation_id)
        .outerjoin(people, known_as)
    )


def _ranks(connection: Connection, query: Query, keys: list[Key]) -> list[int]:
    """The rank of each row: between two neighbours of a whole board lies nothing, between others it is counted."""
    if not keys:
        return []
    ranks = [1 + _count_before(connection, query.assignment_id, keys[0])]
    for before, key in pairwise(keys):
        between = _count_before(connection, query.assignment_id, key, before) if query.is_filtered else 1
        ranks.append(ranks[-1] + between)
    return ranks


def _count_before(connection: Connection, assignment_id: str, key: Key, start: Key | None = None) -> int:
    """Rows before one; only those from `start` on if it is given."""
    place = tuple_(*ORDER)
    counted = select(func.count()).where(standings.c.assignment_id == assignment_id, place < tuple_(*key))
    if start is not None:
        counted = counted.where(place >= tuple_(*start))
    return connection.scalar(counted) or 0


def _board_row(row: Row[Any], rank: int) -> BoardRow:
    verified, claimed = row.tier == 0, row.tier == 1
    return BoardRow(
        rank=rank,
        submission_id=row.submission_id,
        student=row.pseudonym or row.student_name,
        person_id=row.person_id,
        is_public=bool(row.is_public),
        agent=names.shown_agent(row.repo_id, row.pseudonym, row.submission_id),
        source=row.source,
        # `+ 0.0` makes 0.0 of -0.0.
        score=None if row.tier == 2 else -row.minus_score + 0.0,
        mean=row.verified_mean if verified else row.claimed_mean if claimed else None,
        std=row.verified_std if verified else row.claimed_std if claimed else None,
        low=row.low if verified else None,
        high=row.high if verified else None,
        n_episodes=row.n_episodes if verified else row.claimed_episodes if claimed else None,
        verified=verified,
        algorithm=row.algorithm,
        library=row.library,
        submitted_at=row.submitted_at,
        has_replay=row.has_replay or row.replay is not None,
        state=row.state,
        student_key=row.student_key,
    )
