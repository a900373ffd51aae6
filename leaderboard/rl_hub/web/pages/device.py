"""The page on which a person lets a notebook or a terminal sign in (RFC 8628, section 3.3).

The code may come along in the address, but it is only filled in: nothing is approved before the person has seen who
asks for what, and has pressed the button.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from rl_hub.accounts import devices, throttle
from rl_hub.errors import HubError, NotFound, TooManyRequests
from rl_hub.web.call import Call
from rl_hub.web.pages import forms
from rl_hub.web.pages.site import show
from rl_hub.web.routing import page

# The id with which the client's `login()` and `notebook_login()` ask
# (huggingface_hub.constants.DEVICE_CODE_OAUTH_CLIENT_ID).
_KNOWN_CLIENTS = {"26be6b09-91c5-47da-9861-d2d2bb7a7e36": "huggingface_hub"}
# Wrong codes that a person may try: the right one is among 25 billion.
_GUESSES = throttle.Rule(free=20, longest=15 * 60)


def show_code_form(call: Call) -> Response:
    """The form for the code."""
    call.signed_in()
    return _code_form(call, call.query.get("user_code", ""))


def look(call: Call) -> Response:
    """What waits with the code, and the question whether to let it in."""
    code = forms.read_form(call).text("user_code")
    try:
        with _guess(call) as connection:
            device = devices.pending(connection, code)
    except (NotFound, TooManyRequests) as error:
        return _code_form(call, code, error)
    client = _KNOWN_CLIENTS.get(device.client_id, "")
    return show(call, "device/decide.html", device=device, client=client)


def approve(call: Call) -> Response:
    """Lets the device in."""
    form = forms.read_form(call)
    code, role = form.text("user_code"), forms.read_role(form)
    with _guess(call) as connection:
        devices.approve(connection, code, call.signed_in(), role)
    return show(call, "device/done.html", approved=True)


def deny(call: Call) -> Response:
    """Refuses it."""
    code = forms.read_form(call).text("user_code")
    with _guess(call) as connection:
        devices.deny(connection, code)
    return show(call, "device/done.html", approved=False)


@contextmanager
def _guess(call: Call) -> Iterator[Connection]:
    """A transaction that looks for a code: if there is none, the person has guessed.

    Raises:
        TooManyRequests: After too many guesses.
    """
    guesses = throttle.Subject(f"device-code:{call.signed_in()}", _GUESSES)
    with call.hub.database.write() as connection:
        throttle.reserve(connection, [guesses])
    with call.hub.database.write() as connection:
        yield connection
        throttle.release(connection, guesses)


def _code_form(call: Call, code: str, error: HubError | None = None) -> Response:
    status = error.status if error else 200
    return show(call, "device/code.html", status, user_code=code[:32], error=error.message if error else "")


ROUTES: list[Route] = [
    page("/device", show_code_form),
    page("/device", look, ["POST"], max_body=forms.MAX_BODY),
    page("/device/approve", approve, ["POST"], max_body=forms.MAX_BODY),
    page("/device/deny", deny, ["POST"], max_body=forms.MAX_BODY),
]
