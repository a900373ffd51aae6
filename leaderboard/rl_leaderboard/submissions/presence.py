"""Which judges work at the moment, and how well each fences in what it plays."""

from datetime import timedelta

from sqlalchemy import Connection, delete, select

from rl_hub import clock
from rl_hub.database.engine import upsert
from rl_leaderboard.database.tables import judges

EVERY_SECONDS = 20.0
"""How often a judge says that it works."""

_GONE = timedelta(seconds=3 * EVERY_SECONDS)
_FORGOTTEN = timedelta(days=1)


def note(connection: Connection, name: str, isolation: str) -> None:
    """Says that a judge works.

    Args:
        connection: A transaction that writes.
        name: Of its process.
        isolation: In which kind of sandbox it plays agents.
    """
    now = clock.now()
    started = connection.scalar(select(judges.c.started_at).where(judges.c.name == name)) or now
    upsert(connection, judges, [{"name": name, "isolation": isolation, "started_at": started, "seen_at": now}])
    connection.execute(delete(judges).where(judges.c.seen_at < now - _FORGOTTEN))


def leave(connection: Connection, name: str) -> None:
    """Says that a judge has stopped."""
    connection.execute(delete(judges).where(judges.c.name == name))


def isolations(connection: Connection) -> list[str]:
    """The kinds of sandboxes of the judges that work now, one for each judge, the weakest last."""
    here = judges.c.seen_at >= clock.now() - _GONE
    return list(connection.scalars(select(judges.c.isolation).where(here).order_by(judges.c.isolation)))
