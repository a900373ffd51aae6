"""What every page has: who looks at it, forms that only it can send, and the templates."""

import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from rl_hub import clock
from rl_hub.accounts.sessions import Cookie, form_token
from rl_hub.web import origins
from rl_hub.web.pages import formats
from rl_leaderboard.people import sessions
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.web.kept_pages import DEPENDS_ON
from rl_leaderboard.web.pages import numbers
from rl_leaderboard.web.pages.static_files import static_path
from rl_leaderboard.web.requests import FORM_COOKIE, base_url, classroom_of, hub_url

# What a page says depends on who asks, and a signed-out browser must not show it again.
_CACHING = {"Cache-Control": "private, no-cache", "Vary": "Cookie"}
_LONGEST_NEXT = 2000  # characters of the address that signing in returns to
_FORM_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Site:
    """The site as one person sees it.

    Attributes:
        course_name: Its name.
        visitor: Who looks.
        base_url: Its address, without a slash at the end.
        hub_url: The embedded Hub's address for people; empty without one.
        form_token: What the forms on this page carry.
        next: Where signing in leads back to.
        path: Of this page.
    """

    course_name: str
    visitor: Visitor
    base_url: str
    hub_url: str
    form_token: str
    next: str
    path: str

    def static(self, name: str) -> str:
        """The address of a style sheet, script or picture of the pages themselves."""
        return static_path(name)


def show(
    request: Request, visitor: Visitor, template: str, *, status: int = 200, depends_on: str = "", **context: Any
) -> Response:
    """A page.

    Args:
        request: The request.
        visitor: Who looks.
        template: Name of its template.
        status: HTTP status.
        depends_on: The counter of `boards.generations` that moves when the page of somebody who is not signed in
            changes; such a page is kept. Empty for a page that is not.
        **context: What the template names.
    """
    binding = request.cookies.get(sessions.COOKIE) or request.cookies.get(FORM_COOKIE)
    site = _site(request, visitor, binding)
    text = _environment().get_template(template).render({"site": site, "section": None, **context})
    response = HTMLResponse(text, status, headers=_CACHING)
    if depends_on and visitor.person is None:
        response.headers[DEPENDS_ON] = depends_on
    return response


def render(template: str, **context: Any) -> Markup:
    """A part of a page that is the same for everybody."""
    text = _environment().get_template(template).render(context)
    return Markup(text)  # noqa: S704  a template has made it, and escaped what it was given


def show_with_form(request: Request, visitor: Visitor, template: str, *, status: int = 200, **context: Any) -> Response:
    """A page with a form for somebody who need not be signed in: the form is bound to a cookie of its own."""
    # A session that is over still has its cookie, and forms are bound to that.
    if any(request.cookies.get(name) for name in (sessions.COOKIE, FORM_COOKIE)):
        return show(request, visitor, template, status=status, **context)
    binding = secrets.token_urlsafe(16)
    site = _site(request, visitor, binding)
    text = _environment().get_template(template).render({"site": site, "section": None, **context})
    response = HTMLResponse(text, status, headers=_CACHING)
    set_cookie(request, response, FORM_COOKIE, binding, _FORM_SECONDS)
    return response


def redirect(path: str) -> Response:
    """Leads to a page, after a form: with GET, so that reloading does not send the form again."""
    return RedirectResponse(origins.local_path(path), status_code=303)


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    """Sends a cookie that scripts cannot read and other sites cannot send."""
    secure = base_url(request).startswith("https:")
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")


def _site(request: Request, visitor: Visitor, binding: str | None) -> Site:
    classroom = classroom_of(request)
    kind: Cookie = "session" if request.cookies.get(sessions.COOKIE) else "anonymous"
    query = request.url.query
    here = request.url.path + (f"?{query}" if query else "")
    # Nobody wants to come back to a page of signing in, and its address may hold a code.
    is_place = request.method == "GET" and not request.url.path.startswith("/login")
    return Site(
        course_name=classroom.settings.course_name,
        visitor=visitor,
        base_url=base_url(request),
        hub_url=hub_url(request),
        form_token=form_token(classroom.secret, kind, binding) if binding else "",
        next=here if is_place and len(here) <= _LONGEST_NEXT else "",
        path=request.url.path,
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("rl_leaderboard.web.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["avatar"] = formats.avatar
    environment.filters |= {
        "date": formats.date,
        "time": lambda moment: formats.time_element(moment, clock.now()),
        "visible": formats.visible,
        "number": numbers.number,
        "score": numbers.score,
    }
    return environment
