"""Who stands on a board with which submission: kept up to date by whatever changes a submission."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, delete, select, tuple_

from rl_hub.database.engine import upsert
from rl_leaderboard.boards import generations
from rl_leaderboard.database.tables import assignments, evaluations, people, standings, submissions
from rl_leaderboard.rules.ranking import Candidate, Tier, counted, sort_key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Values in one IN clause; SQLite bounds the variables of a statement.
_CHUNK = 200


class Place(NamedTuple):
    """One student on one board."""

    assignment_id: str
    source: str
    student_key: str


def refresh(connection: Connection, places: Collection[Place]) -> None:
    """Finds out anew which submission of each student counts, in the transaction that changed something about it.

    Boards that are frozen stay as they are.
    """
    frozen = set(connection.scalars(select(assignments.c.id).where(assignments.c.frozen_at.is_not(None))))
    moving = sorted({place for place in places if place.assignment_id not in frozen})
    for start in range(0, len(moving), _CHUNK):
        _refresh(connection, moving[start : start + _CHUNK])
    generations.bump(connection, {place.assignment_id for place in places})


def rebuild(connection: Connection, assignment_id: str) -> None:
    """Makes a board anew."""
    here = submissions.c.assignment_id == assignment_id
    known = select(submissions.c.source, submissions.c.student_key).where(here).distinct()
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
    mine = tuple_(standings.c.assignment_id, standings.c.source, standings.c.student_key)
    staying = {Place(row["assignment_id"], row["source"], row["student_key"]) for row in rows}
    gone = [place for place in places if place not in staying]
    if gone:
        connection.execute(delete(standings).where(mine.in_(gone)))
    upsert(connection, standings, rows)


def _candidates(places: list[Place]) -> Select[Any]:
    """Submissions that may count, with their verified figures and the student's name as others see it."""
    place = tuple_(submissions.c.assignment_id, submissions.c.source, submissions.c.student_key)
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
        .where(place.in_(places))
        .where(submissions.c.gone_at.is_(None), submissions.c.retracted_at.is_(None), ~submissions.c.over_quota)
    )


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
        "minus_score": minus_score,
        "minus_mean": minus_mean,
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
