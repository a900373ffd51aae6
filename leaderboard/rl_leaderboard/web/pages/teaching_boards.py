"""What teachers of the site decide about a board."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from rl_leaderboard.boards import assignments
from rl_leaderboard.errors import BadRequest
from rl_leaderboard.submissions import rejudging
from rl_leaderboard.web import board_decisions
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.requests import ClassroomOf, Form, PageVisitor, SentForm, read_form

router = APIRouter(include_in_schema=False)

_DONE = {
    "saved": "The settings have been saved, and the board follows them.",
    "frozen": "The board is frozen: it stays as it is, whatever arrives.",
    "thawed": "The board moves again, and has taken in what arrived meanwhile.",
    "queued": "The board is queued.",
    "played": "Nothing is queued anew: what stands there waits already, or has played all its games of this season.",
}
_COUNTINGS = {
    "best": ("the best", "verified before claimed, then the highest score"),
    "latest": ("the latest", "by the time of the commit"),
    "declared": ("the declared one", "the student says which; the latest until then"),
}


@router.get("/teach/boards/{assignment_id}")
def board_settings(
    request: Request, classroom: ClassroomOf, visitor: PageVisitor, assignment_id: str, done: str = ""
) -> Response:
    """The settings of a board."""
    visitor.teaching()
    assignment = assignments.by_id(classroom.course, assignment_id)
    with classroom.read() as connection:
        settings = assignments.get(connection, assignment.id)
        states = rejudging.count_states(connection, assignment.id)
        played = rejudging.count_played(connection, assignment, classroom.settings.season)
    context: dict[str, Any] = {
        "assignment": assignment,
        "settings": settings,
        "states": states,
        "played": played,
        "season": classroom.settings.season,
        "countings": _COUNTINGS,
        "most_a_day": assignments.MOST_A_DAY,
        "message": _DONE.get(done, ""),
    }
    return show(request, visitor, "teach_board.html", section="teach", **context)


@router.post("/teach/boards/{assignment_id}")
def change_board(classroom: ClassroomOf, visitor: PageVisitor, assignment_id: str, form: SentForm) -> Response:
    """Changes what counts and how much is taken in a day."""
    person = visitor.teaching()
    assignment = assignments.by_id(classroom.course, assignment_id)
    counting, quota = form.text("counting"), _read_quota(form)
    with classroom.write() as connection:
        board_decisions.change(connection, person, assignment.id, counting=counting, quota_per_day=quota)
    return redirect(f"/teach/boards/{assignment.id}?done=saved")


@router.post("/teach/boards/{assignment_id}/freeze", dependencies=[Depends(read_form)])
def freeze_board(classroom: ClassroomOf, visitor: PageVisitor, assignment_id: str) -> Response:
    """Lets the board stay as it is."""
    person = visitor.teaching()
    assignment = assignments.by_id(classroom.course, assignment_id)
    with classroom.write() as connection:
        board_decisions.freeze(connection, person, assignment.id)
    return redirect(f"/teach/boards/{assignment.id}?done=frozen")


@router.post("/teach/boards/{assignment_id}/thaw", dependencies=[Depends(read_form)])
def thaw_board(classroom: ClassroomOf, visitor: PageVisitor, assignment_id: str) -> Response:
    """Lets the board move again."""
    person = visitor.teaching()
    assignment = assignments.by_id(classroom.course, assignment_id)
    with classroom.write() as connection:
        board_decisions.thaw(connection, person, assignment.id)
    return redirect(f"/teach/boards/{assignment.id}?done=thawed")


@router.post("/teach/boards/{assignment_id}/rejudge")
def rejudge_board(classroom: ClassroomOf, visitor: PageVisitor, assignment_id: str, form: SentForm) -> Response:
    """Asks for what stands on the board to be judged again, if it has games left to play in this season."""
    person = visitor.teaching()
    assignment = assignments.by_id(classroom.course, assignment_id)
    if not form.is_ticked("sure"):
        raise BadRequest("Tick the box to say that you are sure, then send the form again.")
    with classroom.write() as connection:
        queued = board_decisions.rejudge(connection, classroom, person, assignment)
    return redirect(f"/teach/boards/{assignment.id}?done={'queued' if queued else 'played'}")


def _read_quota(form: Form) -> int | None:
    """The quota of a day; None for none.

    Raises:
        BadRequest: If it is no number.
    """
    text = form.text("quota_per_day").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadRequest(
            f"A quota is a number from 1 to {assignments.MOST_A_DAY} submissions a day, or empty for none."
        )
    return int(text)
