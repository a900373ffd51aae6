"""A board, a page at a time.

Pages continue from the last row of the one before (keyset), so that the last page costs what the first does. The rank
of a row is its place on the whole board, whatever is searched for.
"""

import base64
import binascii
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, select, tuple_

from rl_leaderboard.database.tables import evaluations, members, people, standings, submissions
from rl_leaderboard.errors import BadRequest

PAGE_SIZE = 50
MOST_ROWS = 200
LONGEST_SEARCH = 100
Key = tuple[int, float, float, int, int]
_ORDER = (
    standings.c.tier,
    standings.c.minus_score,
    standings.c.minus_mean,
    standings.c.submitted_us,
    standings.c.submission_id,
)


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Attributes:
        assignment_id: Whose board.
        limit: Rows of a page.
        search: Words that all have to be in the student's or the agent's name.
        algorithm: Only this one.
        library: Only this one.
        verified: True for verified scores only, False for claims only.
        class_id: Only members of this class.
        after: The cursor of the row before the page.
        before: The cursor of the row behind the page.
        rank: The rank at which the page starts; instead of a cursor.
    """

    assignment_id: str
    limit: int = PAGE_SIZE
    search: str = ""
    algorithm: str = ""
    library: str = ""
    verified: bool | None = None
    class_id: int | None = None
    after: str | None = None
    before: str | None = None
    rank: int | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether rows of the board may be missing."""
        return bool(self.search or self.algorithm or self.library) or self.verified is not None or bool(self.class_id)


@dataclass(frozen=True)
class BoardRow:
    """An agent on a board.

    Attributes:
        rank: From 1.
        submission_id: The submission that counts.
        student: The name or the pseudonym.
        person_id: The person, if there is an account.
        is_public: Whether the student's page may be seen by others.
        agent: The repository's name; with its owner unless the student has a pseudonym.
        source: The Hub.
        score: What the board ranks by; None without one.
        mean: Mean return.
        std: Standard deviation of the returns.
        low: Lower end of the score's interval, for verified scores.
        high: Upper end.
        n_episodes: Episodes, if known.
        verified: Whether our judge has measured it.
        algorithm: As the card calls it.
        library: As the card calls it.
        submitted_at: The commit's time.
        has_replay: Whether there is a video.
        state: Of the submission.
        student_key: Whose row it is, for "where am I".
    """

    rank: int
    submission_id: int
    student: str
    person_id: int | None
    is_public: bool
    agent: str
    source: str
    score: float | None
    mean: float | None
    std: float | None
    low: float | None
    high: float | None
    n_episodes: int | None
    verified: bool
    algorithm: str
    library: str
    submitted_at: datetime
    has_replay: bool
    state: str
    student_key: str


@dataclass(frozen=True)
class BoardPage:
    """Rows of a board, and the cursors of the pages beside it; None where there is none."""

    rows: Sequence[BoardRow]
    next: str | None
    previous: str | None
    total: int


def read_page(connection: Connection, query: Query) -> BoardPage:
    """One page.

    Raises:
        BadRequest: If a cursor is not one of ours, or a number is out of bounds.
    """
    _check(query)
    conditions = _conditions(query)
    backwards = query.before is not None and query.after is None
    found = list(connection.execute(_page(query, conditions, _start(connection, query), backwards=backwards)))
    more = len(found) > query.limit
    found = found[: query.limit]
    if backwards:
        found.reverse()
    has_previous = more if backwards else bool(query.after or (query.rank or 1) > 1)
    has_next = backwards or more
    ranks = _ranks(connection, query, [_key(row) for row in found])
    total = connection.scalar(select(func.count()).select_from(standings).where(*conditions)) or 0
    return BoardPage(
        rows=[_board_row(row, rank) for row, rank in zip(found, ranks, strict=True)],
        next=_cursor(_key(found[-1])) if found and has_next else None,
        previous=_cursor(_key(found[0])) if found and has_previous else None,
        total=total,
    )


def rank_of(connection: Connection, assignment_id: str, source: str, student_key: str) -> int | None:
    """Where a student stands on a board; None if not on it."""
    row = connection.execute(
        select(*_ORDER).where(
            standings.c.assignment_id == assignment_id,
            standings.c.source == source,
            standings.c.student_key == student_key,
        )
    ).one_or_none()
    return None if row is None else 1 + _count_before(connection, assignment_id, _key(row))


def choices(connection: Connection, assignment_id: str) -> tuple[list[str], list[str]]:
    """The algorithms and the libraries on a board, each in the order of the alphabet."""

    def different(column: ColumnElement[str]) -> list[str]:
        here = select(column).where(standings.c.assignment_id == assignment_id, column != "").distinct()
        return list(connection.scalars(here.order_by(column).limit(100)))

    return different(standings.c.algorithm), different(standings.c.library)


def _check(query: Query) -> None:
    if not 1 <= query.limit <= MOST_ROWS:
        raise BadRequest(f"A page has 1 to {MOST_ROWS} rows.")
    if len(query.search) > LONGEST_SEARCH:
        raise BadRequest(f"Search for {LONGEST_SEARCH} characters or less.")
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
    key = tuple_(*_ORDER)
    if query.after is not None:
        return key > tuple_(*_parse(query.after))
    if query.before is not None:
        return key < tuple_(*_parse(query.before))
    if query.rank is not None and query.rank > 1:
        here = select(*_ORDER).where(standings.c.assignment_id == query.assignment_id).order_by(*_ORDER)
        row = connection.execute(here.offset(query.rank - 1).limit(1)).one_or_none()
        return standings.c.tier < 0 if row is None else key >= tuple_(*_key(row))
    return None


def _page(
    query: Query, conditions: list[ColumnElement[bool]], start: ColumnElement[bool] | None, *, backwards: bool
) -> Select[Any]:
    """The page's rows, found on the index of the order alone, with all that is shown of each."""
    place = select(*_ORDER).where(*conditions, *([] if start is None else [start]))
    place = place.order_by(*(column.desc() if backwards else column for column in _ORDER)).limit(query.limit + 1)
    found = place.subquery()
    known_as = (people.c.source == submissions.c.source) & (people.c.key == submissions.c.student_key)
    order = [found.c[column.name] for column in _ORDER]
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
        .order_by(*(column.desc() if backwards else column for column in order))
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
    place = tuple_(*_ORDER)
    counted = select(func.count()).where(standings.c.assignment_id == assignment_id, place < tuple_(*key))
    if start is not None:
        counted = counted.where(place >= tuple_(*start))
    return connection.scalar(counted) or 0


def _key(row: Any) -> Key:
    return row.tier, row.minus_score, row.minus_mean, row.submitted_us, row.submission_id


def _board_row(row: Row[Any], rank: int) -> BoardRow:
    verified = row.tier == 0
    return BoardRow(
        rank=rank,
        submission_id=row.submission_id,
        student=row.pseudonym or row.student_name,
        person_id=row.person_id,
        is_public=bool(row.is_public),
        agent=row.repo_id if row.pseudonym is None else row.repo_id.partition("/")[2],
        source=row.source,
        # `+ 0.0` makes 0.0 of -0.0.
        score=None if row.tier == 2 else -row.minus_score + 0.0,
        mean=row.verified_mean if verified else row.claimed_mean,
        std=row.verified_std if verified else row.claimed_std,
        low=row.low,
        high=row.high,
        n_episodes=row.n_episodes if verified else row.claimed_episodes,
        verified=verified,
        algorithm=row.algorithm,
        library=row.library,
        submitted_at=row.submitted_at,
        has_replay=row.has_replay or row.replay is not None,
        state=row.state,
        student_key=row.student_key,
    )


def _cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def _parse(cursor: str) -> Key:
    try:
        text = base64.urlsafe_b64decode(cursor[:200] + "=" * (-len(cursor[:200]) % 4))
        tier, score, mean, microseconds, number = json.loads(text)
        key = int(tier), float(score), float(mean), int(microseconds), int(number)
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        raise BadRequest("This cursor is not known: start from the first page.") from None
    whole = all(abs(part) < 2**62 for part in (key[0], key[3], key[4]))
    if not whole or not math.isfinite(key[1]) or not math.isfinite(key[2]):
        raise BadRequest("This cursor is not known: start from the first page.")
    return key
