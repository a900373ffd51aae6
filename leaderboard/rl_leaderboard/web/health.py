"""Whether the classroom can do its work, read from its databases and its disk.

Whoever watches asks every few seconds, so `examine` takes no longer with more submissions.
"""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from rl_hub.errors import HubError
from rl_hub.hub import Hub
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database.tables import assignments, deliveries, source_states, submissions
from rl_leaderboard.rules.sources import source_name
from rl_leaderboard.settings import Settings
from rl_leaderboard.submissions import judging, presence

NO_JUDGE = "none"
"""What is said of the sandboxes while no judge works."""

_LITTLE_BYTES = 2**28


@dataclass(frozen=True)
class Figures:
    """What the database says.

    Attributes:
        waiting: Submissions that wait for the judge.
        judges: The kinds of sandboxes in which judges play agents now, one for each judge, the weakest last.
        backlog: Webhooks' deliveries that are still to be made.
        sources: When each Hub that is read answered last; None for one that never did.
    """

    waiting: int = 0
    judges: Sequence[str] = ()
    backlog: int = 0
    sources: Mapping[str, datetime | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Health:
    """What works.

    Attributes:
        database: Whether the database answers.
        disk: Whether the disk has room.
        hub: Whether the embedded Hub's database answers; None without one.
        figures: What the database says; nothing if it does not answer.
    """

    database: bool
    disk: bool
    hub: bool | None
    figures: Figures

    @property
    def is_good(self) -> bool:
        """Whether everything works that this machine is responsible for; another Hub may be down."""
        return self.database and self.disk and self.hub is not False


def examine(classroom: Classroom) -> Health:
    """Looks at everything."""
    try:
        with classroom.read() as connection:
            figures = _read(connection, classroom.settings)
        database = True
    except (SQLAlchemyError, HubError):
        figures, database = Figures(), False
    disk = shutil.disk_usage(classroom.settings.data).free >= _LITTLE_BYTES
    return Health(database, disk, None if classroom.hub is None else _answers(classroom.hub), figures)


def count_submissions(classroom: Classroom) -> Mapping[str, int]:
    """How many submissions are in each state: every one of them is counted, on an index alone."""
    counts: Counter[str] = Counter()
    by = submissions.c.assignment_id, submissions.c.state
    with classroom.read() as connection:
        for _, state, number in connection.execute(select(*by, func.count()).group_by(*by)):
            counts[state] += number
    return counts


def _read(connection: Connection, settings: Settings) -> Figures:
    # With their assignments, by which the index begins.
    waiting = select(func.count()).where(
        submissions.c.assignment_id.in_(select(assignments.c.id)), submissions.c.state.in_(judging.UNFINISHED)
    )
    backlog = select(func.count()).where(deliveries.c.delivered_at.is_(None))
    source = source_states.c.source
    successes = select(source, func.max(source_states.c.last_success_at)).group_by(source)
    never: dict[str, datetime | None] = {source_name(address): None for address in settings.sources}
    return Figures(
        connection.scalar(waiting) or 0,
        presence.isolations(connection),
        connection.scalar(backlog) or 0,
        never | {row[0]: row[1] for row in connection.execute(successes)},
    )


def _answers(hub: Hub) -> bool:
    try:
        with hub.database.read() as connection:
            return connection.scalar(select(1)) == 1
    except (SQLAlchemyError, HubError):
        return False
