"""Errors as pages: the sentence, and a way on."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from rl_hub.accounts.identity import ANONYMOUS, Identity
from rl_hub.errors import HubError, RepositoryNotFound, Unauthorized
from rl_hub.hub import Hub
from rl_hub.web import answers, identity
from rl_hub.web.call import Call
from rl_hub.web.pages.site import addresses_of, here, show

_TITLES = {
    401: "Please sign in",
    403: "Not allowed",
    404: "Not found",
    413: "Too large",
    429: "Slow down",
    500: "Something broke",
    507: "The disk is full",
}


def error_page(request: Request, error: HubError) -> Response:
    """The page of an error, with the headers that the client reads; for a page that needs an account, the way there.

    A repository that does not exist and one that nobody else may see look the same: 404, whoever asks.
    """
    call = Call(request.app.state.hub, request, _identity(request, error), {})
    if isinstance(error, Unauthorized) and request.method == "GET" and "authorization" not in request.headers:
        return RedirectResponse(addresses_of(call).page("/login", next=here(request)), status_code=303)
    status = 404 if isinstance(error, RepositoryNotFound) else error.status
    response = show(
        call, "error.html", status, number=status, title=_TITLES.get(status, "That did not work"), message=error.message
    )
    told = answers.error_answer(request, error).headers
    response.headers.update({name: value for name, value in told.items() if not name.startswith("content-")})
    return response


def _identity(request: Request, error: HubError) -> Identity:
    """Who gets the page, for its head; nobody where finding that out may be what failed."""
    hub: Hub = request.app.state.hub
    if error.status >= 500:
        return ANONYMOUS
    try:
        return identity.of(hub, request, cookie=True)
    except HubError:
        return ANONYMOUS
