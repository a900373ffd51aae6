"""The time as the database knows it, which all workers share, on however many machines they are."""

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select


def now(connection: Connection) -> datetime:
    """The database's clock, in UTC, at this moment rather than at the start of the transaction."""
    if connection.dialect.name == "sqlite":
        # SQLite asks the machine that it runs on; all of its users are there too.
        return datetime.fromisoformat(connection.execute(_SQLITE).scalar_one()).replace(tzinfo=UTC)
    moment: datetime = connection.execute(_POSTGRESQL).scalar_one()
    return moment.astimezone(UTC)


_SQLITE = select(func.strftime("%Y-%m-%d %H:%M:%f", "now"))
_POSTGRESQL = select(func.clock_timestamp())
