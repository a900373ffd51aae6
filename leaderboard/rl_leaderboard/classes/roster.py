"""The roster of a class against its assignments: who is how far."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from sqlalchemy import Connection, Select, case, select

from rl_leaderboard.classes import deadlines, members
from rl_leaderboard.classes.matrix import Attempt, Cell, cell
from rl_leaderboard.database.tables import classes, evaluations, people, submissions
from rl_leaderboard.database.tables import members as members_table
from rl_leaderboard.people.people import Person
from rl_leaderboard.submissions.confirmations import certified_score
from rl_units.course import Assignment, Course


@dataclass(frozen=True)
class Column:
    """An assignment, and when the class expects it."""

    assignment: Assignment
    due_at: datetime | None

    @property
    def is_expected(self) -> bool:
        """Whether every student should hand it in: what the course requires, and what the class has a deadline for."""
        return self.assignment.required or self.due_at is not None

    def needs_attention(self, one: Cell) -> bool:
        """Whether a student's work is late, or missing although it is expected."""
        return one.late or (one.state == "missing" and self.is_expected)

    def says_nothing(self, one: Cell) -> bool:
        """Whether nothing was handed in, and nobody expects it."""
        return one.state == "missing" and not self.is_expected


@dataclass(frozen=True)
class RosterRow:
    """A student, with a cell for every column."""

    person: Person
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Roster:
    """Students in the order of their names, assignments in the order of the course."""

    columns: Sequence[Column]
    rows: Sequence[RosterRow]

    def needing_attention(self) -> "Roster":
        """The same with only those students of whom something is late or missing."""

        def is_behind(row: RosterRow) -> bool:
            return any(column.needs_attention(one) for column, one in zip(self.columns, row.cells, strict=True))

        return replace(self, rows=[row for row in self.rows if is_behind(row)])


def read(connection: Connection, class_id: int, course: Course, *, certify_claims: bool = False) -> Roster:
    """The roster of a class, in three queries whatever its size; see `matrix.cell`."""
    due = deadlines.read(connection, class_id)
    columns = [Column(assignment, due.get(assignment.id)) for assignment in course.assignments]
    attempts = _attempts(connection, class_id)
    students = [member.person for member in members.list_of_class(connection, class_id, role="student")]
    return Roster(columns, [_row(person, columns, attempts, certify_claims=certify_claims) for person in students])


def header(roster: Roster) -> list[str]:
    """The names of the columns of `table`."""
    groups = ([name, f"{name} state", f"{name} late"] for name in (column.assignment.id for column in roster.columns))
    return ["student", "full name", "pseudonym", *chain.from_iterable(groups)]


def table(roster: Roster) -> Iterator[list[str | float | bool | None]]:
    """The roster as rows for a spreadsheet: for each assignment score, state and whether it is late.

    Nothing stands where nothing was handed in and nobody expects it.
    """
    for row in roster.rows:
        groups = (_group(column, one) for column, one in zip(roster.columns, row.cells, strict=True))
        person = row.person
        yield [person.name, person.full_name, person.pseudonym, *chain.from_iterable(groups)]


def _group(column: Column, one: Cell) -> list[str | float | bool | None]:
    if column.says_nothing(one):
        return [None, None, None]
    return [None if one.score is None else round(one.score, 2), one.state, one.late]


def _row(
    person: Person,
    columns: Sequence[Column],
    attempts: Mapping[tuple[int, str], list[Attempt]],
    *,
    certify_claims: bool,
) -> RosterRow:
    found = ((column, attempts.get((person.id, column.assignment.id), [])) for column in columns)
    cells = [
        cell(made, column.assignment.threshold, column.due_at, certify_claims=certify_claims) for column, made in found
    ]
    return RosterRow(person, cells)


def _attempts(connection: Connection, class_id: int) -> Mapping[tuple[int, str], list[Attempt]]:
    """The submissions of the class's students that count or wait for a teacher, by person and assignment.

    What came after a class was archived is no business of its teachers.
    """
    found: defaultdict[tuple[int, str], list[Attempt]] = defaultdict(list)
    for row in connection.execute(_submissions(class_id)):
        attempt = Attempt(row.id, row.submitted_at, row.claimed_score, row.verified_score, row.review == "pending")
        found[row.person_id, row.assignment_id].append(attempt)
    return found


def _submissions(class_id: int) -> Select[tuple[int, str, int, datetime, float | None, float | None, str]]:
    known_as = (people.c.source == submissions.c.source) & (people.c.key == submissions.c.student_key)
    counts = submissions.c.retracted_at.is_(None) | (submissions.c.review == "pending")
    # A claim that the judge could not measure waits for nothing any more.
    claim = case((submissions.c.state != "failed", submissions.c.claimed_score))
    return (
        select(
            people.c.id.label("person_id"),
            submissions.c.assignment_id,
            submissions.c.id,
            submissions.c.submitted_at,
            claim.label("claimed_score"),
            certified_score().label("verified_score"),
            submissions.c.review,
        )
        .join_from(members_table, people, people.c.id == members_table.c.person_id)
        .join(submissions, known_as)
        .join(classes, classes.c.id == members_table.c.class_id)
        .outerjoin(evaluations, evaluations.c.id == submissions.c.evaluation_id)
        .where(classes.c.archived_at.is_(None) | (submissions.c.received_at <= classes.c.archived_at))
        .where(members_table.c.class_id == class_id, members_table.c.role == "student")
        .where(submissions.c.gone_at.is_(None), counts, ~submissions.c.over_quota)
    )
