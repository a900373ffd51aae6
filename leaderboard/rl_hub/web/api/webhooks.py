"""Webhooks, as `HfApi.create_webhook` and its like ask for them."""

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from rl_hub.errors import BadRequest, Forbidden
from rl_hub.events import webhooks
from rl_hub.events.webhooks import Watched, Webhook
from rl_hub.web.answers import answer
from rl_hub.web.call import Call
from rl_hub.web.routing import api

_ADDRESS = "/api/settings/webhooks"


def list_webhooks(call: Call) -> Response:
    """All webhooks of this Hub."""
    _administrator(call)
    with call.hub.database.read() as connection:
        return answer([_shown(webhook) for webhook in webhooks.list_all(connection)])


def create_webhook(call: Call) -> Response:
    """A new webhook."""
    owner_id = _administrator(call, write=True)
    given = _given(call)
    if "url" not in given:
        raise BadRequest("A webhook needs a `url` that this Hub calls. It runs no jobs.")
    given.setdefault("watched", [])
    with call.hub.database.write() as connection:
        return _answer(webhooks.create(connection, owner_id, **given))


def get_webhook(call: Call) -> Response:
    """One webhook."""
    _administrator(call)
    with call.hub.database.read() as connection:
        return _answer(webhooks.get(connection, call.params["id"]))


def update_webhook(call: Call) -> Response:
    """Changes what the body has of a webhook."""
    _administrator(call, write=True)
    given = _given(call)
    with call.hub.database.write() as connection:
        return _answer(webhooks.change(connection, call.params["id"], **given))


def enable_webhook(call: Call) -> Response:
    """Has events sent to a webhook from now on."""
    return _switch(call, enabled=True)


def disable_webhook(call: Call) -> Response:
    """Has nothing more sent to a webhook."""
    return _switch(call, enabled=False)


def delete_webhook(call: Call) -> Response:
    """Deletes a webhook."""
    _administrator(call, write=True)
    with call.hub.database.write() as connection:
        webhooks.remove(connection, call.params["id"])
    return answer({})


def _switch(call: Call, *, enabled: bool) -> Response:
    _administrator(call, write=True)
    with call.hub.database.write() as connection:
        return _answer(webhooks.change(connection, call.params["id"], enabled=enabled))


def _administrator(call: Call, *, write: bool = False) -> int:
    """The id of the administrator who asks.

    Raises:
        Unauthorized: If nobody is signed in.
        Forbidden: If somebody else is, or the token may only read.
    """
    user_id = call.signed_in()
    if not call.identity.is_admin:
        raise Forbidden(
            "Only an administrator of this Hub manages webhooks, because they make its server call addresses that "
            "only the server may reach. Ask your administrator to add yours."
        )
    if write and call.identity.role != "write":
        raise Forbidden("This token may only read. Use one with the write role.")
    return user_id


def _given(call: Call) -> dict[str, Any]:
    """What the body says about a webhook, with the types checked."""
    body = call.json()
    given: dict[str, Any] = {}
    for name in ("url", "secret"):
        if body.get(name) is not None:
            if not isinstance(body[name], str):
                raise BadRequest(f"`{name}` has to be a text.")
            given[name] = body[name]
    if body.get("domains") is not None:
        given["domains"] = _list_of(body["domains"], str, "domains")
    if body.get("watched") is not None:
        given["watched"] = [_watched(item) for item in _list_of(body["watched"], dict, "watched")]
    return given


def _watched(item: dict[str, Any]) -> Watched:
    kind, name = item.get("type"), item.get("name")
    if not isinstance(kind, str) or not isinstance(name, str):
        raise BadRequest("Each item of `watched` has a `type` and a `name`.")
    return Watched(kind, name)


def _list_of(value: Any, kind: type, name: str) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise BadRequest(f"`{name}` is not a list as the client sends it.")
    return value


def _answer(webhook: Webhook) -> Response:
    return answer({"webhook": _shown(webhook)})


def _shown(webhook: Webhook) -> dict[str, Any]:
    """A webhook as the client reads it, without its secret."""
    return {
        "id": webhook.id,
        "url": webhook.url,
        "watched": [{"type": item.type, "name": item.name} for item in webhook.watched],
        "domains": list(webhook.domains),
        "disabled": not webhook.enabled,
    }


ROUTES: list[Route] = [
    api(_ADDRESS, list_webhooks),
    api(_ADDRESS, create_webhook, ["POST"]),
    api(f"{_ADDRESS}/{{id:part}}", get_webhook),
    api(f"{_ADDRESS}/{{id:part}}", update_webhook, ["POST"]),
    api(f"{_ADDRESS}/{{id:part}}", delete_webhook, ["DELETE"]),
    api(f"{_ADDRESS}/{{id:part}}/enable", enable_webhook, ["POST"]),
    api(f"{_ADDRESS}/{{id:part}}/disable", disable_webhook, ["POST"]),
]
