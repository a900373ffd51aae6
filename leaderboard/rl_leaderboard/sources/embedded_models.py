"""Models of the embedded Hub, read from its own database."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from rl_hub import cards as hub_cards
from rl_hub.database.tables import accounts, commits, repositories, repository_cards
from rl_hub.hub import Hub
from rl_hub.repositories import card_index, trees
from rl_leaderboard.people.people import HUB
from rl_leaderboard.rules.algorithms import algorithm_in
from rl_leaderboard.rules.sources import REPLAY
from rl_leaderboard.sources import cards
from rl_leaderboard.submissions.reception import Push


@dataclass(frozen=True)
class Model:
    """A model at a commit.

    Attributes:
        id: Its number, which a move does not change.
        repo_id: owner/name, as it is now.
        private: Whether others may not see it.
        push: The commit as a push; None if it says nothing about the course.
    """

    id: int
    repo_id: str
    private: bool
    push: Push | None


def read(
    hub: Hub, connection: Connection, env_ids: Collection[str], repository_id: int, sha: str | None = None
) -> Model | None:
    """A model.

    Args:
        hub: The embedded Hub.
        connection: A transaction of its database.
        env_ids: The course's environments.
        repository_id: Its number.
        sha: A commit; None, or one that is not there any more, for the head.

    Returns:
        None if it is gone.
    """
    here = repositories.c.id == repository_id
    row = None
    if sha is not None:
        row = connection.execute(_select(here, commits.c.sha == sha)).one_or_none()
    if row is None:
        row = connection.execute(_select(here, commits.c.sha == repositories.c.sha)).one_or_none()
    return None if row is None else _model(hub, connection, env_ids, row)


def page(hub: Hub, connection: Connection, env_ids: Collection[str], after_id: int, limit: int) -> list[Model]:
    """The heads of all models, by their numbers, from the one after `after_id` on."""
    query = _select(repositories.c.id > after_id, commits.c.sha == repositories.c.sha)
    rows = connection.execute(query.order_by(repositories.c.id).limit(limit)).all()
    return [_model(hub, connection, env_ids, row) for row in rows]


def history(connection: Connection, repository_id: int) -> Sequence[str]:
    """The commits of a model."""
    return connection.scalars(select(commits.c.sha).where(commits.c.repository_id == repository_id)).all()


def _select(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            repositories.c.id,
            repositories.c.owner_name,
            repositories.c.name,
            repositories.c.private,
            repositories.c.sha.label("head"),
            repository_cards.c.data,
            repository_cards.c.tags,
            commits.c.sha,
            commits.c.tree,
            commits.c.author_name,
            commits.c.created_at,
            accounts.c.kind.label("owner_kind"),
        )
        .join_from(repositories, accounts, accounts.c.id == repositories.c.owner_id)
        .join(commits, commits.c.repository_id == repositories.c.id)
        .outerjoin(repository_cards, repository_cards.c.repository_id == repositories.c.id)
        .where(repositories.c.kind == "model", *conditions)
    )


def _model(hub: Hub, connection: Connection, env_ids: Collection[str], row: Row[Any]) -> Model:
    repo_id = f"{row.owner_name}/{row.name}"
    data, tags = row.data, row.tags
    if row.sha != row.head:
        # Only the head's card is kept ready.
        index = hub_cards.index(card_index.read(connection, hub.blobs, row.tree, hub.settings.limits.regular_bytes))
        data, tags = index.data_json, list(index.tags)
    else:
        tags = json.loads(tags or "[]")
    described = cards.describe(json.loads(data or "{}"), tags, env_ids)
    if not described.claims:
        return Model(row.id, repo_id, row.private, None)
    replay = trees.entry_in(connection, row.tree, REPLAY)
    push = Push(
        source=HUB,
        repo_id=repo_id,
        sha=row.sha,
        # An organisation hands nothing in: its members do.
        student=row.author_name if row.owner_kind == "org" else row.owner_name,
        submitted_at=row.created_at,
        claims=described.claims,
        algorithm=described.algorithm or algorithm_in(repo_id),
        library=described.library,
        has_replay=replay is not None and not replay.is_folder,
    )
    return Model(row.id, repo_id, row.private, push)
