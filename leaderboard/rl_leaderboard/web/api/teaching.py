"""What teachers of the site decide about boards and submissions, for programs."""

from fastapi import APIRouter, Request
from sqlalchemy import Connection

from rl_leaderboard.boards import assignments
from rl_leaderboard.submissions import rejudging, retractions
from rl_leaderboard.web import board_decisions, submission_decisions
from rl_leaderboard.web.api import submission_answers
from rl_leaderboard.web.api.models import ERRORS, SIGNED_IN, Limit
from rl_leaderboard.web.api.submission_models import SubmissionAnswer
from rl_leaderboard.web.api.teaching_models import (
    BoardChange,
    BoardSettings,
    RetractedAnswer,
    RetractionRequest,
    WaitingAnswer,
    WaitingSubmission,
)
from rl_leaderboard.web.requests import ApiVisitor, ClassroomOf, Number, base_url
from rl_leaderboard.web.visibility import look_at

router = APIRouter(prefix="/api/v1", tags=["teaching"], responses=ERRORS, dependencies=[SIGNED_IN])


@router.get("/boards/{assignment_id}/settings")
def read_settings(assignment_id: str, classroom: ClassroomOf, visitor: ApiVisitor) -> BoardSettings:
    """The settings of a board, for teachers."""
    visitor.teacher()
    assignment = assignments.by_id(classroom.course, assignment_id)
    with classroom.read() as connection:
        return _settings(connection, assignment.id)


@router.patch("/boards/{assignment_id}/settings")
def change_settings(
    assignment_id: str, classroom: ClassroomOf, visitor: ApiVisitor, body: BoardChange
) -> BoardSettings:
    """Changes what counts and how much is taken in a day; the board follows."""
    person = visitor.teaching()
    assignment = assignments.by_id(classroom.course, assignment_id)
    with classroom.write() as connection:
        before = assignments.get(connection, assignment.id)
        quota = body.quota_per_day if "quota_per_day" in body.model_fields_set else before.quota_per_day
        counting = body.counting or before.counting
        board_decisions.change(connection, person, assignment.id, counting=counting, quota_per_day=quota)
        return _settings(connection, assignment.id)


@router.post("/boards/{assignment_id}/freeze")
def freeze_board(assignment_id: str, classroom: ClassroomOf, visitor: ApiVisitor) -> BoardSettings:
    """Lets a board stay as it is, whatever arrives."""
    person = visitor.teaching()
    assignment = assignments.by_id(classroom.course, assignment_id)
    with classroom.write() as connection:
        board_decisions.freeze(connection, person, assignment.id)
        return _settings(connection, assignment.id)


@router.post("/boards/{assignment_id}/thaw")
def thaw_board(assignment_id: str, classroom: ClassroomOf, visitor: ApiVisitor) -> BoardSettings:
    """Lets a board move again; it takes in what has arrived meanwhile."""
    person = visitor.teaching()
    assignment = assignments.by_id(classroom.course, assignment_id)
    with classroom.write() as connection:
        board_decisions.thaw(connection, person, assignment.id)
        return _settings(connection, assignment.id)


@router.post("/boards/{assignment_id}/rejudge")
def rejudge_board(assignment_id: str, classroom: ClassroomOf, visitor: ApiVisitor) -> BoardSettings:
    """Asks for what stands on a board and has games left in this season to be judged again; scores stay until then."""
    person = visitor.teaching()
    assignment = assignments.by_id(classroom.course, assignment_id)
    with classroom.write() as connection:
        board_decisions.rejudge(connection, classroom, person, assignment)
        return _settings(connection, assignment.id)


@router.get("/waiting")
def list_waiting(request: Request, classroom: ClassroomOf, visitor: ApiVisitor, limit: Limit = 20) -> WaitingAnswer:
    """What counts once a teacher restores it, because earlier work of its student was retracted; for teachers."""
    visitor.teacher()
    with classroom.read() as connection:
        found, total = retractions.list_waiting(connection, limit=limit)
    items = [
        WaitingSubmission(
            submission=one.id,
            agent=one.shown_agent,
            assignment=one.assignment_id,
            received_at=one.received_at,
            url=submission_answers.address(base_url(request), one),
        )
        for one in found
    ]
    return WaitingAnswer(items=items, total=total)


@router.post("/submissions/{submission_id}/rejudge")
def rejudge(request: Request, submission_id: Number, classroom: ClassroomOf, visitor: ApiVisitor) -> SubmissionAnswer:
    """Asks for a submission to be judged again; what is known of it stays until there is a new result."""
    person = visitor.teaching()
    with classroom.write() as connection:
        submission_decisions.rejudge(connection, classroom, person, submission_id)
        seen = look_at(connection, visitor, submission_id)
        return submission_answers.describe(connection, seen, base_url(request))


@router.post("/submissions/{submission_id}/retract")
def retract(
    request: Request, submission_id: Number, classroom: ClassroomOf, visitor: ApiVisitor, body: RetractionRequest
) -> RetractedAnswer:
    """Takes a submission off the board; what its student hands in for the assignment later waits for a teacher."""
    person, reason, site = visitor.teaching(), submission_decisions.checked_reason(body.reason), base_url(request)
    with classroom.write() as connection:
        submission_decisions.retract(connection, person, submission_id, reason, others=body.others)
        left = submission_decisions.unearned_certificates(connection, classroom, submission_id)
        answer = submission_answers.describe(connection, look_at(connection, visitor, submission_id), site)
    url = f"{site}/teach/submissions/{submission_id}/certificates" if left else None
    return RetractedAnswer(**answer.model_dump(), certificates_url=url)


@router.post("/submissions/{submission_id}/restore")
def restore(request: Request, submission_id: Number, classroom: ClassroomOf, visitor: ApiVisitor) -> SubmissionAnswer:
    """Takes a retraction back, or lets one count that has waited because of an earlier one."""
    person = visitor.teaching()
    with classroom.write() as connection:
        submission_decisions.restore(connection, person, submission_id)
        seen = look_at(connection, visitor, submission_id)
        return submission_answers.describe(connection, seen, base_url(request))


def _settings(connection: Connection, assignment_id: str) -> BoardSettings:
    settings = assignments.get(connection, assignment_id)
    return BoardSettings(
        assignment=settings.id,
        counting=settings.counting,
        quota_per_day=settings.quota_per_day,
        frozen_at=settings.frozen_at,
        states=rejudging.count_states(connection, assignment_id),
    )
