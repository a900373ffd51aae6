"""Which outgoing webhooks are told of an activity."""

import json

from sqlalchemy import Connection, insert, select

from rl_hub import clock
from rl_leaderboard.database.tables import deliveries, people, webhooks

TEACHERS = ("teacher", "admin")
"""Roles of those who may have webhooks."""


def enqueue(connection: Connection, kind: str, activity_id: int) -> None:
    """Notes that every webhook which asks for this kind is to be told; those of people who no longer teach are not."""
    now = clock.now()
    listening = (
        select(webhooks.c.id, webhooks.c.kinds)
        .join_from(webhooks, people, people.c.id == webhooks.c.owner_id)
        .where(webhooks.c.enabled, people.c.is_appointed | people.c.role.in_(TEACHERS))
    )
    rows = [
        {"webhook_id": row.id, "activity_id": activity_id, "next_attempt_at": now}
        for row in connection.execute(listening)
        if kind in json.loads(row.kinds)
    ]
    if rows:
        connection.execute(insert(deliveries), rows)
