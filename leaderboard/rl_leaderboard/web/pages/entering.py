"""Beginning and ending a session, whoever has vouched for the person."""

from fastapi import Request
from starlette.responses import Response

from rl_leaderboard.people import people, sessions
from rl_leaderboard.people.people import Arrival
from rl_leaderboard.people.visitor import ANONYMOUS, Visitor
from rl_leaderboard.web.pages.site import redirect, set_cookie, show_with_form
from rl_leaderboard.web.requests import classroom_of


def enter(request: Request, arrival: Arrival, target: str, *, is_listed: bool, epoch: str = "") -> Response:
    """Begins the session of somebody who has proved who they are, and leads to a page of ours.

    The session has a number that nobody knew before, and the one that the browser came with is over: whoever has
    planted that in the browser gains nothing.

    Args:
        request: The request.
        arrival: Who it is.
        target: Where to lead; the home page if that is no address of this site.
        is_listed: Whether the operator's lists of teachers and administrators speak of such accounts.
        epoch: What the session ends with, where that is a password.
    """
    classroom = classroom_of(request)
    lists = (classroom.settings.teachers, classroom.settings.admins) if is_listed else ()
    with classroom.write() as connection:
        person = people.welcome(connection, arrival, *lists)
        sessions.remove(connection, request.cookies.get(sessions.COOKIE, ""))
        session = sessions.create(connection, person.id, epoch)
    response = redirect(target)
    set_cookie(request, response, sessions.COOKIE, session.id, int(sessions.LIFETIME.total_seconds()))
    return response


def forget_cookie(response: Response, name: str = sessions.COOKIE) -> None:
    """Takes a cookie back that `set_cookie` has sent."""
    response.delete_cookie(name, path="/", httponly=True, samesite="lax")


def show_form(
    request: Request, target: str, *, name: str = "", error: str = "", status: int = 200, visitor: Visitor = ANONYMOUS
) -> Response:
    """The page for signing in, with what went wrong."""
    classroom = classroom_of(request)
    return show_with_form(
        request,
        visitor,
        "sign_in.html",
        status=status,
        next=target,
        name=name,
        error=error,
        by_password=classroom.hub is not None,
        by_openid=classroom.settings.oidc_issuer is not None,
        openid_label=classroom.settings.oidc_label,
    )
