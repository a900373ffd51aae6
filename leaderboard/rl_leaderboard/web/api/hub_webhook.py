"""Where a Hub tells of a commit: noted at once, and read soon by whoever reads that Hub anyway.

Nothing in a payload is believed but which repository has news, and only Hubs of the settings are ever asked for it.
"""

import hmac
import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel

from rl_hub.web import streams
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import BadRequest, Forbidden, NotFound, TooManyRequests, Unauthorized
from rl_leaderboard.people.people import HUB
from rl_leaderboard.rules.sources import is_repo_id, source_name
from rl_leaderboard.submissions.wanted import WantedRepository
from rl_leaderboard.web.api.models import ERRORS
from rl_leaderboard.web.requests import ClassroomOf

router = APIRouter(prefix="/api/v1", tags=["hooks"], responses=ERRORS)

_MOST_BYTES = 2**20
_NOT_JSON = "The body of a webhook is a JSON object with the repository in `repo`."


class Noted(BaseModel):
    """A webhook was heard."""

    state: str


@router.post(
    "/hooks/hub",
    status_code=202,
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def hear(
    request: Request,
    classroom: ClassroomOf,
    secret: Annotated[str | None, Header(alias="X-Webhook-Secret")] = None,
    source: Annotated[str | None, Query(max_length=256)] = None,
) -> Noted:
    """What a Hub calls when a repository changes, in its own format, with the secret of the settings."""
    _check_secret(classroom, secret)
    payload = _parsed(await streams.read_body(request, _MOST_BYTES))
    repository = payload.get("repo")
    if not isinstance(repository, dict):
        raise BadRequest(_NOT_JSON)
    found = _source(classroom, repository, source)
    if found == HUB and classroom.hub is not None:
        # Its events are heard in this process: they only need to be told.
        classroom.hub.wake()
        return Noted(state="noted")
    if repository.get("type") != "model":
        return Noted(state="ignored")
    for name in _names(payload, repository):
        if not classroom.wanted.add(WantedRepository(found, name)):
            raise TooManyRequests("Too many repositories are waiting to be read. Send it again in a few minutes.")
    return Noted(state="noted")


def _check_secret(classroom: Classroom, secret: str | None) -> None:
    expected = classroom.settings.webhook_secret
    if expected is None:
        raise Forbidden("This classroom takes no webhooks: its operator has to set RL_LEADERBOARD_WEBHOOK_SECRET.")
    if secret is None or not hmac.compare_digest(secret.encode(), expected.encode()):
        raise Unauthorized("The header X-Webhook-Secret is not the secret of this classroom.")


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest(_NOT_JSON) from None
    if not isinstance(payload, dict):
        raise BadRequest(_NOT_JSON)
    return payload


def _source(classroom: Classroom, repository: Mapping[str, Any], named: str | None) -> str:
    """The Hub that calls: the one that the address names, or else that of the repository's address.

    Raises:
        NotFound: If it is none of the settings'.
    """
    addresses = {source_name(address): address for address in classroom.settings.sources}
    if named is not None:
        if named in addresses or (named == HUB and classroom.hub is not None):
            return named
    else:
        url = repository.get("url")
        web = url.get("web") if isinstance(url, dict) else None
        for name, address in addresses.items():
            if isinstance(web, str) and web.startswith(f"{address}/"):
                return name
    raise NotFound("This classroom does not read the Hub of this webhook.")


def _names(payload: Mapping[str, Any], repository: Mapping[str, Any]) -> list[str]:
    """The repository, under its new name as well if it was moved.

    Raises:
        BadRequest: If a name is none.
    """
    moved = payload.get("movedTo")
    given = [repository.get("name"), *([moved.get("name")] if isinstance(moved, dict) else [])]
    names = [name for name in given if isinstance(name, str) and is_repo_id(name)]
    if len(names) < len(given):
        raise BadRequest("The webhook names a repository that is none: owner/name.")
    return names
