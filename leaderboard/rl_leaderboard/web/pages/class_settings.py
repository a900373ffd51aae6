"""What teachers decide about a class: its deadlines, its name, and when it is over."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from rl_leaderboard.audit import log
from rl_leaderboard.classes import deadlines, records
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import BadRequest
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.web.pages.decisions import moment
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.requests import ClassroomOf, Number, PageVisitor, SentForm, read_form

router = APIRouter(include_in_schema=False)

_MOMENTS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M")
_YEARS = range(2000, 2100)
_DONE = {
    "deadlines": "The deadlines have been saved.",
    "renamed": "The class has its new name.",
    "archived": "The class is archived. You can still read everything, and bring it back.",
    "restored": "The class is back.",
}


@router.get("/classes/{class_id}/settings")
def settings_page(
    request: Request, classroom: ClassroomOf, visitor: PageVisitor, class_id: Number, done: str = ""
) -> Response:
    """The settings of a class."""
    with classroom.read() as connection:
        record = records.taught(connection, visitor, class_id)
        due = deadlines.read(connection, class_id)
    typed = {name: due_at.strftime(_MOMENTS[0]) for name, due_at in due.items()}
    return _show(request, classroom, visitor, record, typed, message=_DONE.get(done, ""))


@router.post("/classes/{class_id}/deadlines")
def change_deadlines(
    request: Request, classroom: ClassroomOf, visitor: PageVisitor, class_id: Number, form: SentForm
) -> Response:
    """Sets the deadlines of all assignments; if one cannot be read, none, and the form comes back as it was typed."""
    person = visitor.writing()
    typed = {one.id: form.text(f"due-{one.id}", longest=32) for one in classroom.course.assignments}
    wished, refused = _read_deadlines(classroom, typed)
    with classroom.write() as connection:
        record = records.managed(connection, visitor, class_id)
        if refused:
            return _show(request, classroom, visitor, record, typed, refused=refused)
        changed = deadlines.change(connection, class_id, wished)
        if changed:
            log.record(connection, person, "class.deadlines", record.name, class_id=class_id, due=_told(changed))
    return redirect(f"/classes/{class_id}/settings?done=deadlines")


@router.post("/classes/{class_id}/name")
def rename_class(classroom: ClassroomOf, visitor: PageVisitor, class_id: Number, form: SentForm) -> Response:
    """Gives the class another name."""
    person = visitor.writing()
    with classroom.write() as connection:
        record = records.managed(connection, visitor, class_id)
        name = records.rename(connection, class_id, form.text("name"))
        log.record(connection, person, "class.rename", name, class_id=class_id, before=record.name)
    return redirect(f"/classes/{class_id}/settings?done=renamed")


@router.post("/classes/{class_id}/archive")
def archive_class(classroom: ClassroomOf, visitor: PageVisitor, class_id: Number, form: SentForm) -> Response:
    """Ends the class."""
    person = visitor.writing()
    if not form.is_ticked("sure"):
        raise BadRequest("Tick the box to say that you are sure, then archive the class.")
    with classroom.write() as connection:
        record = records.managed(connection, visitor, class_id)
        records.archive(connection, class_id)
        log.record(connection, person, "class.archive", record.name, class_id=class_id)
    return redirect(f"/classes/{class_id}/settings?done=archived")


@router.post("/classes/{class_id}/restore", dependencies=[Depends(read_form)])
def restore_class(classroom: ClassroomOf, visitor: PageVisitor, class_id: Number) -> Response:
    """Lets an archived class go on."""
    person = visitor.writing()
    with classroom.write() as connection:
        record = records.taught(connection, visitor, class_id)
        if record.archived_at is not None:
            records.restore(connection, class_id)
            log.record(connection, person, "class.restore", record.name, class_id=class_id)
    return redirect(f"/classes/{class_id}/settings?done=restored")


def _show(
    request: Request,
    classroom: Classroom,
    visitor: Visitor,
    record: records.ClassRecord,
    typed: Mapping[str, str],
    *,
    refused: Mapping[str, str] | None = None,
    message: str = "",
) -> Response:
    rows = [(assignment, typed.get(assignment.id, "")) for assignment in classroom.course.assignments]
    context: dict[str, Any] = {
        "record": record,
        "rows": rows,
        "refused": refused or {},
        "longest": records.LONGEST_NAME,
        "message": message,
    }
    status = 400 if refused else 200
    return show(request, visitor, "class_settings.html", status=status, section="teach", **context)


def _read_deadlines(
    classroom: Classroom, typed: Mapping[str, str]
) -> tuple[dict[str, datetime | None], dict[str, str]]:
    """The deadlines by assignment, and a sentence for each assignment whose deadline cannot be read."""
    wished: dict[str, datetime | None] = {}
    refused: dict[str, str] = {}
    for assignment in classroom.course.assignments:
        try:
            wished[assignment.id] = read_moment(typed[assignment.id])
        except BadRequest as error:
            refused[assignment.id] = f"{assignment.title}: {error.message}"
    return wished, refused


def read_moment(text: str) -> datetime | None:
    """A moment in UTC, as a browser's field for date and time sends it; None for an empty field.

    Raises:
        BadRequest: If it cannot be read.
    """
    if not text.strip():
        return None
    for form in _MOMENTS:
        try:
            moment = datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
        if moment.year in _YEARS:
            return moment
    raise BadRequest("A deadline is a date and a time in UTC, such as 2026-11-30T23:59.")


def _told(changed: Mapping[str, datetime | None]) -> dict[str, str]:
    return {name: moment(due_at) if due_at else "none" for name, due_at in changed.items()}
