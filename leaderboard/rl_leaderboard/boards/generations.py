"""Counters that grow when what a page shows has changed.

A page that was kept is good as long as the counters it depends on are what they were.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select, update

from rl_hub.database.engine import insert_ignore
from rl_leaderboard.database.tables import generations

BUMPED = "bumped generations"
"""Where a transaction's `connection.info` names the counters that it has moved."""


def bump(connection: Connection, names: Iterable[str]) -> None:
    """Moves counters on, in the transaction that makes the change."""
    # One order for everybody, so that two transactions do not wait for each other in a circle.
    for name in sorted(set(names)):
        insert_ignore(connection, generations, [{"name": name, "number": 0}])
        connection.execute(
            update(generations).where(generations.c.name == name).values(number=generations.c.number + 1)
        )
        connection.info.setdefault(BUMPED, set()).add(name)


def read_all(connection: Connection) -> Mapping[str, int]:
    """All counters."""
    return {row.name: row.number for row in connection.execute(select(generations))}
