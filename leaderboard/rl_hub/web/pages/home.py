"""The first page: what this Hub is, how a client reaches it, and what is new."""

from starlette.responses import Response
from starlette.routing import Route

from rl_hub.repositories import search
from rl_hub.web.call import Call
from rl_hub.web.pages.rows import read_rows
from rl_hub.web.pages.site import addresses_of, show
from rl_hub.web.routing import page

_NEWEST = {"model": 8, "dataset": 4}


def home(call: Call) -> Response:
    """The first page."""
    addresses = addresses_of(call)
    with call.hub.database.read() as connection:
        newest = {
            kind: read_rows(addresses, search.find(connection, call.identity, search.Query(kind, limit)).rows)
            for kind, limit in _NEWEST.items()
        }
    return show(call, "home.html", models=newest["model"], datasets=newest["dataset"])


ROUTES: list[Route] = [page("/", home)]
