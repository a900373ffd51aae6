"""Repositories as lines of a list."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from rl_hub.web.pages.addresses import Addresses
from rl_hub.web.pages.evaluations import Evaluation, read_evaluations

_MAX_TAGS = 3
# On a Hub of a course nearly everything has these.
_COMMON = {"reinforcement-learning", "deep-reinforcement-learning"}
_REPEATED = re.compile(r"model-index|(license|dataset|base_model):.*")
# Gymnasium ids end with a version: what an agent plays says more than any other tag.
_ENVIRONMENT = re.compile(r".-v\d+")


@dataclass(frozen=True)
class Row:
    """A line of a list.

    Attributes:
        kind: "model", "dataset" or "space".
        owner: Whose it is.
        name: Its name.
        address: Its page.
        private: Whether only some people see it.
        last_modified: When it changed last.
        tags: The tags that say most.
        evaluation: The first result that its card claims.
    """

    kind: str
    owner: str
    name: str
    address: str
    private: bool
    last_modified: datetime
    tags: Sequence[str]
    evaluation: Evaluation | None


def read_rows(addresses: Addresses, found: Iterable[Any]) -> list[Row]:
    """Lines from the rows of `repositories.search.find`."""
    return [_row(addresses, row) for row in found]


def sort_tags(tags: Iterable[str]) -> list[str]:
    """The tags that somebody wrote, those first that look like environments.

    The others repeat what the card says of its licence, its data sets and its results.
    """
    return sorted(
        (tag for tag in tags if not _REPEATED.fullmatch(tag)), key=lambda tag: _ENVIRONMENT.search(tag) is None
    )


def count_tags(found: Iterable[Any], without: Sequence[str], limit: int) -> list[str]:
    """The tags that most of some rows have, except those that were asked for."""
    counts: dict[str, int] = {}
    for tag in chain.from_iterable(json.loads(row.tags or "[]") for row in found):
        if tag not in without:
            counts[tag] = counts.get(tag, 0) + 1
    return sort_tags(sorted(counts, key=lambda tag: (-counts[tag], tag)))[:limit]


def _row(addresses: Addresses, row: Any) -> Row:
    evaluations = read_evaluations(json.loads(row.data or "{}"))
    return Row(
        kind=row.kind,
        owner=row.owner_name,
        name=row.name,
        address=addresses.repository(row.kind, f"{row.owner_name}/{row.name}").home,
        private=row.private,
        last_modified=row.last_modified,
        tags=sort_tags(tag for tag in json.loads(row.tags or "[]") if tag not in _COMMON)[:_MAX_TAGS],
        evaluation=evaluations[0] if evaluations else None,
    )
