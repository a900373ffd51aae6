"""Style sheets, scripts and pictures: read once, and cached by browsers until they change.

The Hub's own style sheet and script are served from here as well, so that both sites look alike.
"""

import hashlib
import mimetypes
from functools import cache
from importlib import resources

from fastapi import APIRouter
from starlette.responses import Response

from rl_leaderboard.errors import NotFound

_OWN = "rl_leaderboard.web.pages"
_HUBS = "rl_hub.web.pages"
_NAMES = {
    "hub.css": (_HUBS, "style.css"),
    "hub.js": (_HUBS, "hub.js"),
    "icon.svg": (_HUBS, "icon.svg"),
    "style.css": (_OWN, "style.css"),
    "code.css": (_OWN, "code.css"),
    "charts.css": (_OWN, "charts.css"),
    "classroom.js": (_OWN, "classroom.js"),
    "htmx.min.js": (_OWN, "htmx.min.js"),
}
_FOREVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


def static_path(name: str) -> str:
    """The path under which a file is served; it changes with the content."""
    return f"/static/{name}?v={_digest(name)}"


@router.get("/static/{name}")
async def static_file(name: str, v: str = "") -> Response:
    """A file of the pages themselves.

    Raises:
        NotFound: If there is none of this name.
    """
    if name not in _NAMES:
        raise NotFound("There is nothing at this address.")
    media_type = mimetypes.guess_type(name)[0]
    return Response(_content(name), media_type=media_type, headers={"Cache-Control": _FOREVER if v else "no-cache"})


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()[:12]


@cache
def _content(name: str) -> bytes:
    package, file = _NAMES[name]
    return resources.files(package).joinpath("static", file).read_bytes()
