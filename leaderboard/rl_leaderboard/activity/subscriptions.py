"""Outgoing webhooks: who is told of which activities, and what they still have to be told."""

import json

from sqlalchemy import Connection, insert, select

from rl_hub import clock
from rl_leaderboard.database.tables import deliveries, webhooks


def enqueue(connection: Connection, kind: str, activity_id: int) -> None:
    """Notes that every webhook which asks for this kind is to be told."""
    now = clock.now()
    rows = [
        {"webhook_id": row.id, "activity_id": activity_id, "next_attempt_at": now}
        for row in connection.execute(select(webhooks.c.id, webhooks.c.kinds).where(webhooks.c.enabled))
        if kind in json.loads(row.kinds)
    ]
    if rows:
        connection.execute(insert(deliveries), rows)
