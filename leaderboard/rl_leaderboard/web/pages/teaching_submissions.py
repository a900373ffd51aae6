"""What teachers of the site decide about a single submission."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Depends
from sqlalchemy import Connection
from starlette.responses import Response

from rl_leaderboard.audit import log
from rl_leaderboard.certificates import revoking
from rl_leaderboard.certificates.issuing import Certificate
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import BadRequest, Conflict
from rl_leaderboard.people import people
from rl_leaderboard.submissions import retractions, submissions
from rl_leaderboard.submissions.submissions import Submission
from rl_leaderboard.web.pages.site import redirect
from rl_leaderboard.web.requests import ClassroomOf, Form, Number, PageVisitor, SentForm, read_form

router = APIRouter(include_in_schema=False)

LONGEST_REASON = 500


@router.post("/teach/submissions/{submission_id}/rejudge", dependencies=[Depends(read_form)])
def rejudge(classroom: ClassroomOf, visitor: PageVisitor, submission_id: Number) -> Response:
    """Asks for a submission to be judged again; what is known of it stays until there is a new result."""
    person = visitor.teaching()
    with classroom.write() as connection:
        submission = submissions.get(connection, submission_id)
        if submission.gone_at is not None:
            raise Conflict("Its repository was deleted or hidden, so there is nothing to judge.")
        if submission.state not in ("queued", "running"):
            submissions.queue(connection, submission)
            log.record(connection, person, "submission.rejudge", _called(submission), submission=submission.id)
    return redirect(f"/agents/{submission_id}")


@router.post("/teach/submissions/{submission_id}/retract")
def retract(classroom: ClassroomOf, visitor: PageVisitor, submission_id: Number, form: SentForm) -> Response:
    """Takes a submission off the board; its student reads the reason, and later ones wait for a teacher.

    With `others` ticked, the other commits of the repository go with it. If the student has certificates that say more
    than what counts now, the next page offers to revoke them.
    """
    person, reason = visitor.teaching(), read_reason(form)
    with classroom.write() as connection:
        submission = submissions.get(connection, submission_id)
        more: dict[str, Any] = {"reason": reason, "later": "waits for a teacher"}
        if form.is_ticked("others"):
            more["others"] = retractions.retract_repository(connection, submission, reason)
        else:
            submissions.retract(connection, submission, reason)
        log.record(connection, person, "submission.retract", _called(submission), submission=submission.id, **more)
        submission = submissions.get(connection, submission_id)
        left = unearned_certificates(connection, classroom, submission)
    return redirect(f"/teach/submissions/{submission_id}/certificates" if left else f"/agents/{submission_id}")


@router.post("/teach/submissions/{submission_id}/restore", dependencies=[Depends(read_form)])
def restore(classroom: ClassroomOf, visitor: PageVisitor, submission_id: Number) -> Response:
    """Takes a retraction back, or lets one count that has waited because of an earlier one."""
    person = visitor.teaching()
    with classroom.write() as connection:
        submission = submissions.get(connection, submission_id)
        if submission.retracted_at is not None:
            submissions.restore(connection, submission)
            called, later = _called(submission), "counts again"
            log.record(connection, person, "submission.restore", called, submission=submission.id, later=later)
    return redirect(f"/agents/{submission_id}")


def read_reason(form: Form) -> str:
    """Why a teacher takes something away, as the form says.

    Raises:
        BadRequest: If it says nothing, or too much.
    """
    reason = " ".join(form.text("reason").split())
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise BadRequest(f"Say why, in at most {LONGEST_REASON} characters: the student reads it.")
    return reason


def unearned_certificates(
    connection: Connection, classroom: Classroom, submission: Submission
) -> Sequence[Certificate]:
    """The valid certificates of a submission's student that say more than what counts now."""
    student = people.find(connection, submission.source, submission.student_name)
    if student is None:
        return []
    certify_claims = classroom.settings.certify_claims
    return revoking.unearned(connection, classroom.course, student, submission, certify_claims=certify_claims)


def _called(submission: Submission) -> str:
    """The submission as the log names it."""
    return f"{submission.repo_id} at {submission.sha[:7]} ({submission.assignment_id})"
