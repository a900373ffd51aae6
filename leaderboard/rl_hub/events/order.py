"""Events become visible in the order of their ids."""

from sqlalchemy import Connection, func, select

# Any number will do that no other advisory lock of the Hub uses; the others are in `rl_hub.database.engine`.
_EVENTS_LOCK = 1


def keep_order(connection: Connection) -> None:
    """Keeps other events from being written until the transaction ends.

    PostgreSQL gives out ids before transactions end, so that event 7 could be seen, and a subscriber's position move
    past it, before event 6 is there. SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_EVENTS_LOCK)))
