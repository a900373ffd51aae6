"""Certificates that teachers revoke: their owner gets no other one until a teacher allows it.

A retraction revokes nothing by itself, because what a certificate says is fixed on the day of its issue. It lets a
teacher know which certificates say more than what counts now.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, update

from rl_hub import clock
from rl_leaderboard.certificates import issuing
from rl_leaderboard.certificates.issuing import Certificate
from rl_leaderboard.database.tables import certificates
from rl_leaderboard.people.people import Person
from rl_leaderboard.progress.progress import read_progress
from rl_leaderboard.rules.certification import includes
from rl_units.course import Course


def revoke(connection: Connection, certificate: Certificate, reason: str) -> bool:
    """Makes a certificate invalid, and lets its owner have no other one for now.

    Args:
        connection: A transaction that writes.
        certificate: Which.
        reason: For its owner and for teachers; not empty.

    Returns:
        Whether it was valid until now.
    """
    issuing.hold(connection, certificate.person_id)
    valid = (certificates.c.code == certificate.code) & certificates.c.revoked_at.is_(None)
    change = update(certificates).where(valid).values(revoked_at=clock.now(), revocation=reason)
    return connection.execute(change).rowcount > 0


def allow_another(connection: Connection, person_id: int) -> bool:
    """Lets somebody have certificates again, as far as they are earned; what was revoked stays so.

    Returns:
        Whether a teacher had revoked one.
    """
    issuing.hold(connection, person_id)
    revoked = (certificates.c.person_id == person_id) & (certificates.c.revocation != "")
    return connection.execute(update(certificates).where(revoked).values(revocation="")).rowcount > 0


def unearned(connection: Connection, course: Course, person: Person, *, certify_claims: bool) -> Sequence[Certificate]:
    """The valid certificates of a person that would not be issued by what counts now, the newest first."""
    level = read_progress(connection, course, person, certify_claims=certify_claims).level
    known = issuing.list_of_person(connection, person.id)
    return [found for found in known if found.revoked_at is None and not includes(level, found.level)]
