"""Who stands on a board with which submission: kept up to date by whatever changes a submission."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, delete, select, tuple_, union, update

from rl_hub.database.engine import upsert
from rl_leaderboard.boards import generations
from rl_leaderboard.database.tables import LARGEST_NUMBER, assignments, evaluations, people, standings, submissions
from rl_leaderboard.rules.ranking import Candidate, Tier, counted, sort_key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Values in one IN clause; SQLite bounds the variables of a statement.
_CHUNK = 200


class Place(NamedTuple):
    """One student on one board."""

    assignment_id: str
    source: str
    student_key: str


def hold(connection: Connection, assignment_ids: Iterable[str]) -> None:
    """Keeps others from changing boards until the transaction ends; SQLite has one writer at a time anyway.

    On PostgreSQL two transactions that do not see each other's submissions could each find another one to count, and
    the one that ends last would win. What is read after this is what the one before has left.
    """
    if connection.dialect.name == "postgresql":
        here = assignments.c.id.in_(set(assignment_ids))
        connection.execute(
            # One order for everybody, and weaker than FOR UPDATE: rows that only refer to an assignment need not wait.
            select(assignments.c.id).where(here).order_by(assignments.c.id).with_for_update(key_share=True)
        )


def refresh(connection: Connection, places: Collection[Place]) -> None:
    """Finds out anew which submission of each student counts, in the transaction that changed something about it.

    Boards that are frozen stay as they are.
    """
    hold(connection, {place.assignment_id for place in places})
    frozen = set(connection.scalars(select(assignments.c.id).where(assignments.c.frozen_at.is_not(None))))
    moving = sorted({place for place in places if place.assignment_id not in frozen})
    for start in range(0, len(moving), _CHUNK):
        _refresh(connection, moving[start : start + _CHUNK])
    generations.bump(connection, {place.assignment_id for place in places})


def reword(connection: Connection, places: Collection[Place]) -> None:
    """Changes what a search finds rows by, on frozen boards as well: names that are no longer shown find nothing."""
    known_as = (people.c.source == submissions.c.source) & (people.c.key == submissions.c.student_key)
    query = (
        select(standings.c.submission_id, submissions, people.c.pseudonym)
        .join_from(standings, submissions, submissions.c.id == standings.c.submission_id)
        .outerjoin(people, known_as)
        .where(_at(standings, sorted(set(places))))
    )
    for row in connection.execute(query).all():
        here = standings.c.submission_id == row.submission_id
        connection.execute(update(standings).where(here).values(words=" ".join(_words(row)).lower()))


def rebuild(connection: Connection, assignment_id: str) -> None:
    """Makes a board anew."""
    # Also those who stand there only because the board was frozen when their submissions left.
    known = union(
        *(
            select(table.c.source, table.c.student_key).where(table.c.assignment_id == assignment_id)
            for table in (submissions, standings)
        )
    )
    refresh(connection, [Place(assignment_id, *row) for row in connection.execute(known)])
    generations.bump(connection, [assignment_id])


def _refresh(connection: Connection, places: list[Place]) -> None:
    rules = {row.id: row.counting for row in connection.execute(select(assignments.c.id, assignments.c.counting))}
    found: defaultdict[Place, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(_candidates(places)):
        found[Place(row.assignment_id, row.source, row.student_key)].append(row)
    rows = []
    for place in places:
        candidates = {row.id: row for row in found[place]}
        chosen = counted([_candidate(row) for row in candidates.values()], rules[place.assignment_id])
        if chosen is not None:
            rows.append(_standing(candidates[chosen.submission_id], chosen))
    staying = {Place(row["assignment_id"], row["source"], row["student_key"]) for row in rows}
    gone = [place for place in places if place not in staying]
    if gone:
        connection.execute(delete(standings).where(_at(standings, gone)))
    upsert(connection, standings, rows)


def _candidates(places: list[Place]) -> Select[Any]:
    """Submissions that may count, with their verified figures and the student's name as others see it."""
    known_as = (people.c.source == submissions.c.source) & (people.c.key == submissions.c.student_key)
    return (
        select(
            submissions,
            evaluations.c.score.label("verified_score"),
            evaluations.c.mean.label("verified_mean"),
            people.c.pseudonym,
        )
        .outerjoin(evaluations, evaluations.c.id == submissions.c.evaluation_id)
        .outerjoin(people, known_as)
        .where(_at(submissions, places))
        .where(submissions.c.gone_at.is_(None), submissions.c.retracted_at.is_(None), ~submissions.c.over_quota)
    )


def _at(table: Table, places: list[Place]) -> ColumnElement[bool]:
    """The rows of places; SQLite finds single columns in an index, and whole keys by reading everything."""
    assignment_ids, sources, student_keys = ({place[column] for place in places} for column in range(3))
    near = table.c.assignment_id.in_(assignment_ids) & table.c.source.in_(sources)
    near &= table.c.student_key.in_(student_keys)
    return near & tuple_(table.c.assignment_id, table.c.source, table.c.student_key).in_(places)


def _candidate(row: Row[Any]) -> Candidate:
    tier, score, mean = _figures(row)
    microseconds = (row.submitted_at - _EPOCH) // timedelta(microseconds=1)
    return Candidate(row.id, tier, score, mean, microseconds, row.declared_at is not None)


def _figures(row: Row[Any]) -> tuple[Tier, float | None, float | None]:
    if row.verified_score is not None:
        return 0, row.verified_score, row.verified_mean
    if row.claimed_score is not None:
        return 1, row.claimed_score, row.claimed_mean
    return 2, None, None


def _standing(row: Row[Any], chosen: Candidate) -> dict[str, Any]:
    tier, minus_score, minus_mean, submitted_us, _ = sort_key(
        chosen.tier, chosen.score, chosen.mean, chosen.submitted_us, chosen.submission_id
    )
    return {
        "assignment_id": row.assignment_id,
        "source": row.source,
        "student_key": row.student_key,
        "submission_id": row.id,
        "tier": tier,
        # Without a score they are infinite: the table takes the largest number in their place.
        "minus_score": min(minus_score, LARGEST_NUMBER),
        "minus_mean": min(minus_mean, LARGEST_NUMBER),
        "submitted_us": submitted_us,
        "algorithm": row.algorithm,
        "library": row.library,
        "words": " ".join(_words(row)).lower(),
    }


def _words(row: Row[Any]) -> Iterator[str]:
    """What a search finds a row by: never the name of somebody who has a pseudonym."""
    yield row.pseudonym or row.student_name
    yield row.repo_id if row.pseudonym is None else row.repo_id.partition("/")[2]
    yield row.algorithm
