"""Certificates: issued to those who have earned them, found by their codes.

What a certificate says is fixed on the day of its issue: later scores, thresholds and names do not change it.
"""

import json
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, insert, select, update

from rl_hub import clock
from rl_leaderboard.activity import feed
from rl_leaderboard.certificates.fonts import unprintable
from rl_leaderboard.database.tables import certificates, people
from rl_leaderboard.errors import BadRequest, Conflict, NotFound, TooManyRequests
from rl_leaderboard.people.people import Person
from rl_leaderboard.progress.assessment import Progress

LONGEST_NAME = 60
MOST_A_DAY = 20
"""Certificates that one person may have issued in a day: a name is seldom misspelt so often."""

# Without letters and digits that look alike on paper; 20 of them are 99 bits.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_GROUPS, _GROUP = 4, 5
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class CertifiedAssignment:
    """An assignment that was passed: with which score, and whether that was measured here."""

    title: str
    score: float
    is_verified: bool


@dataclass(frozen=True)
class Certificate:
    """A certificate.

    Attributes:
        code: Names it; whoever knows it may see the certificate.
        level: What was earned.
        name: As the student wanted it printed.
        course: The course's name on that day.
        assignments: Every passed assignment.
        issued_at: When.
        revoked_at: Since when it is no longer valid; None if it is.
        revocation: Why a teacher revoked it, for its owner and teachers; empty if none did, or another is allowed.
        person_id: Whose it is.
    """

    code: str
    level: Literal["completion", "excellence"]
    name: str
    course: str
    assignments: tuple[CertifiedAssignment, ...]
    issued_at: datetime
    revoked_at: datetime | None
    revocation: str
    person_id: int


def checked_name(name: str, font: Path | None) -> str:
    """A name as it is printed.

    Args:
        name: As the student has typed it.
        font: The operator's font for names that DejaVu Sans has no letters for.

    Raises:
        BadRequest: If it cannot be printed; the sentence says why.
        ValueError: If the font cannot be read.
    """
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadRequest(f"A name has 1 to {LONGEST_NAME} printable characters.")
    missing = unprintable(name, font)
    if missing:
        signs = " ".join(missing)
        raise BadRequest(f"The certificate's font has no sign for {signs}. Write the name in other letters.")
    return name


def issue(connection: Connection, person: Person, progress: Progress, *, name: str, course: str) -> Certificate:
    """Issues the certificate that a person has earned; an earlier one of the same level is no longer valid.

    Args:
        connection: A transaction that writes.
        person: Who has earned it.
        progress: How far this person has come.
        name: To be printed; see `checked_name`.
        course: The course's name.

    Returns:
        The new certificate, or the one that is there already and says the same.

    Raises:
        Conflict: If nothing is earned yet, or a teacher revoked one and has not allowed another.
        TooManyRequests: If this person has had too many issued today.
    """
    if progress.level == "none":
        raise Conflict(f"There is no certificate yet. {progress.next_step}")
    hold(connection, person.id)
    assignments = tuple(
        CertifiedAssignment(found.assignment.title, found.passed_with, found.is_verified)
        for found in progress.assignments
        if found.passed_with is not None
    )
    every = list_of_person(connection, person.id)
    if any(found.revocation for found in every):
        raise Conflict("A teacher revoked your certificate, and has not allowed another one yet. Talk to them.")
    earlier = [found for found in every if found.level == progress.level]
    for known in earlier:
        if (known.name, known.course, known.assignments) == (name, course[:128], assignments) and not known.revoked_at:
            return known
    now = clock.now()
    _check_quota(connection, person, now)
    certificate = Certificate(_new_code(), progress.level, name, course[:128], assignments, now, None, "", person.id)
    same_level = (certificates.c.person_id == person.id) & (certificates.c.level == progress.level)
    valid = same_level & certificates.c.revoked_at.is_(None)
    connection.execute(update(certificates).where(valid).values(revoked_at=now))
    connection.execute(insert(certificates).values(_row(person, certificate)))
    if not earlier:
        _tell(connection, person, certificate)
    return certificate


def find(connection: Connection, code: str) -> Certificate:
    """The certificate of a code, in capitals or small letters, with or without its dashes.

    Raises:
        NotFound: If there is none.
    """
    plain = "".join(character for character in code.upper() if character in _ALPHABET)[:99]
    row = None
    if len(plain) == _GROUPS * _GROUP:
        query = select(certificates).where(certificates.c.code == _grouped(plain))
        row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("There is no certificate with this code. Compare it with the paper, sign by sign.")
    return _certificate(row)


def list_of_person(connection: Connection, person_id: int) -> Sequence[Certificate]:
    """Every certificate of a person, the newest first, those that are no longer valid among them."""
    query = select(certificates).where(certificates.c.person_id == person_id)
    order = certificates.c.issued_at.desc(), certificates.c.code
    return [_certificate(row) for row in connection.execute(query.order_by(*order))]


def hold(connection: Connection, person_id: int) -> None:
    """Lets others who would change this person's certificates wait until the transaction ends.

    So one certificate of a level is valid, and none is issued while one is being revoked.
    """
    connection.execute(select(people.c.id).where(people.c.id == person_id).with_for_update(key_share=True))


def _check_quota(connection: Connection, person: Person, now: datetime) -> None:
    today = (certificates.c.person_id == person.id) & (certificates.c.issued_at > now - _DAY)
    if (connection.scalar(select(func.count()).select_from(certificates).where(today)) or 0) >= MOST_A_DAY:
        raise TooManyRequests(f"{MOST_A_DAY} certificates were issued to you within a day: try again tomorrow.")


def _tell(connection: Connection, person: Person, certificate: Certificate) -> None:
    feed.record(connection, "certified", {"level": certificate.level}, person_id=person.id)


def _new_code() -> str:
    return _grouped("".join(secrets.choice(_ALPHABET) for _ in range(_GROUPS * _GROUP)))


def _grouped(plain: str) -> str:
    return "-".join(plain[start : start + _GROUP] for start in range(0, len(plain), _GROUP))


def _row(person: Person, certificate: Certificate) -> dict[str, Any]:
    return {
        "code": certificate.code,
        "person_id": person.id,
        "level": certificate.level,
        "name": certificate.name,
        "course": certificate.course,
        "details": json.dumps({"assignments": [asdict(found) for found in certificate.assignments]}, allow_nan=False),
        "issued_at": certificate.issued_at,
    }


def _certificate(row: Row[Any]) -> Certificate:
    assignments = tuple(CertifiedAssignment(**found) for found in json.loads(row.details)["assignments"])
    said = row.code, row.level, row.name, row.course, assignments, row.issued_at
    return Certificate(*said, row.revoked_at, row.revocation, row.person_id)
