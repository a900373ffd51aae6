"""What an account of a Hub has handed in, and what is told about it."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, select

from rl_leaderboard.boards import standings
from rl_leaderboard.boards.standings import Place
from rl_leaderboard.database.tables import activities, submissions


def of(source: str | None, key: str) -> ColumnElement[bool]:
    """Whether a submission is an account's: none is, without a Hub that somebody vouches for."""
    return (submissions.c.source == source) & (submissions.c.student_key == key)


def places(connection: Connection, source: str | None, key: str) -> list[Place]:
    """The boards on which an account has submissions."""
    return _places(connection, of(source, key))


def forget(connection: Connection, where: ColumnElement[bool]) -> None:
    """Deletes submissions with their scores and whatever was told about them."""
    before = _places(connection, where)
    numbers = select(submissions.c.id).where(where)
    connection.execute(delete(activities).where(activities.c.submission_id.in_(numbers)))
    connection.execute(delete(submissions).where(where))
    standings.refresh(connection, before)


def leave_elsewhere(connection: Connection, source: str, key: str, before: datetime | None = None) -> None:
    """Deletes what cannot be the work of an account's new owner.

    That is everything but what stands in repositories of the account's name, which are the new owner's by now.

    Args:
        connection: A transaction that writes.
        source: The Hub.
        key: The account.
        before: Only what is older; None for everything.
    """
    elsewhere = ~submissions.c.repo_key.startswith(f"{key}/", autoescape=True)
    theirs = of(source, key) & (elsewhere | submissions.c.gone_at.is_not(None))
    forget(connection, theirs if before is None else theirs & (submissions.c.submitted_at < before))


def show_anew(connection: Connection, source: str | None, key: str) -> None:
    """Lets boards, frozen ones as well, show an account's owner as they are called now."""
    mine = places(connection, source, key)
    standings.refresh(connection, mine)
    standings.reword(connection, mine)


def _places(connection: Connection, where: ColumnElement[bool]) -> list[Place]:
    columns = submissions.c.assignment_id, submissions.c.source, submissions.c.student_key
    return [Place(*row) for row in connection.execute(select(*columns).where(where).distinct())]
