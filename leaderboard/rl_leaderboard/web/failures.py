"""What is answered when something fails: a page for people, one JSON shape for programs, and never a traceback."""

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from rl_hub.errors import HubError
from rl_leaderboard.errors import BadRequest, LeaderboardError, MethodNotAllowed, NotFound, TooLarge
from rl_leaderboard.people.visitor import ANONYMOUS
from rl_leaderboard.web.pages.site import show
from rl_leaderboard.web.requests import visitor_by_cookie

API_PREFIX = "/api/"
_TITLES = {
    401: "Please sign in",
    403: "Not allowed",
    404: "Not found",
    413: "Too large",
    429: "Slow down",
    500: "Something broke",
    503: "Not available",
    507: "The disk is full",
}
_NOTHING = "There is nothing at this address."
_HUB_CODES = {507: "storage_full", 503: "busy", 413: "too_large", 403: "forbidden", 429: "too_many_requests"}


def add_handlers(app: FastAPI) -> None:
    """Lets an application answer every refusal in our way; what nobody expected is for `faults.Faults`."""
    for kind in (LeaderboardError, HubError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, answer)


async def answer(request: Request, error: Exception) -> Response:
    """The answer to a request that failed with one of the errors that have a handler."""
    refusal = _refusal(request, error)
    status, code = refusal.status, refusal.code
    if isinstance(error, HubError):
        status, code = error.status, _HUB_CODES.get(error.status, refusal.code)
    if request.url.path.startswith(API_PREFIX):
        body = {"error": refusal.message, "code": code, "status": status}
        return JSONResponse(body, status, headers=refusal.headers)
    return await run_in_threadpool(_page, request, refusal, status)


def _refusal(request: Request, error: Exception) -> LeaderboardError:
    if isinstance(error, LeaderboardError):
        return error
    if isinstance(error, HubError):
        return BadRequest(error.message, headers=error.headers)
    if isinstance(error, RequestValidationError):
        return _refused_values(error)
    assert isinstance(error, HTTPException)  # noqa: S101  nothing else has a handler
    if error.status_code == 405:
        return MethodNotAllowed(f"{request.method} is not possible here.")
    if error.status_code == 404:
        return NotFound(_NOTHING)
    return TooLarge(str(error.detail)) if error.status_code == 413 else BadRequest(str(error.detail))


def _refused_values(error: RequestValidationError) -> LeaderboardError:
    """Nothing is at an address with a key that none can have; otherwise, the first thing that is wrong, and where."""
    found = error.errors()
    if any(one["loc"][0] == "path" for one in found):
        return NotFound(_NOTHING)
    _, *place = found[0]["loc"]
    name = f"The value of {'.'.join(map(str, place))}" if place else "The body"
    return BadRequest(f"{name} is not accepted: {found[0]['msg']}.")


def _page(request: Request, error: LeaderboardError, status: int) -> Response:
    """The page of an error; for a page that needs an account, the way there."""
    visitor = ANONYMOUS if status >= 500 else visitor_by_cookie(request)
    if status == 401 and request.method == "GET":
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(here, safe='')}", status_code=303)
    title = _TITLES.get(status, "That did not work")
    response = show(request, visitor, "error.html", status=status, number=status, title=title, message=error.message)
    response.headers.update(error.headers)
    return response
