"""Who is in a class, and the invitations by which others join."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from rl_leaderboard.audit import log
from rl_leaderboard.classes import invitations, members, records
from rl_leaderboard.errors import BadRequest
from rl_leaderboard.web.pages.decisions import moment
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.requests import ClassroomOf, Number, PageVisitor, SentForm, read_form

router = APIRouter(include_in_schema=False)

_DAYS = {"1": "a day", "7": "a week", "30": "30 days", "90": "90 days", "180": "half a year"}
_DONE = {
    "invited": "The invitation is ready. Send its address to whoever should join.",
    "revoked": "The invitation has been revoked: its address leads nowhere now.",
    "removed": "The person has left the class. Their submissions stay on the boards.",
    "changed": "The role has been changed.",
}


@router.get("/classes/{class_id}/people")
def people_page(
    request: Request, classroom: ClassroomOf, visitor: PageVisitor, class_id: Number, done: str = ""
) -> Response:
    """The invitations and the members of a class."""
    with classroom.read() as connection:
        record = records.taught(connection, visitor, class_id)
        context: dict[str, Any] = {
            "record": record,
            "invitations": invitations.list_of_class(connection, class_id),
            "members": members.list_of_class(connection, class_id),
            "lifetimes": _DAYS,
            "message": _DONE.get(done, ""),
        }
    return show(request, visitor, "class_people.html", section="teach", **context)


@router.get("/classes/{class_id}/members/{person_id}")
def member_page(
    request: Request, classroom: ClassroomOf, visitor: PageVisitor, class_id: Number, person_id: Number
) -> Response:
    """What can be decided about a member, and what follows from it."""
    with classroom.read() as connection:
        record = records.managed(connection, visitor, class_id)
        member = members.get(connection, class_id, person_id)
    return show(request, visitor, "class_member.html", section="teach", record=record, member=member)


@router.post("/classes/{class_id}/invitations")
def create_invitation(classroom: ClassroomOf, visitor: PageVisitor, class_id: Number, form: SentForm) -> Response:
    """Makes an invitation."""
    person, days = visitor.writing(), form.text("days")
    if days not in _DAYS:
        raise BadRequest("Choose from the list for how long the invitation is good.")
    with classroom.write() as connection:
        records.managed(connection, visitor, class_id)
        made = invitations.create(connection, class_id, role=form.text("role"), days=int(days))
        log.record(
            connection, person, "class.invite", f"{made.role}s", class_id=class_id, until=moment(made.expires_at)
        )
    return redirect(f"/classes/{class_id}/people?done=invited")


@router.post("/classes/{class_id}/invitations/revoke")
def revoke_invitation(classroom: ClassroomOf, visitor: PageVisitor, class_id: Number, form: SentForm) -> Response:
    """Makes an invitation worthless."""
    person = visitor.writing()
    with classroom.write() as connection:
        records.managed(connection, visitor, class_id)
        revoked = invitations.revoke(connection, class_id, form.text("code"))
        log.record(connection, person, "class.revoke", f"{revoked.role}s", class_id=class_id)
    return redirect(f"/classes/{class_id}/people?done=revoked")


@router.post("/classes/{class_id}/members/{person_id}/role")
def change_role(
    classroom: ClassroomOf, visitor: PageVisitor, class_id: Number, person_id: Number, form: SentForm
) -> Response:
    """Makes a member a teacher or a student of the class."""
    person, role = visitor.writing(), form.text("role")
    with classroom.write() as connection:
        records.managed(connection, visitor, class_id)
        member = members.change_role(connection, class_id, person_id, role)
        log.record(connection, person, "class.role", member.person.name, class_id=class_id, person=person_id, role=role)
    # Who is no teacher any more cannot see the page of members.
    return redirect(f"/classes/{class_id}" + ("" if person_id == person.id else "/people?done=changed"))


@router.post("/classes/{class_id}/members/{person_id}/remove", dependencies=[Depends(read_form)])
def remove_member(classroom: ClassroomOf, visitor: PageVisitor, class_id: Number, person_id: Number) -> Response:
    """Takes a person out of the class."""
    person = visitor.writing()
    with classroom.write() as connection:
        records.managed(connection, visitor, class_id)
        member = members.remove(connection, class_id, person_id)
        log.record(connection, person, "class.remove", member.person.name, class_id=class_id, person=person_id)
    return redirect("/me" if person_id == person.id else f"/classes/{class_id}/people?done=removed")
