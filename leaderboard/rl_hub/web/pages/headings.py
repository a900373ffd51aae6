"""What stands above every page of a repository."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select
from starlette.responses import Response

from rl_hub.database.tables import repository_cards
from rl_hub.repositories import catalog
from rl_hub.repositories.catalog import Repository
from rl_hub.web.call import Call
from rl_hub.web.pages.addresses import RepositoryAddresses
from rl_hub.web.pages.rows import sort_tags
from rl_hub.web.pages.site import addresses_of, show

_MAX_TAGS = 24


@dataclass(frozen=True)
class Heading:
    """A repository as its pages show it.

    Attributes:
        repository: The repository.
        at: Addresses inside it.
        card: The metadata of its card.
        tags: All its tags.
    """

    repository: Repository
    at: RepositoryAddresses
    card: Mapping[str, Any] = field(repr=False)
    tags: Sequence[str]

    @property
    def shown_tags(self) -> Sequence[str]:
        """The tags that have room."""
        return sort_tags(self.tags)[:_MAX_TAGS]


def open_heading(connection: Connection, call: Call) -> Heading:
    """The repository that the address names.

    Raises:
        RepositoryNotFound: If there is none, or none that this person may see.
    """
    repository = catalog.find(connection, call.identity, call.kind, call.repo_id)
    query = select(repository_cards.c.data, repository_cards.c.tags).where(
        repository_cards.c.repository_id == repository.id
    )
    row = connection.execute(query).one_or_none()
    return Heading(
        repository,
        addresses_of(call).repository(repository.kind, repository.repo_id),
        card=json.loads(row.data) if row else {},
        tags=json.loads(row.tags) if row else (),
    )


def show_in(call: Call, heading: Heading, template: str, tab: str, **context: Any) -> Response:
    """A page of a repository; `tab` is the one of "card", "files" and "history" that it belongs to."""
    return show(call, f"repository/{template}", head=heading, at=heading.at, tab=tab, **context)
