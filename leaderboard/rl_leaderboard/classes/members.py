"""Who is in which class, as what."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select, update

from rl_hub import clock
from rl_hub.database.engine import insert_ignore
from rl_leaderboard.database.tables import classes, members, people
from rl_leaderboard.errors import BadRequest, Conflict, NotFound
from rl_leaderboard.people import class_teachers
from rl_leaderboard.people.people import Person, to_person
from rl_leaderboard.people.visitor import ClassRole

ROLES: tuple[ClassRole, ...] = ("student", "teacher")
MOST_MEMBERS = 1000


# Made once: every page of somebody who is signed in asks for it.
_ROLES = (
    select(members.c.class_id, members.c.role)
    .join_from(members, classes, classes.c.id == members.c.class_id)
    .where(members.c.person_id == bindparam("person"), classes.c.archived_at.is_(None))
)


@dataclass(frozen=True)
class Member:
    """Somebody in a class."""

    person: Person
    role: ClassRole
    joined_at: datetime


def roles_of(connection: Connection, person_id: int) -> Mapping[int, ClassRole]:
    """The classes of a person that are not archived, and the role in each."""
    return {row.class_id: row.role for row in connection.execute(_ROLES, {"person": person_id})}


def list_of_class(connection: Connection, class_id: int, *, role: ClassRole | None = None) -> Sequence[Member]:
    """The members of a class in the order of their names, teachers first; or only those of one role."""
    query = (
        select(people, members.c.role.label("class_role"), members.c.joined_at)
        .join_from(members, people, people.c.id == members.c.person_id)
        .where(members.c.class_id == class_id)
        .order_by(members.c.role.desc(), people.c.key, people.c.id)
    )
    if role is not None:
        query = query.where(members.c.role == role)
    return [Member(to_person(row), row.class_role, row.joined_at) for row in connection.execute(query)]


def get(connection: Connection, class_id: int, person_id: int) -> Member:
    """A member of a class.

    Raises:
        NotFound: If the person is not in it.
    """
    query = (
        select(people, members.c.role.label("class_role"), members.c.joined_at)
        .join_from(members, people, people.c.id == members.c.person_id)
        .where(members.c.class_id == class_id, members.c.person_id == person_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("This person is not in the class.")
    return Member(to_person(row), row.class_role, row.joined_at)


def count(connection: Connection, class_ids: Sequence[int]) -> Counter[tuple[int, ClassRole]]:
    """How many members of each role each class has."""
    query = (
        select(members.c.class_id, members.c.role, func.count())
        .where(members.c.class_id.in_(class_ids))
        .group_by(members.c.class_id, members.c.role)
    )
    return Counter({(class_id, role): number for class_id, role, number in connection.execute(query)})


def join(connection: Connection, class_id: int, person_id: int, role: ClassRole) -> bool:
    """Lets a person into a class; who is in it already never loses by it.

    Returns:
        Whether anything has changed.

    Raises:
        Conflict: If the class is full.
    """
    mine = (members.c.class_id == class_id) & (members.c.person_id == person_id)
    known = connection.scalar(select(members.c.role).where(mine))
    if known == role or known == "teacher":
        return False
    if known is None and count(connection, [class_id]).total() >= MOST_MEMBERS:
        raise Conflict(f"This class is full: it has {MOST_MEMBERS} members.")
    row = {"class_id": class_id, "person_id": person_id, "role": role, "joined_at": clock.now()}
    insert_ignore(connection, members, [row])
    if role == "teacher":
        connection.execute(update(members).where(mine).values(role=role))
    return True


def change_role(connection: Connection, class_id: int, person_id: int, role: str) -> Member:
    """Makes a student a teacher of the class, or a teacher a student; returns the member as it was.

    Raises:
        BadRequest: If there is no such role.
        Conflict: If the class would be without a teacher.
        NotFound: If the person is not in the class.
    """
    if role not in ROLES:
        raise BadRequest(f"A role in a class is one of {', '.join(ROLES)}.")
    class_teachers.hold(connection, class_id)
    member = get(connection, class_id, person_id)
    if role == "student":
        _keep_a_teacher(connection, class_id, member)
    mine = (members.c.class_id == class_id) & (members.c.person_id == person_id)
    connection.execute(update(members).where(mine).values(role=role))
    return member


def remove(connection: Connection, class_id: int, person_id: int) -> Member:
    """Takes a person out of a class; the person's submissions stay.

    Raises:
        Conflict: If the class would be without a teacher.
        NotFound: If the person is not in the class.
    """
    class_teachers.hold(connection, class_id)
    member = get(connection, class_id, person_id)
    _keep_a_teacher(connection, class_id, member)
    connection.execute(delete(members).where(members.c.class_id == class_id, members.c.person_id == person_id))
    return member


def _keep_a_teacher(connection: Connection, class_id: int, leaving: Member) -> None:
    if leaving.role == "teacher" and not class_teachers.has_another(connection, class_id, leaving.person.id):
        raise Conflict("A class keeps at least one teacher: make somebody else a teacher first.")
