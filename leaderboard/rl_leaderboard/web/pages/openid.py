"""Signing in with an OpenID provider.

These routes wait for the provider, so they run in the event loop: a slow provider takes no thread from other pages.
"""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from rl_hub.web import origins
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import BadRequest, Forbidden, LeaderboardError, NotFound
from rl_leaderboard.people import sign_ins
from rl_leaderboard.people.arrivals import names_account, read_arrival
from rl_leaderboard.people.people import Arrival
from rl_leaderboard.rules.sources import source_name
from rl_leaderboard.web.networks import network_of
from rl_leaderboard.web.pages.entering import enter, forget_cookie, show_form
from rl_leaderboard.web.pages.site import set_cookie
from rl_leaderboard.web.requests import ClassroomOf, base_url, classroom_of

if TYPE_CHECKING:
    from rl_leaderboard.people.openid import Provider

_CALLBACK = "/login/openid/callback"

router = APIRouter(include_in_schema=False)


@router.get("/login/openid")
async def depart(
    request: Request, classroom: ClassroomOf, target: Annotated[str, Query(alias="next")] = ""
) -> Response:
    """Sends the browser to the provider."""
    target = origins.local_path(target)
    try:
        provider = await run_in_threadpool(_provider, request)
        departure = await provider.depart(base_url(request) + _CALLBACK)
        data = {
            "redirect_uri": departure.redirect_uri,
            "nonce": departure.nonce,
            "code_verifier": departure.code_verifier,
            "next": target,
        }
        cookie = await run_in_threadpool(_remember, classroom, departure.state, data, network_of(request))
    except LeaderboardError as error:
        return await run_in_threadpool(_refuse, request, target, error)
    response = RedirectResponse(departure.address, status_code=303)
    set_cookie(request, response, sign_ins.COOKIE, cookie, int(sign_ins.LIFETIME.total_seconds()))
    return response


@router.get(_CALLBACK)
async def arrive(
    request: Request, classroom: ClassroomOf, state: str = "", code: str = "", error: str = "", iss: str | None = None
) -> Response:
    """Takes in whom the provider sends back, and begins a session."""
    target = "/"
    try:
        provider = await run_in_threadpool(_provider, request)
        pending = await run_in_threadpool(_recall, classroom, request.cookies.get(sign_ins.COOKIE, ""), state)
        if pending is None:
            raise Forbidden("This sign-in was begun elsewhere, or is over already: please start again.")
        target = pending["next"]
        _check_answer(provider.issuer, code, error, iss)
        claims = await provider.arrive(
            code,
            redirect_uri=pending["redirect_uri"],
            nonce=pending["nonce"],
            code_verifier=pending["code_verifier"],
        )
        hub = classroom.settings.oidc_source
        arrival = read_arrival(provider.issuer, claims, source_name(hub) if hub else None)
        # Where there is an embedded Hub, the operator's lists are of its accounts.
        is_listed = classroom.hub is None and names_account(claims)
        response = await run_in_threadpool(_enter, request, arrival, target, is_listed)
    except LeaderboardError as refusal:
        response = await run_in_threadpool(_refuse, request, target, refusal)
    forget_cookie(response, sign_ins.COOKIE)
    return response


def _check_answer(issuer: str, code: str, error: str, iss: str | None) -> None:
    """Refuses what the provider sent the browser back with, if there is no code in it."""
    if error == "access_denied":
        raise Forbidden("The sign-in service says that you, or it, have declined. Nobody was signed in.")
    if error or not code:
        raise BadRequest("The sign-in service did not sign you in. Please start again.")
    # RFC 9207: another provider's code is not for this one.
    if iss is not None and iss.rstrip("/") != issuer:
        raise Forbidden("Another sign-in service answered than the one that was asked. Please start again.")


def _provider(request: Request) -> "Provider":
    """The provider, made at the first use: its libraries would make the start slower.

    Raises:
        NotFound: If there is none.
    """
    settings = classroom_of(request).settings
    if settings.oidc_issuer is None:
        raise NotFound("No sign-in service is set up here.")
    from rl_leaderboard.people.openid import Provider

    state = request.app.state
    if not hasattr(state, "openid_provider"):
        state.openid_provider = Provider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret)
    found: Provider = state.openid_provider
    return found


def _remember(classroom: Classroom, state: str, data: dict[str, str], network: str) -> str:
    with classroom.write() as connection:
        return sign_ins.begin(connection, state, data, network)


def _recall(classroom: Classroom, cookie: str, state: str) -> dict[str, str] | None:
    with classroom.write() as connection:
        found = sign_ins.finish(connection, cookie, state)
    return None if found is None else dict(found)


def _enter(request: Request, arrival: Arrival, target: str, is_listed: bool) -> Response:
    return enter(request, arrival, target, is_listed=is_listed)


def _refuse(request: Request, target: str, error: LeaderboardError) -> Response:
    response = show_form(request, target, error=error.message, status=error.status)
    response.headers.update(error.headers)
    return response
