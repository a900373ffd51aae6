"""The style sheet, the script and the icon: read once, and cached by browsers until they change."""

import hashlib
import mimetypes
from functools import cache
from importlib import resources

from starlette.responses import Response
from starlette.routing import Route

from rl_hub.errors import NotFound
from rl_hub.web.call import Call
from rl_hub.web.routing import page

_NAMES = ("hub.js", "icon.svg", "style.css")
_FOREVER = "public, max-age=31536000, immutable"


def static_path(name: str) -> str:
    """The path under which a file is served; it changes with the content."""
    return f"/static/{name}?v={hashlib.sha256(_content(name)).hexdigest()[:12]}"


def static_file(call: Call) -> Response:
    """A file of the pages themselves.

    Raises:
        NotFound: If there is none of this name.
    """
    name = call.params["file"]
    if name not in _NAMES:
        raise NotFound("There is nothing at this address.")
    caching = _FOREVER if call.query.get("v") else "no-cache"
    media_type = mimetypes.guess_type(name)[0]
    return Response(_content(name), media_type=media_type, headers={"Cache-Control": caching})


@cache
def _content(name: str) -> bytes:
    return resources.files("rl_hub.web.pages").joinpath("static", name).read_bytes()


ROUTES: list[Route] = [page("/static/{file:part}", static_file)]
