"""Who has deleted their account: nothing of theirs is taken in again until they come back.

A Hub goes on telling of a student's repositories, whose owner is the name that a pseudonym stood for. What is kept is
a digest of the name, and what leaving and coming back must not undo: retractions, and the day's quota.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, false, func, select, update

from rl_hub import clock
from rl_hub.database.engine import upsert
from rl_leaderboard.boards.standings import Place
from rl_leaderboard.database.tables import audit_entries, departures, submissions
from rl_leaderboard.people import work

SOMEBODY = "Somebody who has left"
_OWN_STEPS = ("class.join", "class.leave")
_STILL = "Before the account was deleted, a submission was taken off this board, so a teacher has to look at this one"


def of(source: str | None, key: str) -> ColumnElement[bool]:
    """What is kept of an account's owner having left."""
    return false() if source is None else departures.c.student == _student(source, key)


def note(connection: Connection, source: str, key: str) -> None:
    """Remembers that the owner of an account has left; call it before the submissions are deleted."""
    now = clock.now()
    earlier = connection.execute(select(departures).where(of(source, key))).one_or_none()
    retracted: dict[str, Any] = json.loads(earlier.retracted) if earlier else {}
    reviews: dict[str, str] = json.loads(earlier.reviews) if earlier else {}
    for row in connection.execute(select(submissions).where(work.of(source, key)).order_by(submissions.c.id)):
        commit = _commit(row._asdict())
        if row.retracted_at is None:
            # A teacher may have put it back since the person left before.
            retracted.pop(commit, None)
        else:
            retracted[commit] = [row.retraction, row.review]
        if row.review == "required":
            reviews[row.assignment_id] = row.retraction
    values = {
        "student": _student(source, key),
        "departed_at": now,
        "returned_at": None,
        "retracted": json.dumps(retracted),
        "reviews": json.dumps(reviews),
        "used": json.dumps(_use_of_today(connection, source, key, earlier, now)),
    }
    upsert(connection, departures, [values])


def forget_steps(connection: Connection, person_id: int) -> None:
    """Takes a name out of the log where its owner decided for nobody else: joining and leaving classes."""
    own = (audit_entries.c.actor_id == person_id) & audit_entries.c.action.in_(_OWN_STEPS)
    connection.execute(update(audit_entries).where(own).values(actor_id=None, actor_name=SOMEBODY))


def come_back(connection: Connection, source: str, key: str) -> None:
    """Notes that the owner of an account is here again: from now on, what the Hub tells of them is taken in."""
    away = of(source, key) & departures.c.returned_at.is_(None)
    connection.execute(update(departures).where(away).values(returned_at=clock.now()))


def screen(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """New submissions as they may be taken in, after people have left.

    Those of people who are away are left out. What was retracted is so again, and where a teacher had to look at what
    comes next, one still has to.

    Args:
        connection: A transaction that writes, and holds the boards.
        rows: Submissions that are not there yet.
    """
    query = select(departures).where(departures.c.student.in_({_student_of(row) for row in rows}))
    known = {row.student: row for row in connection.execute(query)}
    if not known:
        return list(rows)
    kept = []
    for row in rows:
        departure = known.get(_student_of(row))
        if departure is None:
            kept.append(row)
        elif departure.returned_at is not None:
            kept.append(row | _again(row, departure))
    _use_up_reviews(connection, kept, known)
    return kept


def use_before(connection: Connection, place: Place, now: datetime) -> tuple[int, int]:
    """What somebody who left and came back on the same day had handed in before: taken in, and tried."""
    query = select(departures).where(of(place.source, place.student_key))
    taken, tries = _used_on(connection.execute(query).one_or_none(), now).get(place.assignment_id, (0, 0))
    return taken, tries


def _again(row: dict[str, Any], departure: Row[Any]) -> dict[str, Any]:
    """What a submission is marked with because of one from before its student left."""
    found = json.loads(departure.retracted).get(_commit(row))
    if found is not None:
        return {"retracted_at": row["received_at"], "retraction": found[0], "review": found[1]}
    reason = json.loads(departure.reviews).get(row["assignment_id"])
    if reason is None:
        return {}
    return {"retracted_at": row["received_at"], "retraction": f"{_STILL}: {reason}", "review": "required"}


def _use_up_reviews(connection: Connection, rows: Sequence[dict[str, Any]], known: dict[str, Row[Any]]) -> None:
    """A submission that waits for a teacher lets the next ones wait, so that the departure no longer has to."""
    for student, departure in known.items():
        reviews: dict[str, str] = json.loads(departure.reviews)
        waiting = {row["assignment_id"] for row in rows if row["review"] == "required" and _student_of(row) == student}
        if waiting & reviews.keys():
            rest = {name: reason for name, reason in reviews.items() if name not in waiting}
            here = departures.c.student == student
            connection.execute(update(departures).where(here).values(reviews=json.dumps(rest)))


def _use_of_today(
    connection: Connection, source: str, key: str, earlier: Row[Any] | None, now: datetime
) -> dict[str, tuple[int, int]]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    counts = func.count().filter(submissions.c.state != "failed"), func.sum(submissions.c.tries)
    query = select(submissions.c.assignment_id, *counts).where(
        work.of(source, key), submissions.c.received_at >= midnight
    )
    used = _used_on(earlier, now)
    for assignment_id, taken, tries in connection.execute(query.group_by(submissions.c.assignment_id)):
        before = used.get(assignment_id, (0, 0))
        used[assignment_id] = (before[0] + taken, before[1] + tries)
    return used


def _used_on(departure: Row[Any] | None, now: datetime) -> dict[str, tuple[int, int]]:
    if departure is None or departure.departed_at.date() != now.date():
        return {}
    found: dict[str, tuple[int, int]] = json.loads(departure.used)
    return found


def _student_of(row: dict[str, Any]) -> str:
    return _student(row["source"], row["student_key"])


def _student(source: str, key: str) -> str:
    return _digest(source, key)


def _commit(row: dict[str, Any]) -> str:
    return _digest(row["repo_key"], row["sha"], row["assignment_id"])


def _digest(*names: str) -> str:
    return hashlib.sha256("\n".join(names).encode(errors="replace")).hexdigest()
