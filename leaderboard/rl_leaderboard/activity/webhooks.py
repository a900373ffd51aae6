"""Outgoing webhooks: addresses that teachers have told what happens."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from rl_hub import clock
from rl_leaderboard.activity.feed import KINDS, Kind
from rl_leaderboard.database.tables import deliveries, webhooks
from rl_leaderboard.errors import BadRequest, Conflict, NotFound

MOST_PER_PERSON = 10
MOST_WEBHOOKS = 100
"""Each may keep one connection of the server open."""

_SECRET_PREFIX = "rlcs_"  # noqa: S105  what secrets begin with, so that they are recognised where they do not belong


@dataclass(frozen=True)
class Webhook:
    """An address that is told what happens.

    Attributes:
        id: Key in the database.
        url: Where.
        kinds: What it is told of.
        created_at: When it was made.
        waiting: Deliveries that are still to be made.
        last_delivered_at: When one last arrived.
        last_error: What the oldest waiting one failed with, if it did.
    """

    id: int
    url: str = field(repr=False)
    kinds: tuple[Kind, ...]
    created_at: datetime
    waiting: int
    last_delivered_at: datetime | None
    last_error: str | None


def create(connection: Connection, owner_id: int, url: str, kinds: Sequence[str]) -> tuple[int, str]:
    """Makes a webhook.

    Args:
        connection: A transaction that writes.
        owner_id: A teacher.
        url: Where, checked by `addresses.check`: that asks the network, which no transaction waits for.
        kinds: What it is told of.

    Returns:
        Its id, and the secret with which its deliveries are signed.

    Raises:
        BadRequest: If there is no such kind, or none is chosen.
        Conflict: If there are too many.
    """
    chosen = [kind for kind in KINDS if kind in kinds]
    if not chosen or set(kinds) - set(KINDS):
        raise BadRequest(f"Choose what the webhook is told of: {', '.join(KINDS)}.")
    mine = select(func.count()).where(webhooks.c.owner_id == owner_id)
    if (connection.scalar(mine) or 0) >= MOST_PER_PERSON:
        raise Conflict(f"You have {MOST_PER_PERSON} webhooks already: delete one first.")
    if (connection.scalar(select(func.count()).select_from(webhooks)) or 0) >= MOST_WEBHOOKS:
        raise Conflict(f"This site has {MOST_WEBHOOKS} webhooks already: one has to be deleted first.")
    secret = _SECRET_PREFIX + secrets.token_urlsafe(32)
    row = {"owner_id": owner_id, "url": url, "secret": secret, "kinds": json.dumps(chosen), "created_at": clock.now()}
    return int(connection.execute(insert(webhooks).values(row).returning(webhooks.c.id)).scalar_one()), secret


def list_of_person(connection: Connection, owner_id: int) -> list[Webhook]:
    """A teacher's webhooks, oldest first."""
    rows = connection.execute(select(webhooks).where(webhooks.c.owner_id == owner_id).order_by(webhooks.c.id))
    return [_webhook(connection, row) for row in rows.all()]


def get(connection: Connection, owner_id: int, webhook_id: int) -> Webhook:
    """One of a teacher's webhooks.

    Raises:
        NotFound: If they have no such webhook.
    """
    mine = (webhooks.c.owner_id == owner_id) & (webhooks.c.id == webhook_id)
    row = connection.execute(select(webhooks).where(mine)).one_or_none()
    if row is None:
        raise NotFound("There is no such webhook: it may have been deleted already.")
    return _webhook(connection, row)


def remove(connection: Connection, owner_id: int, webhook_id: int) -> None:
    """Deletes one of a teacher's webhooks, with what it has not been told yet.

    Raises:
        NotFound: If they have no such webhook.
    """
    mine = (webhooks.c.owner_id == owner_id) & (webhooks.c.id == webhook_id)
    if not connection.execute(delete(webhooks).where(mine)).rowcount:
        raise NotFound("There is no such webhook: it may have been deleted already.")


def _webhook(connection: Connection, row: Row[Any]) -> Webhook:
    mine = deliveries.c.webhook_id == row.id
    waits = deliveries.c.delivered_at.is_(None)
    waiting = connection.scalar(select(func.count()).select_from(deliveries).where(mine, waits)) or 0
    last = connection.scalar(select(func.max(deliveries.c.delivered_at)).where(mine))
    oldest = select(deliveries.c.last_error).where(mine, waits).order_by(deliveries.c.activity_id).limit(1)
    kinds = tuple(json.loads(row.kinds))
    return Webhook(row.id, row.url, kinds, row.created_at, waiting, last, connection.scalar(oldest))
