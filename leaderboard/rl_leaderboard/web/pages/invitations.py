"""Joining a class by an invitation's link."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from rl_leaderboard.audit import log
from rl_leaderboard.classes import invitations, members
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.requests import ClassroomOf, PageVisitor, read_form

router = APIRouter(include_in_schema=False)


@router.get("/join/{code}")
def invitation_page(request: Request, classroom: ClassroomOf, visitor: PageVisitor, code: str) -> Response:
    """Which class the link leads to, and the button that joins it; who is not signed in is led there first."""
    person = visitor.signed_in()
    with classroom.read() as connection:
        invitation = invitations.find(connection, code)
        known = members.roles_of(connection, person.id).get(invitation.class_id)
    gains = known is None or (known == "student" and invitation.role == "teacher")
    return show(request, visitor, "invitation.html", invitation=invitation, gains=gains)


@router.post("/join/{code}", dependencies=[Depends(read_form)])
def join_class(classroom: ClassroomOf, visitor: PageVisitor, code: str) -> Response:
    """Joins the class."""
    person = visitor.writing()
    with classroom.write() as connection:
        invitation = invitations.find(connection, code)
        if members.join(connection, invitation.class_id, person.id, invitation.role):
            log.record(connection, person, "class.join", invitation.role, class_id=invitation.class_id)
    return redirect(f"/classes/{invitation.class_id}")
