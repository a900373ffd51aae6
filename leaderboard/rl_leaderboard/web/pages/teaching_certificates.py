"""What teachers of the site decide about certificates: that one is revoked, and that its owner may have another."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from rl_leaderboard.audit import log
from rl_leaderboard.certificates import issuing, revoking
from rl_leaderboard.certificates.issuing import Certificate
from rl_leaderboard.people import people
from rl_leaderboard.people.people import Person
from rl_leaderboard.submissions import submissions
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.pages.teaching_submissions import read_reason
from rl_leaderboard.web.requests import ClassroomOf, Number, PageVisitor, SentForm, read_form
from rl_leaderboard.web.submission_decisions import LONGEST_REASON, unearned_certificates

router = APIRouter(include_in_schema=False)


@router.get("/teach/submissions/{submission_id}/certificates")
def unearned_page(request: Request, classroom: ClassroomOf, visitor: PageVisitor, submission_id: Number) -> Response:
    """The certificates of a submission's student that say more than what counts now, without names and codes.

    A teacher of the site need not know who goes by a pseudonym.
    """
    visitor.teaching()
    with classroom.read() as connection:
        submission = submissions.get(connection, submission_id)
        found = unearned_certificates(connection, classroom, submission_id)
    context: dict[str, Any] = {"submission": submission, "certificates": found, "longest": LONGEST_REASON}
    return show(request, visitor, "teach_certificates.html", section="teach", **context)


@router.post("/teach/submissions/{submission_id}/certificates")
def revoke_unearned(classroom: ClassroomOf, visitor: PageVisitor, submission_id: Number, form: SentForm) -> Response:
    """Revokes them; their owner reads the reason."""
    teacher, reason = visitor.teaching(), read_reason(form)
    with classroom.write() as connection:
        for certificate in unearned_certificates(connection, classroom, submission_id):
            _revoke(connection, teacher, certificate, reason)
    return redirect(f"/agents/{submission_id}")


@router.post("/teach/certificates/{code}/revoke")
def revoke(classroom: ClassroomOf, visitor: PageVisitor, code: str, form: SentForm) -> Response:
    """Revokes a certificate, whose code the teacher has; its owner reads the reason.

    Raises:
        NotFound: If there is none.
    """
    teacher, reason = visitor.teaching(), read_reason(form)
    with classroom.write() as connection:
        certificate = issuing.find(connection, code)
        _revoke(connection, teacher, certificate, reason)
    return redirect(f"/certificates/{certificate.code}")


@router.post("/teach/certificates/{code}/allow", dependencies=[Depends(read_form)])
def allow_another(classroom: ClassroomOf, visitor: PageVisitor, code: str) -> Response:
    """Lets the owner of a revoked certificate have another one issued, as far as it is earned.

    Raises:
        NotFound: If there is none.
    """
    teacher = visitor.teaching()
    with classroom.write() as connection:
        certificate = issuing.find(connection, code)
        if revoking.allow_another(connection, certificate.person_id):
            _record(connection, teacher, "certificate.allow", certificate)
    return redirect(f"/certificates/{certificate.code}")


def _revoke(connection: Connection, teacher: Person, certificate: Certificate, reason: str) -> None:
    if revoking.revoke(connection, certificate, reason):
        _record(connection, teacher, "certificate.revoke", certificate, reason=reason)


def _record(connection: Connection, teacher: Person, action: str, certificate: Certificate, **more: Any) -> None:
    owner = people.get(connection, certificate.person_id)
    subject = f"certificate of {certificate.level} of {owner.name}"
    log.record(connection, teacher, action, subject, person=owner.id, certificate=certificate.code, **more)
