"""People: everybody who has ever signed in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, select, update

from rl_hub import clock
from rl_hub.database.engine import insert_ignore
from rl_leaderboard.boards import standings
from rl_leaderboard.database.tables import LONGEST_KEY, activities, people
from rl_leaderboard.errors import BadRequest, Conflict, NotFound
from rl_leaderboard.people import appointments, class_teachers, departures, pseudonyms, work
from rl_leaderboard.rules.lookalikes import folded, is_plain

Role = Literal["student", "teacher", "admin"]
ROLES: tuple[Role, ...] = ("student", "teacher", "admin")
HUB = "hub"
"""The issuer of people, and the source of submissions, that the embedded Hub knows."""
LONGEST_PSEUDONYM = 64
LONGEST_FULL_NAME = 128


@dataclass(frozen=True)
class Person:
    """Somebody with an account.

    Attributes:
        id: Key in the database.
        issuer: Who vouches for this person: `hub`, or an OpenID provider's address.
        subject: The issuer's own, unchanging name of the person.
        source: The Hub on which `name` is this person's account; None if nobody vouches for that.
        name: The account's name.
        key: The same in lower case.
        full_name: May be empty.
        pseudonym: What others see instead of the name; None for the name.
        role: student, teacher or admin of the whole site.
        is_appointed: Whether the role is admin because the issuer, or the operator's list, says so.
        is_public: Whether others may see the progress page.
        created_at: When the person first signed in.
    """

    id: int
    issuer: str
    subject: str
    source: str | None
    name: str
    key: str
    full_name: str
    pseudonym: str | None
    role: Role
    is_appointed: bool
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
        since: When the account was made, if that is known: what its name handed in before is somebody else's.
    """

    issuer: str
    subject: str
    name: str
    source: str | None
    full_name: str = ""
    is_admin: bool = False
    since: datetime | None = None


def welcome(
    connection: Connection, arrival: Arrival, teachers: Collection[str] = (), admins: Collection[str] = ()
) -> Person:
    """The person of a sign-in, made at the first one; the name follows the issuer.

    Args:
        connection: A transaction that writes.
        arrival: Who it is.
        teachers: Names that are teachers, from their next sign-in on.
        admins: Names that are administrators, whatever was decided about them here, as long as they are on the list.

    Raises:
        BadRequest: If the issuer's name cannot be shown.
    """
    name = _checked_name(arrival.name)
    is_listed = name.lower() in {teacher.lower() for teacher in teachers}
    mine = (people.c.issuer == arrival.issuer) & (people.c.subject == arrival.subject)
    row = connection.execute(select(people).where(mine)).one_or_none()
    if row is None or (row.source, row.key) != (arrival.source, name.lower()):
        standings.hold_all(connection)
        row = connection.execute(select(people).where(mine)).one_or_none()
    if row is None:
        new = {"issuer": arrival.issuer, "subject": arrival.subject, "name": name, "key": name.lower()}
        # The same person may come twice at once.
        insert_ignore(connection, people, [new | {"created_at": clock.now()}])
        row = connection.execute(select(people).where(mine)).one()
        pseudonyms.keep_apart(connection, row.id, name)
        if arrival.source is not None and arrival.since is not None:
            work.leave_elsewhere(connection, arrival.source, name.lower(), arrival.since)
    before = to_person(row)
    _change_name(connection, before, arrival, name)
    is_appointed = appointments.is_appointed(name, admins, by_issuer=arrival.is_admin)
    values: dict[str, Any] = {"full_name": arrival.full_name[:LONGEST_FULL_NAME], "is_appointed": is_appointed}
    if before.role == "student" and is_listed:
        values["role"] = "teacher"
    connection.execute(update(people).where(mine).values(values))
    if arrival.source is not None:
        departures.come_back(connection, arrival.source, name.lower())
    return get(connection, before.id)


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


def find_subject(connection: Connection, issuer: str, subject: str) -> Person | None:
    """The person whom an issuer knows by its own, unchanging name: a new account of an old name is somebody else."""
    mine = (people.c.issuer == issuer) & (people.c.subject == subject)
    row = connection.execute(select(people).where(mine)).one_or_none()
    return None if row is None else to_person(row)


def change_privacy(connection: Connection, person: Person, *, pseudonym: str, is_public: bool) -> None:
    """Changes what others see of a person; boards and past activities follow.

    Args:
        connection: A transaction that writes.
        person: Whose.
        pseudonym: What stands in place of the name; empty for the name.
        is_public: Whether others may see the progress page.

    Raises:
        BadRequest: If the pseudonym is too long, cannot be shown, or may be taken for the name of somebody else.
    """
    standings.hold_all(connection)
    person = get(connection, person.id)
    wished = " ".join(pseudonym.split())
    if len(wished) > LONGEST_PSEUDONYM or not wished.isprintable():
        raise BadRequest(f"A pseudonym has at most {LONGEST_PSEUDONYM} characters, all of them printable.")
    if wished and not is_plain(wished):
        raise BadRequest("A pseudonym has letters of one alphabet, not of several that look alike.")
    is_own = folded(wished) == folded(person.name)
    if wished and not is_own and pseudonyms.is_taken(connection, person.id, wished):
        raise BadRequest("Somebody else goes by this name already: take another pseudonym.")
    values = {"pseudonym": wished or None, "is_public": is_public}
    connection.execute(update(people).where(people.c.id == person.id).values(values))
    work.show_anew(connection, person.source, person.key)


def change_role(connection: Connection, person_id: int, role: str) -> None:
    """Changes what a person may do on the whole site.

    Raises:
        BadRequest: If there is no such role.
        Conflict: If the site would be left without an administrator, or this one is appointed elsewhere.
    """
    if role not in ROLES:
        raise BadRequest(f"A role is one of {', '.join(ROLES)}.")
    if role != "admin":
        if get(connection, person_id).is_appointed:
            raise Conflict("The sign-in service, or the operator of this site, makes this person an administrator.")
        appointments.keep_an_administrator(connection, person_id)
    connection.execute(update(people).where(people.c.id == person_id).values(role=role))


def remove(connection: Connection, person: Person) -> None:
    """Deletes a person with everything that is kept about them, submissions and their scores included.

    What teachers and administrators decided stays in the audit log. The Hub's news of the account are not taken in any
    more, until its owner signs in again.

    Raises:
        Conflict: If the site would be left without an administrator, or a class that goes on without a teacher.
    """
    standings.hold_all(connection)
    person = get(connection, person.id)
    appointments.keep_an_administrator(connection, person.id)
    class_teachers.check_dispensable(connection, person.id)
    connection.execute(delete(activities).where(activities.c.person_id == person.id))
    if person.source is not None:
        departures.note(connection, person.source, person.key)
    departures.forget_steps(connection, person.id)
    work.forget(connection, work.of(person.source, person.key))
    connection.execute(delete(people).where(people.c.id == person.id))


def to_person(row: Row[Any]) -> Person:
    """A row of the table as a person."""
    return Person(
        id=row.id,
        issuer=row.issuer,
        subject=row.subject,
        source=row.source,
        name=row.name,
        key=row.key,
        full_name=row.full_name,
        pseudonym=row.pseudonym,
        role="admin" if row.is_appointed else row.role,
        is_appointed=row.is_appointed,
        is_public=row.is_public,
        created_at=row.created_at,
    )


def _checked_name(name: str) -> str:
    name = name.strip()
    # A name may be longer in lower case.
    fits = len(name) >= 1 and max(len(name), len(name.lower())) <= LONGEST_KEY
    if not fits or not name.isprintable() or "/" in name:
        raise BadRequest("The sign-in service sent no user name that can be shown here.")
    return name


def _change_name(connection: Connection, before: Person, arrival: Arrival, name: str) -> None:
    """Gives a person the name that the issuer says."""
    key = name.lower()
    if before.key != key:
        pseudonyms.keep_apart(connection, before.id, name)
    if arrival.source is not None:
        _take_over(connection, arrival, key, before)
        if before.source == arrival.source and before.key != key:
            # The Hub tells of everything again under the new name; the old one may be somebody else's soon.
            work.forget(connection, work.of(before.source, before.key))
    values = {"name": name, "key": key, "source": arrival.source}
    connection.execute(update(people).where(people.c.id == before.id).values(values))
    if (before.source, before.key) != (arrival.source, key):
        work.show_anew(connection, arrival.source, key)


def _take_over(connection: Connection, arrival: Arrival, key: str, person: Person) -> None:
    """Takes an account's name from whoever had it before.

    Where the same issuer says so, the account was deleted and made anew by somebody else, who gets nothing but the
    name. Another issuer speaks of the same account.
    """
    holder = (people.c.source == arrival.source) & (people.c.key == key) & (people.c.id != person.id)
    before = connection.execute(select(people).where(holder)).one_or_none()
    if before is None:
        return
    connection.execute(update(people).where(people.c.id == before.id).values(source=None))
    if before.issuer == person.issuer and arrival.source is not None:
        work.leave_elsewhere(connection, arrival.source, key)
