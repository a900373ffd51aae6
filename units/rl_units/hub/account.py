"""Who is pushing, and where they may: asked before anything slow is done."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huggingface_hub import get_session, hf_raise_for_status

from rl_units.errors import HubError
from rl_units.hub.client import HubClient

TIMEOUT = 20.0
"""Seconds that the first request may take; a Hub that does not answer it will not answer the others."""

_WRITING_ROLES = frozenset({"admin", "write", "contributor"})


@dataclass(frozen=True)
class Account:
    """What the Hub says about the owner of a token.

    Attributes:
        name: The person's own namespace.
        organizations: Role in each organisation; empty where the Hub does not tell.
        role: Of the token: `"read"`, `"write"`, `"fineGrained"`, or empty where the Hub does not tell.
        scopes: What a fine-grained token may write to: namespaces and single repositories.
    """

    name: str
    organizations: Mapping[str, str]
    role: str
    scopes: frozenset[str]

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Where the person may push, their own name first."""
        writable = (name for name, role in self.organizations.items() if not role or role in _WRITING_ROLES)
        return (self.name, *writable)


def fetch_account(hub: HubClient) -> Account:
    """Asks the Hub whose token this is.

    Raises:
        HubError: If there is no token, the Hub does not accept it, or cannot be reached.
    """
    if not hub.token:
        raise HubError(
            f"You are not logged in to {hub.endpoint}. Make a token with the role 'write' at "
            f"{hub.endpoint}/settings/tokens, then run: hf auth login\n"
            "To build the repository without pushing it, add --to-folder DIR."
        )

    def request() -> bytes:
        response = get_session().get(
            f"{hub.endpoint}/api/whoami-v2", headers={"Authorization": f"Bearer {hub.token}"}, timeout=TIMEOUT
        )
        hf_raise_for_status(response)
        return response.content

    content = hub.attempt(request)
    try:
        return parse_account(json.loads(content))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise HubError(f"{hub.endpoint} does not answer as a Hub does. Check HF_ENDPOINT.") from error


def parse_account(document: Mapping[str, Any]) -> Account:
    """Reads the answer of `whoami-v2`.

    Raises:
        KeyError: If it has no name.
        TypeError: If a part is of another shape.
        AttributeError: As `TypeError`.
    """
    token = (document.get("auth") or {}).get("accessToken") or {}
    scoped = (token.get("fineGrained") or {}).get("scoped") or []
    return Account(
        name=str(document["name"]),
        organizations={str(org["name"]): str(org.get("roleInOrg") or "") for org in document.get("orgs") or []},
        role=str(token.get("role") or ""),
        scopes=frozenset(
            str(scope["entity"]["name"])
            for scope in scoped
            if "repo.write" in scope["permissions"] and "name" in scope["entity"]
        ),
    )


def choose_repository(account: Account, endpoint: str, organization: str | None, repo_name: str) -> str:
    """The id of the repository to push to.

    Args:
        account: Who pushes.
        endpoint: The Hub's address, for messages.
        organization: What the person asked for; None is their own name.
        repo_name: Name within the namespace.

    Returns:
        `<namespace>/<repo name>`.

    Raises:
        HubError: If the person may not write there, or their token may not write.
    """
    namespace = organization or account.name
    repo_id = f"{namespace}/{repo_name}"
    settings = f"{endpoint}/settings/tokens"
    if account.role == "read":
        raise HubError(
            f"Your token for {endpoint} may only read. Make one with the role 'write' at {settings}, "
            "then run: hf auth login"
        )
    if namespace not in account.namespaces:
        role = account.organizations.get(namespace)
        reason = f"your role in {namespace} is {role!r}, which may not write" if role else f"{namespace} is not yours"
        raise HubError(
            f"You are logged in to {endpoint} as {account.name}, and {reason}. You can push to: "
            f"{', '.join(account.namespaces)}. Leave -orga out to push to {account.name}/{repo_name}."
        )
    if account.role == "fineGrained" and not {namespace, repo_id} & account.scopes:
        raise HubError(
            f"Your fine-grained token for {endpoint} may not write to {namespace}. Give it the permission to write to "
            f"the repositories of {namespace} at {settings}, or make one with the role 'write'."
        )
    return repo_id
