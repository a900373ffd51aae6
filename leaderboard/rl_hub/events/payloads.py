"""What an event says: the body of the Hub's webhooks, version 3.

Source of the format: https://huggingface.co/docs/hub/webhooks#webhook-payloads. Two members depend on who is told and
from where, so they are added when a webhook is called: `webhook`, and the Hub's address in front of `repo.url`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Action = Literal["create", "delete", "move", "update"]
Scope = Literal["repo", "repo.content", "repo.config"]

VERSION = 3
_PREFIXES = {"model": "", "dataset": "datasets/", "space": "spaces/"}


class Subject(Protocol):
    """The repository that an event is about, as it is after the event (as it was, if it is deleted)."""

    @property
    def id(self) -> int:
        """Its id, which a move does not change."""

    @property
    def kind(self) -> str:
        """model, dataset or space."""

    @property
    def owner_id(self) -> int:
        """The account that it belongs to."""

    @property
    def owner_name(self) -> str:
        """The name of that account."""

    @property
    def name(self) -> str:
        """Its name within that account."""

    @property
    def private(self) -> bool:
        """Whether others may not see it."""

    @property
    def sha(self) -> str:
        """The head of its main branch."""


@dataclass(frozen=True)
class UpdatedRef:
    """A branch or tag that now points elsewhere.

    Attributes:
        ref: Its full name, such as refs/heads/main.
        old_sha: The commit it pointed to; None if it is new.
        new_sha: The commit it points to; None if it is gone.
    """

    ref: str
    old_sha: str | None
    new_sha: str | None


def body(
    action: Action,
    scope: Scope,
    repository: Subject,
    updated_refs: Sequence[UpdatedRef] = (),
    moved_from: str | None = None,
) -> dict[str, Any]:
    """The body of an event, without what depends on the receiver.

    Args:
        action: What was done.
        scope: To which part: the repository itself, its files and refs, or its settings.
        repository: The repository after the event.
        updated_refs: Refs that changed.
        moved_from: For a move, the owner/name before it.
    """
    name = f"{repository.owner_name}/{repository.name}"
    owner = {"id": str(repository.owner_id)}
    payload: dict[str, Any] = {
        "event": {"action": action, "scope": scope},
        "repo": {
            "type": repository.kind,
            "name": moved_from or name,
            "id": str(repository.id),
            "private": repository.private,
            "headSha": repository.sha,
            "url": {"web": f"/{_PREFIXES[repository.kind]}{name}", "api": f"/api/{repository.kind}s/{name}"},
            "owner": owner,
        },
    }
    if updated_refs:
        payload["updatedRefs"] = [
            {"ref": updated.ref, "oldSha": updated.old_sha, "newSha": updated.new_sha} for updated in updated_refs
        ]
    if scope == "repo.config":
        payload["updatedConfig"] = {"private": repository.private}
    if moved_from is not None:
        payload["movedTo"] = {"name": name, "owner": owner}
    return payload


def addressed(payload: Mapping[str, Any], webhook_id: str, base_url: str) -> dict[str, Any]:
    """A body as one webhook receives it.

    Args:
        payload: What `body` made.
        webhook_id: The webhook that is called.
        base_url: The Hub's address, without a slash at the end; empty leaves the paths within the Hub.
    """
    url = {name: f"{base_url}{path}" for name, path in payload["repo"]["url"].items()}
    return {
        **payload,
        "repo": {**payload["repo"], "url": url},
        "webhook": {"id": webhook_id, "version": VERSION},
    }
