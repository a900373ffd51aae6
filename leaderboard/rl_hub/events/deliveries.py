"""What webhooks still have to be told: a queue in the database.

A delivery is claimed before it is sent, by moving its next attempt into the future. So two processes do not send it at
the same time, and if the one that claimed it is killed, it is due again when the claim ends.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from rl_hub import clock
from rl_hub.database import tables

CLAIM_SECONDS = 60.0
"""Longer than sending takes (`dispatcher.SEND_SECONDS`)."""

# How long what was delivered stays to be looked at.
_KEPT = timedelta(days=7)

_table = tables.deliveries


@dataclass(frozen=True)
class Delivery:
    """An event on its way to a webhook.

    Attributes:
        id: Of the delivery.
        webhook_id: Who is told.
        event_id: Of what.
        url: Where.
        secret: What goes with it.
        payload: The event's body.
        failures: How often it has failed.
    """

    id: int
    webhook_id: str
    event_id: int
    url: str
    secret: str | None
    payload: Mapping[str, Any]
    failures: int

    def __repr__(self) -> str:
        """Without secrets, which an address can hold too."""
        return f"Delivery({self.id}, webhook {self.webhook_id}, event {self.event_id})"


@dataclass(frozen=True)
class Backlog:
    """What a webhook waits for.

    Attributes:
        waiting: Deliveries that are still to be made.
        last_delivered_at: When one last arrived.
        last_error: What the oldest waiting one failed with, if it did.
    """

    waiting: int
    last_delivered_at: datetime | None
    last_error: str | None


def due(connection: Connection) -> list[str]:
    """The ids of webhooks that have something to be told now."""
    webhook = _table.c.webhook_id
    return list(connection.scalars(select(webhook).where(*_is_due()).distinct().order_by(webhook)))


def claim(connection: Connection, webhook_id: str) -> Delivery | None:
    """Takes the oldest delivery that is due to a webhook, in a write transaction; None if there is none.

    What is due to a webhook that was disabled meanwhile is dropped.
    """
    webhook = tables.webhooks
    row = connection.execute(
        select(_table, webhook.c.url, webhook.c.secret, webhook.c.enabled, tables.events.c.payload)
        .join(webhook, webhook.c.id == _table.c.webhook_id)
        .join(tables.events, tables.events.c.id == _table.c.event_id)
        .where(_table.c.webhook_id == webhook_id, *_is_due())
        .order_by(_table.c.event_id)
        .limit(1)
        # On PostgreSQL another process may be claiming at the same time; SQLite has one writer.
        .with_for_update(of=_table, skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    if not row.enabled:
        connection.execute(delete(_table).where(_table.c.webhook_id == webhook_id, _table.c.delivered_at.is_(None)))
        return None
    _postpone(connection, row.id, CLAIM_SECONDS)
    payload = json.loads(row.payload)
    return Delivery(row.id, webhook_id, row.event_id, row.url, row.secret, payload, row.attempts)


def delivered(connection: Connection, delivery: Delivery) -> None:
    """Notes that a delivery has arrived."""
    connection.execute(
        update(_table).where(_table.c.id == delivery.id).values(delivered_at=clock.now(), last_error=None)
    )


def failed(connection: Connection, delivery: Delivery, error: str, pause_seconds: float | None) -> None:
    """Notes that a delivery has failed; it is tried again after the pause, or given up if there is none."""
    if pause_seconds is None:
        connection.execute(delete(_table).where(_table.c.id == delivery.id))
        return
    _postpone(connection, delivery.id, pause_seconds, attempts=delivery.failures + 1, last_error=error)


def prune(connection: Connection) -> None:
    """Forgets what was delivered a while ago."""
    connection.execute(delete(_table).where(_table.c.delivered_at < clock.now() - _KEPT))


def backlog(connection: Connection, webhook_id: str) -> Backlog:
    """What a webhook waits for."""
    mine = _table.c.webhook_id == webhook_id
    waits = _table.c.delivered_at.is_(None)
    waiting = connection.scalar(select(func.count()).select_from(_table).where(mine, waits)) or 0
    last = connection.scalar(select(func.max(_table.c.delivered_at)).where(mine))
    error = connection.scalar(select(_table.c.last_error).where(mine, waits).order_by(_table.c.event_id).limit(1))
    return Backlog(waiting, last, error)


def _is_due() -> tuple[Any, Any]:
    return _table.c.delivered_at.is_(None), _table.c.next_attempt_at <= clock.now()


def _postpone(connection: Connection, delivery_id: int, seconds: float, **values: Any) -> None:
    at = clock.now() + timedelta(seconds=seconds)
    connection.execute(update(_table).where(_table.c.id == delivery_id).values(next_attempt_at=at, **values))
