"""What teachers of the site decide about a single submission."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from rl_leaderboard.audit import log
from rl_leaderboard.errors import BadRequest, Conflict
from rl_leaderboard.submissions import submissions
from rl_leaderboard.submissions.submissions import Submission
from rl_leaderboard.web.pages.site import redirect
from rl_leaderboard.web.requests import ClassroomOf, Number, PageVisitor, SentForm, read_form

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
    """Takes a submission off the board; its student reads the reason."""
    person, reason = visitor.teaching(), " ".join(form.text("reason").split())
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise BadRequest(f"Say why, in at most {LONGEST_REASON} characters: the student reads it.")
    with classroom.write() as connection:
        submission = submissions.get(connection, submission_id)
        submissions.retract(connection, submission, reason)
        called = _called(submission)
        log.record(connection, person, "submission.retract", called, submission=submission.id, reason=reason)
    return redirect(f"/agents/{submission_id}")


@router.post("/teach/submissions/{submission_id}/restore", dependencies=[Depends(read_form)])
def restore(classroom: ClassroomOf, visitor: PageVisitor, submission_id: Number) -> Response:
    """Takes a retraction back."""
    person = visitor.teaching()
    with classroom.write() as connection:
        submission = submissions.get(connection, submission_id)
        if submission.retracted_at is not None:
            submissions.restore(connection, submission)
            log.record(connection, person, "submission.restore", _called(submission), submission=submission.id)
    return redirect(f"/agents/{submission_id}")


def _called(submission: Submission) -> str:
    """The submission as the log names it."""
    return f"{submission.repo_id} at {submission.sha[:7]} ({submission.assignment_id})"
