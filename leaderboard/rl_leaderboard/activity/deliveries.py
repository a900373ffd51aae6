"""What outgoing webhooks still have to be told: a queue in the database.

A delivery is claimed before it is sent, by moving its next attempt into the future. So two processes do not send it at
the same time, and if the one that claimed it is killed, it is due again when the claim ends.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from rl_hub import clock
from rl_leaderboard.activity import feed
from rl_leaderboard.activity.feed import Activity
from rl_leaderboard.database.tables import deliveries as _table
from rl_leaderboard.database.tables import webhooks

CLAIM_SECONDS = 60.0
"""Longer than sending takes (`sender.SEND_SECONDS`)."""

# How long what was delivered stays to be looked at.
_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Delivery:
    """An activity on its way to a webhook.

    Attributes:
        id: Of the delivery; the same at every attempt.
        webhook_id: Who is told.
        activity: Of what.
        url: Where.
        secret: What it is signed with.
        failures: How often it has failed.
    """

    id: int
    webhook_id: int
    activity: Activity
    url: str = field(repr=False)
    secret: str = field(repr=False)
    failures: int


def due(connection: Connection) -> list[int]:
    """The ids of webhooks that have something to be told now."""
    webhook = _table.c.webhook_id
    return list(connection.scalars(select(webhook).where(*_is_due()).distinct().order_by(webhook)))


def claim(connection: Connection, webhook_id: int) -> Delivery | None:
    """Takes the oldest delivery that is due to a webhook, in a write transaction; None if there is none."""
    row = connection.execute(
        select(_table, webhooks.c.url, webhooks.c.secret)
        .join(webhooks, webhooks.c.id == _table.c.webhook_id)
        .where(_table.c.webhook_id == webhook_id, *_is_due())
        .order_by(_table.c.activity_id)
        .limit(1)
        # On PostgreSQL another process may be claiming at the same time; SQLite has one writer.
        .with_for_update(of=_table, skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    _postpone(connection, row.id, CLAIM_SECONDS)
    activity = feed.get(connection, row.activity_id)
    return Delivery(row.id, webhook_id, activity, row.url, row.secret, row.attempts)


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


def waiting(connection: Connection) -> int:
    """How many deliveries are still to be made."""
    undelivered = select(func.count()).select_from(_table).where(_table.c.delivered_at.is_(None))
    return connection.scalar(undelivered) or 0


def _is_due() -> tuple[Any, Any]:
    return _table.c.delivered_at.is_(None), _table.c.next_attempt_at <= clock.now()


def _postpone(connection: Connection, delivery_id: int, seconds: float, **values: Any) -> None:
    at = clock.now() + timedelta(seconds=seconds)
    connection.execute(update(_table).where(_table.c.id == delivery_id).values(next_attempt_at=at, **values))
