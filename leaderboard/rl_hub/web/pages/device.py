"""The page on which a person lets a notebook or a terminal sign in (RFC 8628, section 3.3).

The code may come along in the address, but it is only filled in: nothing is approved before the person has seen who
asks for what, and has pressed the button.
"""

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
    guesses = throttle.Subject(f"device-code:{call.signed_in()}", _GUESSES)
    try:
        with call.hub.database.write() as connection:
            throttle.reserve(connection, [guesses])
        with call.hub.database.write() as connection:
            device = devices.pending(connection, code)
            throttle.release(connection, guesses)
    except (NotFound, TooManyRequests) as error:
        return _code_form(call, code, error)
    client = _KNOWN_CLIENTS.get(device.client_id, "")
    return show(call, "device/decide.html", device=device, client=client)


def approve(call: Call) -> Response:
    """Lets the device in."""
    form = forms.read_form(call)
    with call.hub.database.write() as connection:
        devices.approve(connection, form.text("user_code"), call.signed_in(), forms.read_role(form))
    return show(call, "device/done.html", approved=True)


def deny(call: Call) -> Response:
    """Refuses it."""
    form = forms.read_form(call)
    with call.hub.database.write() as connection:
        devices.deny(connection, form.text("user_code"))
    return show(call, "device/done.html", approved=False)


def _code_form(call: Call, code: str, error: HubError | None = None) -> Response:
    status = error.status if error else 200
    return show(call, "device/code.html", status, user_code=code[:32], error=error.message if error else "")


ROUTES: list[Route] = [
    page("/device", show_code_form),
    page("/device", look, ["POST"], max_body=forms.MAX_BODY),
    page("/device/approve", approve, ["POST"], max_body=forms.MAX_BODY),
    page("/device/deny", deny, ["POST"], max_body=forms.MAX_BODY),
]
