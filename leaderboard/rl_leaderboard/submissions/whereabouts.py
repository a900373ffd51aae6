"""Repositories that go, come back and move: their submissions follow them on the boards.

Every board is held before anything is read: which ones a repository is on, others may be changing just then.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, select, tuple_, update

from rl_hub import clock
from rl_leaderboard.boards import standings
from rl_leaderboard.boards.standings import Place
from rl_leaderboard.database.tables import activities, submissions

# Values in one IN clause; SQLite bounds the variables of a statement.
_CHUNK = 500


def forget(connection: Connection, source: str, repo_id: str) -> None:
    """Takes a repository off every board that was deleted or hidden."""
    standings.hold_all(connection)
    here = _repository(source, repo_id)
    _set_gone(connection, here & submissions.c.gone_at.is_(None), clock.now())


def find_again(connection: Connection, source: str, repo_id: str, among: Collection[str]) -> None:
    """Takes back that a repository was gone.

    Args:
        connection: A transaction that writes.
        source: The Hub.
        repo_id: owner/name.
        among: The commits that the repository is known to have: another one of the same name may have been deleted
            before it.
    """
    standings.hold_all(connection)
    gone = _repository(source, repo_id) & submissions.c.gone_at.is_not(None)
    shas = sorted(set(connection.scalars(select(submissions.c.sha).where(gone))) & set(among))
    for start in range(0, len(shas), _CHUNK):
        _set_gone(connection, gone & submissions.c.sha.in_(shas[start : start + _CHUNK]), None)


def move(connection: Connection, source: str, repo_id: str, new_id: str) -> None:
    """Follows a repository to its new name.

    What was handed in stays the work of whoever it counted for: an organisation's repository may be moved by one of
    its members, and counts for each of them. Only commits that come from now on count for a new owner.

    Args:
        connection: A transaction that writes.
        source: The Hub.
        repo_id: The name before.
        new_id: The name now.
    """
    standings.hold_all(connection)
    here = _repository(source, repo_id)
    there = _repository(source, new_id)
    before = [*_places(connection, here), *_places(connection, there)]
    if repo_id.lower() != new_id.lower():
        _unite_twins(connection, here, there)
    connection.execute(update(submissions).where(here).values(repo_id=new_id, repo_key=new_id.lower()))
    owner = new_id.partition("/")[0]
    # The same account, in another spelling.
    its_own = there & (submissions.c.student_key == owner.lower())
    connection.execute(update(submissions).where(its_own).values(student_name=owner))
    standings.refresh(connection, before)


def repositories(connection: Connection, source: str) -> set[str]:
    """The names, in lower case, of all repositories of a Hub that are there."""
    query = select(submissions.c.repo_key).where(submissions.c.source == source, submissions.c.gone_at.is_(None))
    return set(connection.scalars(query.distinct()))


def gone_among(connection: Connection, source: str, repo_ids: Collection[str]) -> set[str]:
    """Those repositories that are gone as far as is known here, in lower case; a few hundred at most."""
    keys = {repo_id.lower() for repo_id in repo_ids}
    gone = submissions.c.gone_at.is_not(None)
    query = select(submissions.c.repo_key).where(submissions.c.source == source, submissions.c.repo_key.in_(keys), gone)
    return set(connection.scalars(query.distinct()))


def _repository(source: str, repo_id: str) -> ColumnElement[bool]:
    return (submissions.c.source == source) & (submissions.c.repo_key == repo_id.lower())


def _unite_twins(connection: Connection, here: ColumnElement[bool], there: ColumnElement[bool]) -> None:
    """Removes what came from the new name already, and is the same commit: the row of the old name knows more of it.

    It has to know of a retraction as well, or a move would undo it.
    """
    columns = submissions.c.sha, submissions.c.assignment_id
    twins = there & tuple_(*columns).in_(select(*columns).where(here))
    decided = submissions.c.retracted_at, submissions.c.retraction, submissions.c.review
    retracted = select(*columns, *decided).where(twins, submissions.c.retracted_at.is_not(None))
    for row in connection.execute(retracted).all():
        same = and_(here, submissions.c.sha == row.sha, submissions.c.assignment_id == row.assignment_id)
        values = {column.name: getattr(row, column.name) for column in decided}
        connection.execute(update(submissions).where(same, submissions.c.review != "required").values(values))
    told = activities.c.submission_id.in_(select(submissions.c.id).where(twins))
    connection.execute(delete(activities).where(told))
    connection.execute(delete(submissions).where(twins))


def _set_gone(connection: Connection, where: ColumnElement[bool], moment: datetime | None) -> None:
    places = _places(connection, where)
    if places:
        changed = update(submissions).where(where).values(gone_at=moment).returning(submissions.c.id)
        numbers = connection.scalars(changed).all()
        standings.refresh(connection, places, returning=numbers if moment is None else ())


def _places(connection: Connection, where: ColumnElement[bool]) -> list[Place]:
    columns = submissions.c.assignment_id, submissions.c.source, submissions.c.student_key
    return [Place(*row) for row in connection.execute(select(*columns).where(where).distinct())]
