"""What a person sets for the own account: access tokens and the password."""

from datetime import timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from rl_hub import clock
from rl_hub.accounts import organisations, passwords, sessions, sign_in, tokens, users
from rl_hub.errors import BadRequest, Conflict, HubError, Unauthorized
from rl_hub.web.call import Call
from rl_hub.web.pages import forms
from rl_hub.web.pages.site import show
from rl_hub.web.routing import page

_LIFETIMES = {"30": "30 days", "90": "90 days", "365": "a year", "": "no end"}


def profile(call: Call) -> Response:
    """Who this is, and where it belongs."""
    user_id = call.signed_in()
    with call.hub.database.read() as connection:
        user = users.get(connection, call.identity.name)
        places = organisations.places_of(connection, user_id)
    changed = call.query.get("changed") == "password"
    return show(call, "settings/profile.html", user=user, places=places, changed=changed)


def list_tokens(call: Call) -> Response:
    """The person's tokens, and the form for a new one."""
    return _tokens_page(call)


def create_token(call: Call) -> Response:
    """Makes a token and shows it, this once."""
    form = forms.read_form(call)
    try:
        with call.hub.database.write() as connection:
            token = tokens.create(
                connection, call.signed_in(), form.text("name"), forms.read_role(form), _end(form.text("days"))
            )
    except (BadRequest, Conflict) as error:
        return _tokens_page(call, error, wished=form.text("name"))
    response = _tokens_page(call, new_token=token)
    response.headers["Cache-Control"] = "no-store"
    return response


def delete_token(call: Call) -> Response:
    """Deletes one of the person's tokens."""
    number = forms.read_form(call).text("id")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise BadRequest("The form names no token: go back, reload the page and send it again.")
    with call.hub.database.write() as connection:
        tokens.remove(connection, call.signed_in(), int(number))
    return forms.redirect(call, "/settings/tokens")


def show_password_form(call: Call) -> Response:
    """The form for another password."""
    call.signed_in()
    return show(call, "settings/password.html", error="", shortest=passwords.SHORTEST)


def change_password(call: Call) -> Response:
    """Gives the person another password, and ends the sessions of all other browsers."""
    form = forms.read_form(call)
    client = call.request.client
    try:
        user = sign_in.sign_in(call.hub.database, call.identity.name, form.text("old"), client.host if client else "")
        if form.text("new") != form.text("again"):
            raise BadRequest("The two new passwords differ: type the same one twice.")
        password_hash = passwords.hash_password(form.text("new"))
    except HubError as error:
        message = "The old password is wrong." if isinstance(error, Unauthorized) else error.message
        status = 400 if isinstance(error, Unauthorized) else error.status
        return show(call, "settings/password.html", status, error=message, shortest=passwords.SHORTEST)
    with call.hub.database.write() as connection:
        users.set_password(connection, user, password_hash)
        session = sessions.create(connection, user.id)
    response = forms.redirect(call, "/settings?changed=password")
    forms.keep_session(call, response, session)
    return response


def _tokens_page(call: Call, error: HubError | None = None, **context: Any) -> Response:
    with call.hub.database.read() as connection:
        mine = tokens.list_tokens(connection, call.signed_in())
    shown = {"new_token": "", "wished": "", "error": error.message if error else "", **context}
    return show(
        call,
        "settings/tokens.html",
        error.status if error else 200,
        tokens=mine,
        lifetimes=_LIFETIMES,
        longest=tokens.LONGEST_NAME,
        **shown,
    )


def _end(days: str) -> Any:
    if days not in _LIFETIMES:
        raise BadRequest("Choose how long the token is valid.")
    return clock.now() + timedelta(days=int(days)) if days else None


ROUTES: list[Route] = [
    page("/settings", profile),
    page("/settings/tokens", list_tokens),
    page("/settings/tokens", create_token, ["POST"], max_body=forms.MAX_BODY),
    page("/settings/tokens/delete", delete_token, ["POST"], max_body=forms.MAX_BODY),
    page("/settings/password", show_password_form),
    page("/settings/password", change_password, ["POST"], max_body=forms.MAX_BODY),
]
