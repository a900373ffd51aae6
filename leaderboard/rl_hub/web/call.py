"""One request, as the endpoints see it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import QueryParams
from starlette.requests import Request

from rl_hub.accounts.identity import Identity
from rl_hub.errors import BadRequest, Unauthorized
from rl_hub.hub import Hub


@dataclass(frozen=True)
class Call:
    """A request with its sender known.

    Attributes:
        hub: The Hub that is asked.
        request: The request itself; streaming endpoints read the body from it.
        identity: Who asks.
        params: The decoded parts of the path.
        body: The body; empty for streaming endpoints.
    """

    hub: Hub
    request: Request
    identity: Identity
    params: Mapping[str, str]
    body: bytes = b""

    @property
    def query(self) -> QueryParams:
        """The query's parameters."""
        return self.request.query_params

    @property
    def kind(self) -> str:
        """The kind of repository that the path speaks of: model, dataset or space."""
        return self.params["kind"]

    @property
    def repo_id(self) -> str:
        """The repository that the path speaks of, as owner/name."""
        return f"{self.params['owner']}/{self.params['name']}"

    @property
    def base_url(self) -> str:
        """The Hub's address as this client reaches it, without a slash at the end."""
        if self.hub.settings.public_url:
            return self.hub.settings.public_url.rstrip("/")
        url = self.request.url
        # `request.base_url` would leave out the prefix under which this application is mounted.
        return f"{url.scheme}://{url.netloc}{self.request.scope.get('root_path', '')}".rstrip("/")

    def json(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            BadRequest: If it is none.
        """
        try:
            value = json.loads(self.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise BadRequest("The body is not valid JSON.") from None
        if not isinstance(value, dict):
            raise BadRequest("The body has to be a JSON object.")
        return value

    def form(self) -> dict[str, list[str]]:
        """The body as a URL-encoded form: each name with its values in order.

        Raises:
            BadRequest: If it is none.
        """
        try:
            pairs = parse_qsl(self.body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=10_000)
        except ValueError:
            raise BadRequest("The body is not a valid form.") from None
        fields: dict[str, list[str]] = {}
        for name, value in pairs:
            fields.setdefault(name, []).append(value)
        return fields

    def signed_in(self) -> int:
        """The id of the user who asks.

        Raises:
            Unauthorized: If nobody is signed in.
        """
        if self.identity.user_id is None:
            raise Unauthorized("Sign in first: this needs an access token of this Hub.")
        return self.identity.user_id


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
