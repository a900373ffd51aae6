"""How much a student may hand in for an assignment on a day."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from rl_leaderboard.boards.standings import Place
from rl_leaderboard.database.tables import assignments, submissions
from rl_leaderboard.people import departures

# Tries of a day for each submission of the quota: what fails is seldom its student's fault, but it is work.
_TRIES = 3
AGAIN = "Hand this commit in again tomorrow"
_HOW = "python -m rl_units submit owner/name"


@dataclass
class Day:
    """What a student has handed in for an assignment today.

    Attributes:
        taken: Submissions that have not failed.
        tries: How often anything was taken in, failures included.
    """

    taken: int
    tries: int

    def refusal(self, quota: int) -> str:
        """Why nothing more is taken today, a sentence; empty if there is room."""
        if self.taken >= quota:
            return f"Today's quota of {quota} is used up."
        if self.tries >= _TRIES * quota:
            return f"Today's {_TRIES * quota} tries are used up, those that failed included."
        return ""


def apply(connection: Connection, rows: Collection[dict[str, Any]]) -> None:
    """Marks rows of the table `submissions`, not yet in it, that are more than a student may hand in on a day."""
    limited = assignments.c.quota_per_day.is_not(None)
    quotas = {row.id: row.quota_per_day for row in connection.execute(select(assignments).where(limited))}
    days: dict[Place, Day] = {}
    for row in rows:
        quota = quotas.get(row["assignment_id"])
        if quota is None:
            continue
        place = Place(row["assignment_id"], row["source"], row["student_key"])
        if place not in days:
            days[place] = today(connection, place, row["received_at"])
        if problem := days[place].refusal(quota):
            row |= {"over_quota": True, "tries": 0, "state": "failed", "reason": f"{problem} {AGAIN}: {_HOW}."}
        else:
            days[place].taken += 1
            days[place].tries += 1


def today(connection: Connection, place: Place, now: datetime) -> Day:
    """What has come on this day, in UTC."""
    has_not_failed = submissions.c.state != "failed"
    query = select(func.count().filter(has_not_failed), func.coalesce(func.sum(submissions.c.tries), 0)).where(
        submissions.c.assignment_id == place.assignment_id,
        submissions.c.source == place.source,
        submissions.c.student_key == place.student_key,
        submissions.c.received_at >= midnight(now),
    )
    taken, tries = connection.execute(query).one()
    taken_before, tries_before = departures.use_before(connection, place, now)
    return Day(taken + taken_before, tries + tries_before)


def midnight(now: datetime) -> datetime:
    """When the day began, in UTC."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
