"""A teacher's home: the own classes, and the boards."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from rl_leaderboard.audit import log
from rl_leaderboard.boards import assignments
from rl_leaderboard.classes import records
from rl_leaderboard.errors import Forbidden
from rl_leaderboard.submissions import retractions
from rl_leaderboard.web.pages import decisions
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.requests import ClassroomOf, PageVisitor, SentForm

router = APIRouter(include_in_schema=False)

_CLASSES = 100  # on a page
_WAITING = 20  # submissions, on the page
_ENTRIES = 50  # of the log, on a page


@router.get("/teach")
def teacher_page(
    request: Request,
    classroom: ClassroomOf,
    visitor: PageVisitor,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Classes and boards, for teachers of the site and of single classes."""
    visitor.signed_in()
    with classroom.read() as connection:
        found = records.list_of(connection, visitor, limit=_CLASSES + 1, before_id=before)
        taught = [one for one in found[:_CLASSES] if visitor.is_admin or one.role == "teacher"]
        if not visitor.is_teacher and not taught:
            raise Forbidden("This page is for teachers. A teacher of the site makes classes and invites others.")
        course = classroom.course if visitor.is_teacher else None
        boards = [(one, assignments.get(connection, one.id)) for one in course.assignments] if course else []
        waiting, waiting_count = retractions.list_waiting(connection, limit=_WAITING) if course else ([], 0)
    context: dict[str, Any] = {
        "waiting": waiting,
        "waiting_count": waiting_count,
        "titles": {assignment.id: assignment.title for assignment in classroom.course.assignments},
        "classes": sorted(taught, key=lambda one: one.record.archived_at is not None),
        "boards": boards,
        "older": found[_CLASSES - 1].record.id if len(found) > _CLASSES else None,
        "is_first": before is None,
        "longest": records.LONGEST_NAME,
    }
    return show(request, visitor, "teach.html", section="teach", **context)


@router.get("/teach/log")
def decisions_page(
    request: Request,
    classroom: ClassroomOf,
    visitor: PageVisitor,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """What teachers of the site have decided about boards, submissions and certificates, without students' names."""
    visitor.teaching()
    with classroom.read() as connection:
        entries = log.latest(connection, _ENTRIES + 1, before_id=before, of_teachers=True)
    older = entries[_ENTRIES - 1].id if len(entries) > _ENTRIES else None
    page = [decisions.tell(entry) for entry in entries[:_ENTRIES]]
    context: dict[str, Any] = {"entries": page, "older": older, "is_first": before is None}
    return show(request, visitor, "teach_log.html", section="teach", **context)


@router.post("/teach/classes")
def create_class(classroom: ClassroomOf, visitor: PageVisitor, form: SentForm) -> Response:
    """Makes a class, whose first teacher the visitor is."""
    person = visitor.teaching()
    with classroom.write() as connection:
        record = records.create(connection, form.text("name"), person)
        log.record(connection, person, "class.create", record.name, class_id=record.id)
    return redirect(f"/classes/{record.id}/people")
