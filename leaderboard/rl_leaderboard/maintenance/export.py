"""What a teacher may want to keep or to calculate with: everything that the classroom knows, without its secrets.

People stand under their names here, also those who have a pseudonym.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, select

from rl_leaderboard.boards.cursors import ORDER
from rl_leaderboard.database import tables

Value = str | int | float | bool | None
_BATCH = 500
_people, _submissions, _evaluations = tables.people.c, tables.submissions.c, tables.evaluations.c


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes:
        name: Letters, digits, dashes; with a slash for one in a folder.
        header: The names of the columns.
        rows: Read once, in the transaction.
    """

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Value]]


def sheets(connection: Connection) -> Iterator[Sheet]:
    """Every table of an export, to be read one after the other in one transaction."""
    for name, query in _QUERIES.items():
        yield _sheet(connection, name, query)
    for assignment_id in connection.scalars(select(tables.assignments.c.id).order_by(tables.assignments.c.id)).all():
        yield _board(connection, assignment_id)


def _sheet(connection: Connection, name: str, query: Select[Any]) -> Sheet:
    result = connection.execute(query.execution_options(yield_per=_BATCH))
    return Sheet(name, tuple(result.keys()), (_values(row) for row in result))


def _board(connection: Connection, assignment_id: str) -> Sheet:
    here = _board_query().where(tables.standings.c.assignment_id == assignment_id).order_by(*ORDER)
    sheet = _sheet(connection, f"boards/{assignment_id}", here)
    ranked = ((rank, *row) for rank, row in enumerate(sheet.rows, start=1))
    return Sheet(sheet.name, ("rank", *sheet.header), ranked)


def _values(row: Row[Any]) -> list[Value]:
    return [value.isoformat() if isinstance(value, datetime) else value for value in row]


def _columns(table: Any, *without: str) -> list[Any]:
    return [column for column in table.columns if column.name not in without]


def _board_query() -> Select[Any]:
    standing = tables.standings.c
    known_as = and_(_people.source == _submissions.source, _people.key == _submissions.student_key)
    return (
        select(
            _submissions.student_name.label("student"),
            _people.full_name,
            _people.pseudonym,
            _submissions.repo_id.label("agent"),
            case((standing.tier < 2, 0 - standing.minus_score)).label("score"),
            (standing.tier == 0).label("verified"),
            _evaluations.low,
            _evaluations.high,
            case((standing.tier < 2, 0 - standing.minus_mean)).label("mean"),
            _evaluations.n_episodes,
            standing.algorithm,
            standing.library,
            _submissions.submitted_at,
            _submissions.sha,
            _submissions.id.label("submission_id"),
        )
        .join_from(tables.standings, tables.submissions, _submissions.id == standing.submission_id)
        .outerjoin(tables.people, known_as)
        .outerjoin(tables.evaluations, _evaluations.id == _submissions.evaluation_id)
    )


def _members_query() -> Select[Any]:
    classes, members = tables.classes.c, tables.members.c
    return (
        select(
            classes.id.label("class_id"),
            classes.name.label("class"),
            members.person_id,
            _people.name,
            _people.full_name,
            _people.pseudonym,
            members.role,
            members.joined_at,
        )
        .join_from(tables.members, tables.classes, classes.id == members.class_id)
        .join(tables.people, _people.id == members.person_id)
        .order_by(classes.id, _people.key, members.person_id)
    )


def _of_people(table: Any) -> Select[Any]:
    """The rows of a table that belong to people, with their names in front."""
    owned = select(_people.name.label("person"), *_columns(table))
    return owned.join_from(table, tables.people, _people.id == table.c.person_id).order_by(*table.primary_key.columns)


_QUERIES: dict[str, Select[Any]] = {
    "people": select(*_columns(tables.people, "key", "subject")).order_by(_people.id),
    "classes": select(tables.classes).order_by(tables.classes.c.id),
    "rosters": _members_query(),
    "deadlines": select(tables.deadlines).order_by(*tables.deadlines.primary_key.columns),
    "assignments": select(tables.assignments).order_by(tables.assignments.c.id),
    "submissions": select(*_columns(tables.submissions, "repo_key", "student_key")).order_by(_submissions.id),
    "evaluations": select(tables.evaluations).order_by(_evaluations.id),
    "episodes": select(tables.episodes).order_by(*tables.episodes.primary_key.columns),
    "quiz-answers": _of_people(tables.quiz_answers),
    "certificates": _of_people(tables.certificates),
    "audit-log": select(tables.audit_entries).order_by(tables.audit_entries.c.id),
}
