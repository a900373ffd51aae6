"""Who somebody is, and how the client signs in: whoami, overviews, and OAuth's device flow.

Fields and addresses are those that `HfApi.whoami`, `get_user_overview`, `get_organization_overview`,
`list_organization_members` and `huggingface_hub.utils._oauth_device` use.
"""

from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from rl_hub.accounts import devices, organisations, records, throttle, users
from rl_hub.accounts.identity import Identity
from rl_hub.accounts.organisations import Organisation
from rl_hub.accounts.permissions import belongs
from rl_hub.errors import Forbidden
from rl_hub.web.answers import answer
from rl_hub.web.call import Call
from rl_hub.web.routing import api

_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# RFC 6749, section 5.1: an answer with a token is not kept by anybody on the way.
_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_EXPLANATIONS = {
    devices.Refusal.PENDING: "Nobody has approved this device yet.",
    devices.Refusal.SLOW_DOWN: "Ask less often.",
    devices.Refusal.DENIED: "The sign-in was refused on the Hub's page.",
    devices.Refusal.EXPIRED: "The code has expired: sign in again.",
    devices.Refusal.INVALID: "The code is not known or was used already: sign in again.",
}


def whoami(call: Call) -> Response:
    """`GET /api/whoami-v2`: the owner of the token, and what the token may do."""
    user_id = call.signed_in()
    with call.hub.database.read() as connection:
        user = users.get(connection, call.identity.name)
        places = organisations.places_of(connection, user_id)
    value = {
        "type": "user",
        "id": str(user.id),
        "name": user.name,
        "fullname": user.full_name or user.name,
        "email": user.email,
        "emailVerified": False,
        "isPro": False,
        "canPay": False,
        "avatarUrl": "",
        "orgs": [_place(place) for place in places],
        "auth": _authentication(call.identity),
    }
    return answer(value, headers=_NOT_KEPT)


def user_overview(call: Call) -> Response:
    """`GET /api/users/{name}/overview`: a person, with the organisations that the asker belongs to as well."""
    with call.hub.database.read() as connection:
        user = users.get(connection, call.params["name"])
        places = organisations.places_of(connection, user.id)
        all_of_it = belongs(call.identity, user.name)
        value = {
            **_person(user.name, user.full_name),
            "createdAt": user.created_at.isoformat(),
            **_numbers(connection, user.id, include_private=all_of_it),
            "orgs": [
                _organisation(place.organisation)
                for place in places
                if all_of_it or belongs(call.identity, place.organisation.name)
            ],
        }
    return answer(value)


def organisation_overview(call: Call) -> Response:
    """`GET /api/organizations/{name}/overview`: what anybody may know of an organisation."""
    with call.hub.database.read() as connection:
        organisation = organisations.get(connection, call.params["name"])
        value = {
            **_organisation(organisation),
            "numUsers": organisations.count_members(connection, organisation.id),
            **_numbers(connection, organisation.id, include_private=belongs(call.identity, organisation.name)),
        }
    return answer(value)


def organisation_members(call: Call) -> Response:
    """`GET /api/organizations/{name}/members`: a class list, so only for its members and administrators."""
    size = call.hub.settings.limits.page_size
    with call.hub.database.read() as connection:
        organisation = organisations.get(connection, call.params["name"])
        if not belongs(call.identity, organisation.name):
            raise Forbidden(f"Only members of {organisation.name} see who its members are.")
        found = organisations.members(connection, organisation.id, after=call.query.get("cursor", ""), limit=size + 1)
    shown, more = found[:size], len(found) > size
    headers = {}
    if more:
        query = urlencode({"cursor": shown[-1].name})
        headers["Link"] = f'<{call.base_url}/api/organizations/{organisation.name}/members?{query}>; rel="next"'
    return answer([_person(member.name, member.full_name) for member in shown], headers=headers)


def start_device(call: Call) -> Response:
    """`POST /oauth/device`: gives the client a code that a person can approve."""
    with call.hub.database.write() as connection:
        throttle.reserve(connection, [_device_attempts(call)])
        code = devices.start(connection, _field(call, "client_id"))
    page = f"{call.base_url}/device"
    value = {
        "device_code": code.device_code,
        "user_code": code.user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?{urlencode({'user_code': code.user_code})}",
        "expires_in": int(devices.LIFETIME.total_seconds()),
        "interval": int(devices.INTERVAL.total_seconds()),
    }
    return answer(value, headers=_NOT_KEPT)


def device_token(call: Call) -> Response:
    """`POST /oauth/token`: gives an approved device its token.

    Tokens of this Hub need no refreshing, so the answer has no `refresh_token`, and the other grants are refused.
    """
    if _field(call, "grant_type") != _DEVICE_GRANT:
        return _oauth_error("unsupported_grant_type", "This Hub signs devices in, and does nothing else here.")
    outcome = devices.poll(call.hub.database, _field(call, "device_code"), _field(call, "client_id"))
    if isinstance(outcome, devices.Refusal):
        return _oauth_error(outcome.value, _EXPLANATIONS[outcome])
    # Whoever signs in for good does not count against the others behind the same address.
    with call.hub.database.write() as connection:
        throttle.release(connection, _device_attempts(call))
    return answer({"access_token": outcome, "token_type": "bearer"}, headers=_NOT_KEPT)


def _device_attempts(call: Call) -> throttle.Subject:
    network = call.request.client.host if call.request.client else ""
    return throttle.address(network, throttle.DEVICE, "device")


def _oauth_error(code: str, explanation: str) -> Response:
    return answer({"error": code, "error_description": explanation}, 400, _NOT_KEPT)


def _field(call: Call, name: str) -> str:
    """A field of the form; of one that is sent twice, the first."""
    return call.form().get(name, [""])[0]


def _authentication(identity: Identity) -> dict[str, Any]:
    if identity.via == "session":
        return {"type": "session"}
    return {"type": "access_token", "accessToken": {"displayName": identity.token_name, "role": identity.role}}


def _place(place: organisations.Place) -> dict[str, Any]:
    return {**_organisation(place.organisation), "type": "org", "isEnterprise": False, "roleInOrg": place.role}


def _organisation(organisation: Organisation) -> dict[str, Any]:
    return {
        "id": str(organisation.id),
        "name": organisation.name,
        "fullname": organisation.full_name or organisation.name,
        "avatarUrl": "",
    }


def _person(name: str, full_name: str) -> dict[str, Any]:
    return {"type": "user", "user": name, "fullname": full_name or name, "avatarUrl": "", "isPro": False}


def _numbers(connection: Connection, owner_id: int, *, include_private: bool) -> dict[str, int]:
    counts = records.count_repositories(connection, owner_id, include_private=include_private)
    return {"numModels": counts["model"], "numDatasets": counts["dataset"], "numSpaces": counts["space"]}


ROUTES = [
    api("/api/whoami-v2", whoami),
    api("/api/users/{name:part}/overview", user_overview),
    api("/api/organizations/{name:part}/overview", organisation_overview),
    api("/api/organizations/{name:part}/members", organisation_members),
    api("/oauth/device", start_device, ("POST",)),
    api("/oauth/token", device_token, ("POST",)),
]
