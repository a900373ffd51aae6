"""Certificates that teachers revoke: their owner gets no other one until a teacher allows it.

A retraction revokes nothing by itself, because what a certificate says is fixed on the day of its issue. It lets a
teacher know which certificates say more than what counts now.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, update

from rl_hub import clock
from rl_leaderboard.certificates import issuing
from rl_leaderboard.certificates.issuing import Certificate, CertifiedAssignment
from rl_leaderboard.database.tables import certificates
from rl_leaderboard.people.people import Person
from rl_leaderboard.progress.assessment import AssignmentProgress
from rl_leaderboard.progress.progress import read_progress
from rl_leaderboard.rules.certification import includes
from rl_leaderboard.submissions.submissions import Submission
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


def unearned(
    connection: Connection, course: Course, person: Person, submission: Submission, *, certify_claims: bool
) -> Sequence[Certificate]:
    """The valid certificates of a person that would not be issued as they are by what counts now, the newest first.

    Args:
        connection: A transaction.
        course: The course.
        person: Whose.
        submission: One of theirs: for its assignment the score is looked at as well, not the level alone.
        certify_claims: Whether scores that nobody verified pass.
    """
    progress = read_progress(connection, course, person, certify_claims=certify_claims)
    now = next((one for one in progress.assignments if one.assignment.id == submission.assignment_id), None)

    def says_more(certificate: Certificate) -> bool:
        if not includes(progress.level, certificate.level):
            return True
        return now is not None and any(
            one.title == now.assignment.title and _is_lost(one, now, submission) for one in certificate.assignments
        )

    known = issuing.list_of_person(connection, person.id)
    return [found for found in known if found.revoked_at is None and says_more(found)]


def _is_lost(certified: CertifiedAssignment, now: AssignmentProgress, submission: Submission) -> bool:
    """Whether a certified score is more than what counts now, or the retracted submission's own."""
    is_its_own = submission.retracted_at is not None and certified.score == submission.score
    return is_its_own or now.passed_with is None or certified.score > now.passed_with
