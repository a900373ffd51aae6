"""Checks of what listings know of repositories against their cards."""

import json
from typing import Any

from dulwich.errors import ObjectFormatException
from sqlalchemy import Connection, and_, func, select

from rl_hub import cards
from rl_hub.database import tables
from rl_hub.errors import HubError
from rl_hub.hub import Hub
from rl_hub.maintenance.findings import Findings
from rl_hub.repositories import card_index

_ROWS = 100

_repositories, _cards, _tags = tables.repositories.c, tables.repository_cards.c, tables.repository_tags.c


def check(hub: Hub, findings: Findings) -> None:
    """Reads the card of every repository's head again.

    Args:
        hub: An open Hub whose contents nobody removes meanwhile.
        findings: Takes what is wrong.
    """
    head = and_(tables.commits.c.repository_id == _repositories.id, tables.commits.c.sha == _repositories.sha)
    query = (
        select(tables.repositories, tables.commits.c.tree, tables.repository_cards)
        .join(tables.commits, head)
        .outerjoin(tables.repository_cards, _cards.repository_id == _repositories.id)
        .execution_options(yield_per=_ROWS)
    )
    with hub.database.read() as connection:
        total = connection.scalar(select(func.count()).select_from(tables.repositories)) or 0
        for row in connection.execute(query):
            if not _agrees(hub, connection, row):
                sentence = "Listings know it by another card than its README.md has. Any commit to it mends that."
                findings.damage("card", f"{row.owner_name}/{row.name}", sentence)
            findings.count("cards", 1, total)


def _agrees(hub: Hub, connection: Connection, row: Any) -> bool:
    try:
        card = card_index.read(connection, hub.blobs, row.tree, hub.settings.limits.regular_bytes)
    except (KeyError, ObjectFormatException, OSError, HubError):
        return True  # a folder or a content is damaged, which other checks say
    expected = cards.index(card, row.kind)
    kept = (row.data, row.tags, row.library_name, row.pipeline_tag)
    tags = json.dumps(expected.tags, ensure_ascii=False, separators=(",", ":"))
    if kept != (expected.data_json, tags, expected.library_name, expected.pipeline_tag):
        return False
    found = connection.execute(select(_tags.tag, _tags.last_modified).where(_tags.repository_id == row.id))
    return {tuple(each) for each in found} == {(tag, row.last_modified) for tag in expected.tags}
