"""Classes: what they are called, and who may do what in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, Select, insert, select, update

from rl_hub import clock
from rl_leaderboard.classes import members
from rl_leaderboard.database.tables import classes
from rl_leaderboard.database.tables import members as members_table
from rl_leaderboard.errors import BadRequest, Conflict, NotFound
from rl_leaderboard.people.people import Person
from rl_leaderboard.people.visitor import ClassRole, Visitor

LONGEST_NAME = 128


@dataclass(frozen=True)
class ClassRecord:
    """A class.

    Attributes:
        id: Key in the database.
        name: For people.
        created_at: When it was made.
        archived_at: Since when it is over; None while it goes on.
    """

    id: int
    name: str
    created_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True)
class Listed:
    """A class in a list.

    Attributes:
        record: The class.
        role: What the visitor is in it; None for an administrator who is no member.
        students: How many it has.
        teachers: How many it has.
    """

    record: ClassRecord
    role: ClassRole | None
    students: int
    teachers: int


def create(connection: Connection, name: str, teacher: Person) -> ClassRecord:
    """Makes a class with its first teacher.

    Raises:
        BadRequest: If the name is empty, too long or cannot be shown.
    """
    checked, now = _checked_name(name), clock.now()
    statement = insert(classes).values(name=checked, created_at=now).returning(classes.c.id)
    class_id = int(connection.execute(statement).scalar_one())
    members.join(connection, class_id, teacher.id, "teacher")
    return ClassRecord(class_id, checked, now, None)


def rename(connection: Connection, class_id: int, name: str) -> str:
    """Gives a class another name, and returns it as it is kept.

    Raises:
        BadRequest: If the name is empty, too long or cannot be shown.
    """
    checked = _checked_name(name)
    connection.execute(update(classes).where(classes.c.id == class_id).values(name=checked))
    return checked


def archive(connection: Connection, class_id: int) -> None:
    """Ends a class: nothing about it changes any more, but that people may leave it.

    Its students no longer see it, and its teachers no longer see what its students hand in.
    """
    connection.execute(update(classes).where(classes.c.id == class_id).values(archived_at=clock.now()))


def restore(connection: Connection, class_id: int) -> None:
    """Lets a class go on that was archived."""
    connection.execute(update(classes).where(classes.c.id == class_id).values(archived_at=None))


def find(connection: Connection, visitor: Visitor, class_id: int) -> tuple[ClassRecord, ClassRole]:
    """A class, and what the visitor is in it: administrators of the site are teachers everywhere.

    Raises:
        NotFound: If there is none that this visitor may see. Students do not see archived classes.
    """
    row = connection.execute(_select(visitor).where(classes.c.id == class_id)).one_or_none()
    role: ClassRole | None = None if row is None else ("teacher" if visitor.is_admin else row.role)
    if row is None or role is None or (role == "student" and row.archived_at is not None):
        raise NotFound("There is no such class, or you are not in it.")
    return _record(row), role


def attended(connection: Connection, visitor: Visitor, class_id: int) -> ClassRecord:
    """A class that the visitor is in, archived or not.

    Raises:
        NotFound: If there is none, or the visitor is not in it.
    """
    row = connection.execute(_select(visitor).where(classes.c.id == class_id)).one_or_none()
    if row is None or row.role is None:
        raise NotFound("There is no such class, or you are not in it.")
    return _record(row)


def taught(connection: Connection, visitor: Visitor, class_id: int) -> ClassRecord:
    """A class that the visitor teaches; archived ones can still be read.

    Raises:
        NotFound: If there is none, or the visitor does not teach it.
    """
    record, role = find(connection, visitor, class_id)
    if role != "teacher":
        raise NotFound("There is no such class, or you do not teach it.")
    return record


def managed(connection: Connection, visitor: Visitor, class_id: int) -> ClassRecord:
    """A class that the visitor teaches and is about to change.

    Raises:
        NotFound: If there is none, or the visitor does not teach it.
        Conflict: If it is archived.
        Unauthorized: If nobody is signed in.
        Forbidden: If the token is for reading only.
    """
    visitor.writing()
    record = taught(connection, visitor, class_id)
    if record.archived_at is not None:
        raise Conflict("This class is archived. Bring it back first, on its settings page.")
    return record


def list_of(
    connection: Connection, visitor: Visitor, *, limit: int, before_id: int | None = None, own_only: bool = False
) -> Sequence[Listed]:
    """The classes that a visitor may see, newest first: one's own, and all for an administrator.

    Args:
        connection: A transaction.
        visitor: Who looks.
        limit: How many at most.
        before_id: Only classes that are older than this one.
        own_only: Whether it is those that the visitor is in, and all of them: an administrator sees no others then,
            and a student those as well that are archived, in order to leave them.
    """
    query = _select(visitor).order_by(classes.c.id.desc()).limit(limit)
    if own_only:
        query = query.where(members_table.c.role.is_not(None))
    elif not visitor.is_admin:
        query = query.where((members_table.c.role == "teacher") | _is_attended())
    if before_id is not None:
        query = query.where(classes.c.id < before_id)
    rows = list(connection.execute(query))
    counted = members.count(connection, [row.id for row in rows])
    return [Listed(_record(row), row.role, counted[row.id, "student"], counted[row.id, "teacher"]) for row in rows]


def _is_attended() -> ColumnElement[bool]:
    """Whether the visitor is a student of a class that goes on."""
    return (members_table.c.role == "student") & classes.c.archived_at.is_(None)


def _select(visitor: Visitor) -> Select[tuple[int, str, datetime, datetime | None, ClassRole | None]]:
    """Classes, each with the visitor's own role in it."""
    person_id = 0 if visitor.person is None else visitor.person.id
    own = (members_table.c.class_id == classes.c.id) & (members_table.c.person_id == person_id)
    columns = classes.c.id, classes.c.name, classes.c.created_at, classes.c.archived_at, members_table.c.role
    return select(*columns).join_from(classes, members_table, own, isouter=True)


def _record(row: Row[tuple[int, str, datetime, datetime | None, ClassRole | None]]) -> ClassRecord:
    return ClassRecord(row.id, row.name, row.created_at, row.archived_at)


def _checked_name(name: str) -> str:
    checked = " ".join(name.split())
    if not 1 <= len(checked) <= LONGEST_NAME or not checked.isprintable():
        raise BadRequest(f"A class has a name of 1 to {LONGEST_NAME} printable characters.")
    return checked
