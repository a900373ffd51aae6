"""Repositories that go, come back and move: their submissions follow them on the boards."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, select, tuple_, update

from rl_hub import clock
from rl_leaderboard.boards import standings
from rl_leaderboard.boards.standings import Place
from rl_leaderboard.database.tables import submissions

# Values in one IN clause; SQLite bounds the variables of a statement.
_CHUNK = 500


def forget(connection: Connection, source: str, repo_id: str) -> None:
    """Takes a repository off every board that was deleted or hidden."""
    here = _repository(source, repo_id)
    _set_gone(connection, here & submissions.c.gone_at.is_(None), clock.now())


def find_again(connection: Connection, source: str, repo_id: str, among: Collection[str] | None = None) -> None:
    """Takes back that a repository was gone.

    Args:
        connection: A transaction that writes.
        source: The Hub.
        repo_id: owner/name.
        among: The commits that the repository has; None if that is not known. Another one of the same name may have
            been deleted before it.
    """
    here = _repository(source, repo_id)
    gone = here & submissions.c.gone_at.is_not(None)
    if among is None:
        _set_gone(connection, gone, None)
        return
    shas = sorted(set(connection.scalars(select(submissions.c.sha).where(gone))) & set(among))
    for start in range(0, len(shas), _CHUNK):
        _set_gone(connection, gone & submissions.c.sha.in_(shas[start : start + _CHUNK]), None)


def move(connection: Connection, source: str, repo_id: str, new_id: str, student: str | None) -> None:
    """Follows a repository to its new name.

    Args:
        connection: A transaction that writes.
        source: The Hub.
        repo_id: The name before.
        new_id: The name now.
        student: The account that its commits count for now; None leaves that as it is.
    """
    here = _repository(source, repo_id)
    there = _repository(source, new_id)
    if repo_id.lower() != new_id.lower():
        before = [*_places(connection, here), *_places(connection, there)]
        _remove_twins(connection, here, there)
    else:
        before = _places(connection, here)
    values = {"repo_id": new_id, "repo_key": new_id.lower()}
    if student is not None:
        values |= {"student_name": student, "student_key": student.lower()}
    connection.execute(update(submissions).where(here).values(values))
    standings.refresh(connection, [*before, *_places(connection, there)])


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


def _remove_twins(connection: Connection, here: ColumnElement[bool], there: ColumnElement[bool]) -> None:
    """Removes what came from the new name already, and is the same commit: the older row knows more of it."""
    old = select(submissions.c.sha, submissions.c.assignment_id).where(here)
    same = tuple_(submissions.c.sha, submissions.c.assignment_id).in_(old)
    connection.execute(delete(submissions).where(there, same))


def _set_gone(connection: Connection, where: ColumnElement[bool], moment: datetime | None) -> None:
    places = _places(connection, where)
    if places:
        connection.execute(update(submissions).where(where).values(gone_at=moment))
        standings.refresh(connection, places)


def _places(connection: Connection, where: ColumnElement[bool]) -> list[Place]:
    columns = submissions.c.assignment_id, submissions.c.source, submissions.c.student_key
    return [Place(*row) for row in connection.execute(select(*columns).where(where).distinct())]
