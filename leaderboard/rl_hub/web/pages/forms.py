"""Forms that only our own pages can send.

Three things stand between a foreign page and a form: the session's cookie is not sent along (SameSite), the browser
says where the form comes from, and the form carries a token that is bound to the cookie. Signing in has no session
yet: its token is bound to a cookie of its own.
"""

import secrets
from collections.abc import Mapping

from starlette.responses import RedirectResponse, Response

from rl_hub.accounts import sessions, tokens
from rl_hub.accounts.identity import Role
from rl_hub.errors import BadRequest, Forbidden
from rl_hub.web import origins
from rl_hub.web.call import Call
from rl_hub.web.pages.site import addresses_of

MAX_BODY = 16 * 1024
"""Bytes of a form."""

_ANONYMOUS_COOKIE = "rl_hub_form"
_ANONYMOUS_SECONDS = 24 * 3600


class Form:
    """A form that was sent from a page of ours, with its fields' first values."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """A field, empty if it was not filled in.

        Raises:
            BadRequest: If the form has no such field.
        """
        if name not in self._fields:
            raise BadRequest(f"The form came without its field {name}: go back, reload the page and send it again.")
        text = self._fields[name][0]
        if "\0" in text:
            raise BadRequest(f"The field {name} has a character in it that no text has.")
        return text


def read_form(call: Call) -> Form:
    """The form of somebody who is signed in.

    Raises:
        Forbidden: If it may come from a foreign page, or was sent with an access token: what a page does, a token
            must not, because a token may be for reading only.
        Unauthorized: If nobody is signed in.
    """
    call.signed_in()
    if call.identity.via != "session":
        raise Forbidden("An access token cannot send forms: sign in on this Hub's pages instead.")
    return _read(call, "session", call.request.cookies.get(sessions.COOKIE, ""))


def read_anonymous_form(call: Call) -> Form:
    """The form of somebody who is not signed in yet.

    Raises:
        Forbidden: If it may come from a foreign page.
    """
    return _read(call, "anonymous", call.request.cookies.get(_ANONYMOUS_COOKIE, ""))


def read_role(form: Form) -> Role:
    """The role of a token, as a form of radio buttons sends it.

    Raises:
        BadRequest: If it is none.
    """
    text = form.text("role")
    for role in tokens.ROLES:
        if role == text:
            return role
    raise BadRequest("Choose what the token may do: read only, or write as well.")


def anonymous_id(call: Call) -> str:
    """What binds a form to a browser without a session: the browser's own cookie, or a new one."""
    return call.request.cookies.get(_ANONYMOUS_COOKIE) or secrets.token_urlsafe(16)


def anonymous_token(call: Call, identifier: str) -> str:
    """The token of such a form."""
    return sessions.form_token(call.hub.secret, "anonymous", identifier)


def keep_anonymous_id(call: Call, response: Response, identifier: str) -> None:
    """Sends the cookie of `anonymous_id`."""
    _set_cookie(call, response, _ANONYMOUS_COOKIE, identifier, _ANONYMOUS_SECONDS)


def keep_session(call: Call, response: Response, session: sessions.Session) -> None:
    """Sends the cookie by which a browser stays signed in."""
    _set_cookie(call, response, sessions.COOKIE, session.id, int(sessions.LIFETIME.total_seconds()))


def forget_session(call: Call, response: Response) -> None:
    """Takes that cookie back."""
    response.delete_cookie(sessions.COOKIE, path=_cookie_path(call))


def redirect(call: Call, path: str) -> Response:
    """Leads to a page by its path, after a form: with GET, so that reloading does not send the form again."""
    return RedirectResponse(addresses_of(call).page(path), status_code=303)


def local_path(call: Call, target: str) -> str:
    """An address to return to, if it is one of this Hub's own; the home page otherwise."""
    return origins.local_path(target, addresses_of(call).root)


def _read(call: Call, cookie: sessions.Cookie, value: str) -> Form:
    origins.check_origin(call.request.headers, call.base_url)
    form = Form(call.form())
    if not value:
        raise Forbidden("The browser sent no cookie with this form: allow cookies for this Hub, then try again.")
    sessions.check_form_token(call.hub.secret, cookie, value, form.text("form_token"))
    return form


def _set_cookie(call: Call, response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=_cookie_path(call),
        secure=call.base_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def _cookie_path(call: Call) -> str:
    return addresses_of(call).root or "/"
