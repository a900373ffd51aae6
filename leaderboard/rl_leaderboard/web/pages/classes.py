"""A class: for its teachers the roster against the assignments, for its students what is due."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from rl_leaderboard.audit import log
from rl_leaderboard.classes import deadlines, members, records, roster
from rl_leaderboard.classes.matrix import STATES
from rl_leaderboard.web.pages.decisions import sentence
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.requests import ClassroomOf, Number, PageVisitor, read_form
from rl_leaderboard.web.spreadsheets import csv_response

router = APIRouter(include_in_schema=False)

Shown = Annotated[Literal["all", "attention"], Query(alias="show")]
_ENTRIES = 50  # of the log, on a page
_CLASSES = 100  # of one person, on a page


@router.get("/classes")
def own_classes(request: Request, classroom: ClassroomOf, visitor: PageVisitor) -> Response:
    """The classes that the visitor is in, as a student or as a teacher."""
    visitor.signed_in()
    with classroom.read() as connection:
        found = records.list_of(connection, visitor, limit=_CLASSES, own_only=True)
    over = [one for one in found if one.role == "student" and one.record.archived_at is not None]
    return show(request, visitor, "classes.html", classes=[one for one in found if one not in over], over=over)


@router.get("/classes/{class_id}")
def class_page(
    request: Request, classroom: ClassroomOf, visitor: PageVisitor, class_id: Number, shown: Shown = "all"
) -> Response:
    """The class, as its teachers or its students see it."""
    claims_pass = classroom.settings.certify_claims
    with classroom.read() as connection:
        record, role = records.find(connection, visitor, class_id)
        if role == "student":
            due = deadlines.read(connection, class_id)
            rows = [(assignment, due.get(assignment.id)) for assignment in classroom.course.assignments]
            return show(request, visitor, "class_student.html", record=record, rows=rows)
        matrix = roster.read(connection, class_id, classroom.course, certify_claims=claims_pass)
    students = len(matrix.rows)
    if shown == "attention":
        matrix = matrix.needing_attention()
    context: dict[str, Any] = {
        "record": record,
        "matrix": matrix,
        "students": students,
        "shown": shown,
        "states": STATES,
        "claims_pass": claims_pass,
    }
    return show(request, visitor, "class_roster.html", section="teach", **context)


@router.get("/classes/{class_id}/roster.csv")
def roster_file(classroom: ClassroomOf, visitor: PageVisitor, class_id: Number, shown: Shown = "all") -> Response:
    """The roster for a spreadsheet."""
    claims_pass = classroom.settings.certify_claims
    with classroom.read() as connection:
        records.taught(connection, visitor, class_id)
        matrix = roster.read(connection, class_id, classroom.course, certify_claims=claims_pass)
    if shown == "attention":
        matrix = matrix.needing_attention()
    return csv_response(f"class-{class_id}-roster.csv", roster.header(matrix), roster.table(matrix))


@router.get("/classes/{class_id}/log")
def class_log(
    request: Request,
    classroom: ClassroomOf,
    visitor: PageVisitor,
    class_id: Number,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """What was decided in the class, newest first."""
    with classroom.read() as connection:
        record = records.taught(connection, visitor, class_id)
        entries = log.latest(connection, _ENTRIES + 1, before_id=before, class_id=class_id)
    page = [(entry, sentence(entry)) for entry in entries[:_ENTRIES]]
    older = page[-1][0].id if len(entries) > _ENTRIES else None
    context: dict[str, Any] = {"record": record, "entries": page, "older": older, "is_first": before is None}
    return show(request, visitor, "class_log.html", section="teach", **context)


@router.post("/classes/{class_id}/leave", dependencies=[Depends(read_form)])
def leave_class(classroom: ClassroomOf, visitor: PageVisitor, class_id: Number) -> Response:
    """Takes the visitor out of the class, which may be archived."""
    person = visitor.writing()
    with classroom.write() as connection:
        record = records.attended(connection, visitor, class_id)
        members.remove(connection, class_id, person.id)
        log.record(connection, person, "class.leave", record.name, class_id=class_id)
    return redirect("/me")
