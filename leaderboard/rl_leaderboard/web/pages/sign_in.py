"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from rl_hub.accounts import sign_in, users
from rl_hub.errors import TooManyRequests, Unauthorized
from rl_leaderboard.errors import NotFound
from rl_leaderboard.people import sessions
from rl_leaderboard.people.arrivals import arrival_of
from rl_leaderboard.web.pages.entering import enter, forget_cookie, show_form
from rl_leaderboard.web.pages.site import redirect
from rl_leaderboard.web.requests import ClassroomOf, PageVisitor, SentForm, read_form

router = APIRouter(include_in_schema=False)


@router.get("/login")
def sign_in_page(request: Request, visitor: PageVisitor, target: Annotated[str, Query(alias="next")] = "") -> Response:
    """The form; somebody who is signed in already is led on."""
    if visitor.person is not None:
        return redirect(target)
    return show_form(request, target)


@router.post("/login")
def sign_in_by_password(request: Request, classroom: ClassroomOf, form: SentForm) -> Response:
    """Checks the name and the password of an account of the embedded Hub, and begins a session.

    Raises:
        NotFound: If there is no embedded Hub.
    """
    if classroom.hub is None:
        raise NotFound("There are no passwords here: this classroom has no Hub of its own.")
    name, target = form.text("name").strip(), form.text("next")
    # Behind a proxy, uvicorn has put the client's own address here.
    address = request.client.host if request.client else ""
    with classroom.hub.database.read() as connection:
        # Read before the password is checked: if it changes meanwhile, the session is over before it begins.
        epoch = sessions.epoch_of(users.find_password_hash(connection, name))
    try:
        user = sign_in.sign_in(classroom.hub.database, name, form.text("password"), address)
    except (Unauthorized, TooManyRequests) as error:
        response = show_form(request, target, name=name, error=error.message, status=error.status)
        response.headers.update(error.headers)
        return response
    return enter(request, arrival_of(user), target, is_listed=True, epoch=epoch)


@router.post("/logout", dependencies=[Depends(read_form)])
def sign_out(request: Request, classroom: ClassroomOf) -> Response:
    """Ends the session."""
    with classroom.write() as connection:
        sessions.remove(connection, request.cookies.get(sessions.COOKIE, ""))
    response = redirect("/")
    forget_cookie(response)
    return response
