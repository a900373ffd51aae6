"""Which judges work at the moment, and how well each fences in what it plays."""

from datetime import timedelta

from sqlalchemy import Connection, delete, select, update

from rl_hub import clock
from rl_hub.database.engine import insert_ignore
from rl_leaderboard.database.tables import judges

EVERY_SECONDS = 20.0
"""How often a judge says that it works."""

_GONE = timedelta(seconds=3 * EVERY_SECONDS)
_FORGOTTEN = timedelta(days=1)
_LONGEST_PROGRESS = 200


def note(connection: Connection, name: str, isolation: str) -> None:
    """Says that a judge works.

    Args:
        connection: A transaction that writes.
        name: Of its process.
        isolation: In which kind of sandbox it plays agents.
    """
    now = clock.now()
    insert_ignore(
        connection,
        judges,
        [{"name": name, "isolation": isolation, "started_at": now, "seen_at": now, "progress": ""}],
    )
    connection.execute(update(judges).where(judges.c.name == name).values(isolation=isolation, seen_at=now))
    connection.execute(delete(judges).where(judges.c.seen_at < now - _FORGOTTEN))


def tell(connection: Connection, name: str, submission_id: int | None, progress: str = "") -> None:
    """Says what a judge plays, and how far it is; None for nothing."""
    doing = {"submission_id": submission_id, "progress": progress[:_LONGEST_PROGRESS], "seen_at": clock.now()}
    connection.execute(update(judges).where(judges.c.name == name).values(doing))


def progress_of(connection: Connection, submission_id: int) -> str:
    """How far the judge is that plays a submission, a sentence; empty if nobody says so."""
    here = (judges.c.submission_id == submission_id) & (judges.c.seen_at >= clock.now() - _GONE)
    return connection.scalar(select(judges.c.progress).where(here).order_by(judges.c.seen_at.desc()).limit(1)) or ""


def leave(connection: Connection, name: str) -> None:
    """Says that a judge has stopped."""
    connection.execute(delete(judges).where(judges.c.name == name))


def isolations(connection: Connection) -> list[str]:
    """The kinds of sandboxes of the judges that work now, one for each judge, the weakest last."""
    here = judges.c.seen_at >= clock.now() - _GONE
    return list(connection.scalars(select(judges.c.isolation).where(here).order_by(judges.c.isolation)))
