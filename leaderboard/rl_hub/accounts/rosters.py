"""A class list: many people added at once, each with a password to hand out."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rl_hub.accounts import organisations, passwords, users
from rl_hub.accounts.identity import Membership
from rl_hub.database.engine import Database
from rl_hub.errors import BadRequest, HubError
from rl_hub.names import check_account_name, shown

# Spreadsheets write semicolons where the comma is the decimal sign.
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Person:
    """A line of a class list."""

    name: str
    full_name: str = ""
    email: str = ""


def parse_roster(text: str) -> list[Person]:
    """Reads a class list.

    Args:
        text: CSV with a header that has `name` and may have `full_name` and `email`; other columns are ignored.

    Raises:
        BadRequest: If it is no such table; with the number of the line that has to be mended.
    """
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    people: dict[str, Person] = {}
    try:
        columns = [column.strip().lower() for column in next(reader, [])]
        if "name" not in columns:
            raise BadRequest("The first line has to name the columns, and one of them has to be called name.")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                person = _person(dict(zip(columns, cells, strict=False)), reader.line_num)
                if people.setdefault(person.name.lower(), person) is not person:
                    raise BadRequest(f"Line {reader.line_num}: {shown(person.name)} is there twice.")
    except csv.Error as error:
        raise BadRequest(f"Line {reader.line_num} is not CSV: {error}.") from error
    return list(people.values())


def enrol(
    database: Database,
    people: Sequence[Person],
    organisation_name: str | None,
    role: Membership,
    hand_out: Callable[[Mapping[str, str]], None],
) -> int:
    """Adds everybody who is not there yet, and makes everybody a member of an organisation.

    People who have an account keep it as it is, and members keep their role, so the same list can be enrolled again.

    Args:
        database: The Hub's database.
        people: The class list.
        organisation_name: The organisation; None for no membership.
        role: What a new member may do there.
        hand_out: Is given the new passwords by name, before the accounts are kept: if it fails, nothing has happened.

    Returns:
        How many accounts are new.

    Raises:
        NotFound: If there is no such organisation.
        BadRequest: If something about a person cannot be accepted.
        Conflict: If a name is an organisation's.
    """
    with database.read() as connection:
        newcomers = [person for person in people if users.find(connection, person.name) is None]
    new_passwords = {person.name: passwords.generate() for person in newcomers}
    hashes = {name: passwords.hash_password(password) for name, password in new_passwords.items()}
    with database.write() as connection:
        organisation = organisations.get(connection, organisation_name) if organisation_name else None
        for person in newcomers:
            user = users.create(connection, person.name, full_name=person.full_name, email=person.email)
            users.set_password(connection, user, hashes[person.name])
        if organisation:
            here = {member.user_id for member in organisations.members(connection, organisation.id)}
            for person in people:
                user = users.get(connection, person.name)
                if user.id not in here:
                    organisations.add_member(connection, organisation.id, user.id, role)
        if new_passwords:
            hand_out(new_passwords)
    return len(newcomers)


def _person(cells: Mapping[str, str], line: int) -> Person:
    person = Person(*(cells.get(column, "").strip() for column in ("name", "full_name", "email")))
    try:
        check_account_name(person.name)
    except HubError as error:
        raise BadRequest(f"Line {line}: {error}") from error
    return person
