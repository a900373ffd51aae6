"""Whether the classroom can do its work, read from its databases and its disk."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from rl_hub.errors import HubError
from rl_hub.hub import Hub
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database.tables import deliveries, source_states, submissions
from rl_leaderboard.rules.sources import source_name
from rl_leaderboard.settings import Settings

WAITING = ("queued", "running")
"""States of submissions that a judge has to do with."""

ISOLATION = "none"
"""In which kind of sandbox agents are evaluated: there is no judge yet, so that no agent is run at all."""

_LITTLE_BYTES = 2**28


@dataclass(frozen=True)
class Figures:
    """What the database says.

    Attributes:
        submissions: How many are in each state.
        backlog: Webhooks' deliveries that are still to be made.
        sources: When each Hub that is read answered last; None for one that never did.
    """

    submissions: Mapping[str, int] = field(default_factory=dict)
    backlog: int = 0
    sources: Mapping[str, datetime | None] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Submissions that wait for the judge."""
        return sum(self.submissions.get(state, 0) for state in WAITING)


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


def _read(connection: Connection, settings: Settings) -> Figures:
    states = select(submissions.c.state, func.count()).group_by(submissions.c.state)
    backlog = select(func.count()).where(deliveries.c.delivered_at.is_(None))
    source = source_states.c.source
    successes = select(source, func.max(source_states.c.last_success_at)).group_by(source)
    never: dict[str, datetime | None] = {source_name(address): None for address in settings.sources}
    return Figures(
        {row[0]: row[1] for row in connection.execute(states)},
        connection.scalar(backlog) or 0,
        never | {row[0]: row[1] for row in connection.execute(successes)},
    )


def _answers(hub: Hub) -> bool:
    try:
        with hub.database.read() as connection:
            return connection.scalar(select(1)) == 1
    except (SQLAlchemyError, HubError):
        return False
