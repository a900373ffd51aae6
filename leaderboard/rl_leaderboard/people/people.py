"""People: everybody who has ever signed in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, select, update

from rl_hub import clock
from rl_leaderboard.boards import standings
from rl_leaderboard.boards.standings import Place
from rl_leaderboard.database.tables import LONGEST_KEY, people, submissions
from rl_leaderboard.errors import BadRequest, NotFound

Role = Literal["student", "teacher", "admin"]
ROLES: tuple[Role, ...] = ("student", "teacher", "admin")
HUB = "hub"
"""The issuer of people, and the source of submissions, that the embedded Hub knows."""
LONGEST_PSEUDONYM = 64


@dataclass(frozen=True)
class Person:
    """Somebody with an account.

    Attributes:
        id: Key in the database.
        issuer: Who vouches for this person: `hub`, or an OpenID provider's address.
        source: The Hub on which `name` is this person's account; None if nobody vouches for that.
        name: The account's name.
        key: The same in lower case.
        full_name: May be empty.
        pseudonym: What others see instead of the name; None for the name.
        role: student, teacher or admin of the whole site.
        is_public: Whether others may see the progress page.
        created_at: When the person first signed in.
    """

    id: int
    issuer: str
    source: str | None
    name: str
    key: str
    full_name: str
    pseudonym: str | None
    role: Role
    is_public: bool
    created_at: datetime

    @property
    def shown_name(self) -> str:
        """What others see."""
        return self.pseudonym or self.name


@dataclass(frozen=True)
class Arrival:
    """Somebody who has just proved who they are.

    Attributes:
        issuer: Who says so.
        subject: The issuer's own, unchanging name of the person.
        name: The account's name as people read it.
        source: The Hub on which that name is theirs; None if the issuer does not vouch for it.
        full_name: May be empty.
        is_admin: Whether the issuer calls the person an administrator of this site.
    """

    issuer: str
    subject: str
    name: str
    source: str | None
    full_name: str = ""
    is_admin: bool = False


def welcome(connection: Connection, arrival: Arrival, teachers: Collection[str] = ()) -> Person:
    """The person of a sign-in, made at the first one; the name follows the issuer.

    Args:
        connection: A transaction that writes.
        arrival: Who it is.
        teachers: Names that are teachers from the start.

    Raises:
        BadRequest: If the issuer's name cannot be shown.
    """
    name = _checked_name(arrival.name)
    mine = (people.c.issuer == arrival.issuer) & (people.c.subject == arrival.subject)
    values: dict[str, Any] = {
        "name": name,
        "key": name.lower(),
        "source": arrival.source,
        "full_name": arrival.full_name[:128],
    }
    if arrival.source is not None:
        # An account that was deleted and made anew by somebody else passes nothing on but the name.
        others = (people.c.source == arrival.source) & (people.c.key == name.lower()) & ~mine
        connection.execute(update(people).where(others).values(source=None))
    row = connection.execute(select(people.c.id, people.c.role).where(mine)).one_or_none()
    if row is None:
        role: Role = "teacher" if name.lower() in {teacher.lower() for teacher in teachers} else "student"
        values |= {"issuer": arrival.issuer, "subject": arrival.subject, "role": role, "created_at": clock.now()}
        person_id = int(connection.execute(insert(people).values(values).returning(people.c.id)).scalar_one())
    else:
        person_id = row.id
        connection.execute(update(people).where(mine).values(values))
    if arrival.is_admin:
        connection.execute(update(people).where(people.c.id == person_id).values(role="admin"))
    return get(connection, person_id)


def get(connection: Connection, person_id: int) -> Person:
    """A person.

    Raises:
        NotFound: If there is none of this id.
    """
    row = connection.execute(select(people).where(people.c.id == person_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such person.")
    return to_person(row)


def find(connection: Connection, source: str, name: str) -> Person | None:
    """The person whose account on a Hub has this name, whatever its case."""
    mine = (people.c.source == source) & (people.c.key == name.lower())
    row = connection.execute(select(people).where(mine)).one_or_none()
    return None if row is None else to_person(row)


def change_privacy(connection: Connection, person: Person, *, pseudonym: str, is_public: bool) -> None:
    """Changes what others see of a person; boards follow.

    Args:
        connection: A transaction that writes.
        person: Whose.
        pseudonym: What stands in place of the name; empty for the name.
        is_public: Whether others may see the progress page.

    Raises:
        BadRequest: If the pseudonym is too long, cannot be shown, or is the name of somebody else.
    """
    wished = " ".join(pseudonym.split())
    if len(wished) > LONGEST_PSEUDONYM or not wished.isprintable():
        raise BadRequest(f"A pseudonym has at most {LONGEST_PSEUDONYM} characters, all of them printable.")
    taken = (people.c.key == wished.lower()) | (people.c.pseudonym == wished)
    somebody = select(people.c.id).where(taken, people.c.id != person.id).limit(1)
    of_student = select(submissions.c.id).where(submissions.c.student_key == wished.lower()).limit(1)
    is_own = wished.lower() == person.key
    if wished and not is_own and (connection.scalar(somebody) or connection.scalar(of_student)):
        raise BadRequest("Somebody else goes by this name already: take another pseudonym.")
    values = {"pseudonym": wished or None, "is_public": is_public}
    connection.execute(update(people).where(people.c.id == person.id).values(values))
    standings.refresh(connection, places_of(connection, person))


def change_role(connection: Connection, person_id: int, role: str) -> None:
    """Changes what a person may do on the whole site.

    Raises:
        BadRequest: If there is no such role.
    """
    if role not in ROLES:
        raise BadRequest(f"A role is one of {', '.join(ROLES)}.")
    connection.execute(update(people).where(people.c.id == person_id).values(role=role))


def remove(connection: Connection, person: Person) -> None:
    """Deletes a person with everything that is kept about them, submissions and their scores included."""
    places = places_of(connection, person)
    if person.source is not None:
        mine = (submissions.c.source == person.source) & (submissions.c.student_key == person.key)
        connection.execute(delete(submissions).where(mine))
    connection.execute(delete(people).where(people.c.id == person.id))
    standings.refresh(connection, places)


def places_of(connection: Connection, person: Person) -> list[Place]:
    """The boards on which a person has submissions."""
    if person.source is None:
        return []
    mine = (submissions.c.source == person.source) & (submissions.c.student_key == person.key)
    found = connection.scalars(select(submissions.c.assignment_id).where(mine).distinct())
    return [Place(assignment_id, person.source, person.key) for assignment_id in found]


def to_person(row: Row[Any]) -> Person:
    """A row of the table as a person."""
    return Person(
        id=row.id,
        issuer=row.issuer,
        source=row.source,
        name=row.name,
        key=row.key,
        full_name=row.full_name,
        pseudonym=row.pseudonym,
        role=row.role,
        is_public=row.is_public,
        created_at=row.created_at,
    )


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_KEY or not name.isprintable() or "/" in name:
        raise BadRequest("The sign-in service sent no user name that can be shown here.")
    return name
