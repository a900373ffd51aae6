"""What administrators decide: who is a teacher; and the log of what was decided."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from rl_leaderboard.audit import log
from rl_leaderboard.errors import Conflict
from rl_leaderboard.people import directory, people
from rl_leaderboard.people.people import Person
from rl_leaderboard.web.pages.decisions import sentence
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.requests import ClassroomOf, Number, PageVisitor, SentForm

_LABELS: dict[people.Role, str] = {"student": "Student", "teacher": "Teacher", "admin": "Administrator"}
_PAGE = 50

router = APIRouter(include_in_schema=False)


@router.get("/admin/people")
def people_page(
    request: Request,
    classroom: ClassroomOf,
    visitor: PageVisitor,
    q: str = "",
    after_name: str = "",
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    changed: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Response:
    """Everybody, or whom a search finds."""
    visitor.administering()
    words = directory.searchable(q)
    place = (directory.searchable(after_name), after) if after else None
    with classroom.read() as connection:
        found = directory.search(connection, words, limit=_PAGE + 1, after=place)
        said = _said(people.get(connection, changed)) if changed else ""
    shown, rest = found[:_PAGE], found[_PAGE:]
    return show(
        request,
        visitor,
        "people.html",
        section="admin",
        words=words,
        found=shown,
        labels=_LABELS,
        error="",
        changed=said,
        first=_address(words) if after else "",
        next=_address(words, after_name=shown[-1].key, after=shown[-1].id) if rest else "",
    )


@router.post("/admin/people/{person_id}/role")
def change_role(classroom: ClassroomOf, visitor: PageVisitor, form: SentForm, person_id: Number) -> Response:
    """Makes somebody a student, a teacher or an administrator.

    Raises:
        Conflict: If it is one's own role: nobody should lock themselves out by mistake.
    """
    actor = visitor.administering()
    if person_id == actor.id:
        raise Conflict("Your own role can only be changed by another administrator.")
    role = form.text("role")
    with classroom.write() as connection:
        before = people.get(connection, person_id)
        people.change_role(connection, person_id, role)
        if before.role != role:
            log.record(connection, actor, "person.role", before.name, person=person_id, before=before.role, after=role)
    return redirect(_address(directory.searchable(form.text("q")), changed=person_id))


@router.get("/admin/audit")
def audit_page(
    request: Request,
    classroom: ClassroomOf,
    visitor: PageVisitor,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """What teachers and administrators have decided."""
    visitor.administering()
    with classroom.read() as connection:
        entries = log.latest(connection, _PAGE + 1, before_id=before)
    following = entries[_PAGE - 1].id if len(entries) > _PAGE else None
    return show(
        request,
        visitor,
        "audit.html",
        section="admin",
        entries=[(entry, sentence(entry)) for entry in entries[:_PAGE]],
        is_later=before is not None,
        next=following,
    )


def _address(words: str, **more: str | int) -> str:
    query = urlencode({name: value for name, value in {"q": words, **more}.items() if value})
    return "/admin/people" + (f"?{query}" if query else "")


def _said(person: Person) -> str:
    return f"{person.name} is now: {_LABELS[person.role]}."
