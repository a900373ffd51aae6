"""What maintenance needs of only one of the two databases; on the other, nothing happens."""

from sqlalchemy import Connection, MetaData, Table, delete, func, insert, select, text

from rl_hub import clock
from rl_hub.database import tables


def keep_writers_out(connection: Connection, table: Table) -> None:
    """Waits for the transactions that have written to a table, and keeps others from it until this one ends.

    SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        # An insert that finds its row there already counts as writing too.
        connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


def continue_ids(connection: Connection) -> None:
    """Lets automatic ids of a Hub go on after those of rows that were all inserted with theirs."""
    # An event's id is never given out twice, and a subscriber may have heard of events that are gone.
    events = tables.events
    heard = connection.scalar(select(func.max(tables.subscribers.c.last_event_id))) or 0
    marker = heard > (connection.scalar(select(func.max(events.c.id))) or 0)
    if marker:
        connection.execute(insert(events).values(id=heard, created_at=clock.now(), payload="{}"))
    continue_sequences(connection, tables.metadata)
    if marker:
        connection.execute(delete(events).where(events.c.id == heard))


def continue_sequences(connection: Connection, metadata: MetaData) -> None:
    """Lets the counters of automatic ids go on after the rows; SQLite looks at the rows themselves."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            last = select(func.max(column)).scalar_subquery()
            connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, column.name), last)))


def self_check(connection: Connection) -> list[str]:
    """What the database finds wrong in its own pages; PostgreSQL looks at them whenever it reads them."""
    if connection.dialect.name != "sqlite":
        return []
    # The answer is a single row "ok", or a row for each fault, 100 at most.
    answers = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check"))]
    return [] if answers == ["ok"] else answers
