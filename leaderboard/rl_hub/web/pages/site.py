"""What every page has: who looks at it, the addresses around it, and the templates."""

from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from rl_hub import clock
from rl_hub.accounts import sessions
from rl_hub.accounts.identity import Identity
from rl_hub.web.call import Call
from rl_hub.web.pages import formats
from rl_hub.web.pages.addresses import Addresses
from rl_hub.web.pages.static_files import static_path

# What a page says depends on who asks, and a signed-out browser must not show it again.
_CACHING = {"Cache-Control": "private, no-cache", "Vary": "Cookie"}
_LONGEST_NEXT = 2000  # characters of the address that signing in returns to


@dataclass(frozen=True)
class Site:
    """The Hub as one person sees it.

    Attributes:
        addresses: Where its pages are.
        base_url: Its address for clients, without a slash at the end.
        identity: Who looks.
        form_token: What the forms on this page carry; empty for somebody who is not signed in.
        next: Where signing in leads back to.
    """

    addresses: Addresses
    base_url: str
    identity: Identity
    form_token: str
    next: str

    def static(self, name: str) -> str:
        """The address of a style sheet, script or picture of the pages themselves."""
        return self.addresses.root + static_path(name)


def addresses_of(call: Call) -> Addresses:
    """Addresses from where a proxy serves the Hub, or where another application mounts it."""
    if call.hub.settings.public_url:
        return Addresses(urlsplit(call.hub.settings.public_url).path.rstrip("/"))
    return Addresses(str(call.request.scope.get("root_path", "")).rstrip("/"))


def here(request: Request) -> str:
    """The path and the query of this page, to come back to; empty if there is no coming back."""
    query = request.url.query
    address = str(request.scope["path"]) + (f"?{query}" if query else "")
    return address if request.method == "GET" and len(address) <= _LONGEST_NEXT else ""


def show(call: Call, template: str, status: int = 200, **context: Any) -> Response:
    """A page.

    Args:
        call: The request.
        template: Name of its template.
        status: HTTP status.
        **context: What the template names.
    """
    text = _environment().get_template(template).render({"site": _site(call), "section": None, **context})
    return HTMLResponse(text, status, headers=_CACHING)


def _site(call: Call) -> Site:
    session = call.request.cookies.get(sessions.COOKIE, "") if call.identity.via == "session" else ""
    return Site(
        addresses=addresses_of(call),
        base_url=call.base_url,
        identity=call.identity,
        form_token=sessions.form_token(call.hub.secret, "session", session) if session else "",
        next=here(call.request),
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("rl_hub.web.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["avatar"] = formats.avatar
    environment.filters |= {
        "size": formats.file_size,
        "date": formats.date,
        "time": lambda moment: formats.time_element(moment, clock.now()),
        "visible": formats.visible,
        "highlighted": formats.highlighted,
    }
    return environment
