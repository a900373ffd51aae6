"""Signing in and out."""

from starlette.responses import Response
from starlette.routing import Route

from rl_hub.accounts import sessions, sign_in
from rl_hub.errors import HubError, TooManyRequests, Unauthorized
from rl_hub.web.call import Call
from rl_hub.web.pages import forms
from rl_hub.web.pages.site import show
from rl_hub.web.routing import page


def show_form(call: Call) -> Response:
    """The form; somebody who is signed in already is led on."""
    target = call.query.get("next", "")
    if call.identity.user_id is not None:
        return forms.redirect(call, forms.local_path(call, target))
    return _form(call, target)


def enter(call: Call) -> Response:
    """Checks name and password and begins a session."""
    form = forms.read_anonymous_form(call)
    name, target = form.text("name").strip(), form.text("next")
    client = call.request.client
    try:
        user = sign_in.sign_in(call.hub.database, name, form.text("password"), client.host if client else "")
    except (Unauthorized, TooManyRequests) as error:
        return _form(call, target, name, error)
    with call.hub.database.write() as connection:
        session = sessions.create(connection, user.id)
    response = forms.redirect(call, forms.local_path(call, target))
    forms.keep_session(call, response, session)
    return response


def leave(call: Call) -> Response:
    """Ends the session."""
    forms.read_form(call)
    with call.hub.database.write() as connection:
        sessions.remove(connection, call.request.cookies[sessions.COOKIE])
    response = forms.redirect(call, "/")
    forms.forget_session(call, response)
    return response


def _form(call: Call, target: str, name: str = "", error: HubError | None = None) -> Response:
    identifier = forms.anonymous_id(call)
    response = show(
        call,
        "sign_in.html",
        error.status if error else 200,
        form_token=forms.anonymous_token(call, identifier),
        next=target,
        name=name,
        error=error.message if error else "",
    )
    forms.keep_anonymous_id(call, response, identifier)
    response.headers.update(error.headers if error else {})
    return response


ROUTES: list[Route] = [
    page("/login", show_form),
    page("/login", enter, ["POST"], max_body=forms.MAX_BODY),
    page("/logout", leave, ["POST"], max_body=forms.MAX_BODY),
]
