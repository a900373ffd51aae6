"""What teachers of the site decide about a single submission."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from rl_leaderboard.web import submission_decisions
from rl_leaderboard.web.pages.site import redirect
from rl_leaderboard.web.requests import ClassroomOf, Form, Number, PageVisitor, SentForm, read_form

router = APIRouter(include_in_schema=False)


@router.post("/teach/submissions/{submission_id}/rejudge", dependencies=[Depends(read_form)])
def rejudge(classroom: ClassroomOf, visitor: PageVisitor, submission_id: Number) -> Response:
    """Asks for a submission to be judged again; what is known of it stays until there is a new result."""
    person = visitor.teaching()
    with classroom.write() as connection:
        submission_decisions.rejudge(connection, classroom, person, submission_id)
    return redirect(f"/agents/{submission_id}")


@router.post("/teach/submissions/{submission_id}/retract")
def retract(classroom: ClassroomOf, visitor: PageVisitor, submission_id: Number, form: SentForm) -> Response:
    """Takes a submission off the board; its student reads the reason, and later ones wait for a teacher.

    With `others` ticked, the other commits of the repository go with it. If the student has certificates that say more
    than what counts now, the next page offers to revoke them.
    """
    person, reason = visitor.teaching(), read_reason(form)
    with classroom.write() as connection:
        submission_decisions.retract(connection, person, submission_id, reason, others=form.is_ticked("others"))
        left = submission_decisions.unearned_certificates(connection, classroom, submission_id)
    return redirect(f"/teach/submissions/{submission_id}/certificates" if left else f"/agents/{submission_id}")


@router.post("/teach/submissions/{submission_id}/restore", dependencies=[Depends(read_form)])
def restore(classroom: ClassroomOf, visitor: PageVisitor, submission_id: Number) -> Response:
    """Takes a retraction back, or lets one count that has waited because of an earlier one."""
    person = visitor.teaching()
    with classroom.write() as connection:
        submission_decisions.restore(connection, person, submission_id)
    return redirect(f"/agents/{submission_id}")


def read_reason(form: Form) -> str:
    """Why a teacher takes something away, as the form says.

    Raises:
        BadRequest: If it says nothing, or too much.
    """
    return submission_decisions.checked_reason(form.text("reason"))
