"""Who stands on a board with which submission: kept up to date by whatever changes a submission."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, delete, select, true, tuple_, union, update

from rl_hub.database.engine import upsert
from rl_leaderboard.boards import generations
from rl_leaderboard.database.tables import LARGEST_NUMBER, assignments, evaluations, people, standings, submissions
from rl_leaderboard.rules import names
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
    _hold(connection, assignments.c.id.in_(set(assignment_ids)))


def hold_all(connection: Connection) -> None:
    """Holds every board, for whoever can only know which ones it changes by reading what others may be writing.

    Hold before you read, and before you hold single ones: two who add to what they hold may wait for each other.
    """
    _hold(connection, true())


def refresh(connection: Connection, places: Collection[Place], returning: Collection[int] = ()) -> None:
    """Finds out anew which submission of each student counts, in the transaction that changed something about it.

    A board that is frozen only loses submissions that were retracted or are gone, and no other one takes their place.

    Args:
        connection: A transaction that writes.
        places: Whose submissions have changed, and where.
        returning: Submissions that were retracted or gone until now: on a frozen board as well they take a place that
            has come free, if they came before it was frozen.
    """
    hold(connection, {place.assignment_id for place in places})
    frozen = set(connection.scalars(select(assignments.c.id).where(assignments.c.frozen_at.is_not(None))))
    moving = sorted({place for place in places if place.assignment_id not in frozen})
    for start in range(0, len(moving), _CHUNK):
        _refresh(connection, moving[start : start + _CHUNK])
    staying = sorted({place for place in places if place.assignment_id in frozen})
    for start in range(0, len(staying), _CHUNK):
        _correct(connection, staying[start : start + _CHUNK], returning)
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
    # Also those who stand there only because the board was frozen when their submissions moved on.
    known = union(
        *(
            select(table.c.source, table.c.student_key).where(table.c.assignment_id == assignment_id)
            for table in (submissions, standings)
        )
    )
    refresh(connection, [Place(assignment_id, *row) for row in connection.execute(known)])
    generations.bump(connection, [assignment_id])


def _hold(connection: Connection, which: ColumnElement[bool]) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(
            # One order for everybody, and weaker than FOR UPDATE: rows that only refer to an assignment need not wait.
            select(assignments.c.id).where(which).order_by(assignments.c.id).with_for_update(key_share=True)
        )


def _refresh(connection: Connection, places: list[Place]) -> None:
    rows = _counting(connection, places, _candidates(places))
    staying = {Place(row["assignment_id"], row["source"], row["student_key"]) for row in rows}
    gone = [place for place in places if place not in staying]
    if gone:
        connection.execute(delete(standings).where(_at(standings, gone)))
    upsert(connection, standings, rows)


def _correct(connection: Connection, places: list[Place], returning: Collection[int]) -> None:
    """Takes off frozen boards what may not stand there any more, and puts back what may again."""
    unfit = submissions.c.gone_at.is_not(None) | submissions.c.retracted_at.is_not(None)
    fallen = standings.c.submission_id.in_(select(submissions.c.id).where(_at(submissions, places), unfit))
    connection.execute(delete(standings).where(_at(standings, places), fallen))
    columns = standings.c.assignment_id, standings.c.source, standings.c.student_key
    taken = {Place(*row) for row in connection.execute(select(*columns).where(_at(standings, places)))}
    free = [place for place in places if place not in taken]
    if free and returning:
        in_time = submissions.c.received_at <= assignments.c.frozen_at
        candidates = _candidates(free).join(assignments, assignments.c.id == submissions.c.assignment_id).where(in_time)
        upsert(connection, standings, _counting(connection, free, candidates, returning))


def _counting(
    connection: Connection, places: list[Place], candidates: Select[Any], among: Collection[int] | None = None
) -> list[dict[str, Any]]:
    """The standing of each place that has a candidate."""
    rules = {row.id: row.counting for row in connection.execute(select(assignments.c.id, assignments.c.counting))}
    found: defaultdict[Place, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(candidates):
        if among is None or row.id in among:
            found[Place(row.assignment_id, row.source, row.student_key)].append(row)
    rows = []
    for place in places:
        known = {row.id: row for row in found[place]}
        chosen = counted([_candidate(row) for row in known.values()], rules[place.assignment_id])
        if chosen is not None:
            rows.append(_standing(known[chosen.submission_id], chosen))
    return rows


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
    # Else whoever has a broken agent refused would keep the rank of any claim for good.
    if row.claimed_score is not None and row.state != "failed":
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
    yield names.shown_agent(row.repo_id, row.pseudonym, row.id)
    yield row.algorithm
