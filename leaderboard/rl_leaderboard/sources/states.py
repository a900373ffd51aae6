"""What is known of each Hub that is polled: how far it was read, when it last answered, what is wrong with it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from rl_hub import clock
from rl_hub.database.engine import upsert
from rl_hub.events.backoff import Backoff
from rl_leaderboard.database.tables import source_states
from rl_leaderboard.rules.sources import source_name
from rl_leaderboard.settings import Settings

WHOLE = ""
"""In the place of an environment: the Hub as a whole."""

_PAUSES = Backoff(first_seconds=30, longest_seconds=3600)


@dataclass(frozen=True)
class SourceState:
    """What is known of a Hub, or of one environment there.

    Attributes:
        source: The Hub.
        env_id: The environment; `WHOLE` for the Hub as a whole.
        newest_modified: When the newest model that was read changed; None if not all were read yet.
        newest_seen: Which model that was, at which commit.
        last_success_at: When it answered last.
        last_sweep_at: When all of it was compared last.
        problem: What is wrong, a sentence; empty if nothing is.
        failures: How often it has failed since it last answered.
        pause_until: Until when it is left alone.
    """

    source: str
    env_id: str = WHOLE
    newest_modified: datetime | None = None
    newest_seen: str = ""
    last_success_at: datetime | None = None
    last_sweep_at: datetime | None = None
    problem: str = ""
    failures: int = 0
    pause_until: datetime | None = None


@dataclass(frozen=True)
class SourceFreshness:
    """How old what boards show of a Hub is.

    Attributes:
        source: The Hub.
        last_success_at: When it was last read; None if it never was.
        problem: Why not since then, a sentence; empty if nothing is wrong.
    """

    source: str
    last_success_at: datetime | None
    problem: str


def freshness(connection: Connection, settings: Settings) -> list[SourceFreshness]:
    """How old what is shown of each Hub is that is polled; the embedded one is never behind."""
    states = [read(connection, source_name(address)) for address in settings.sources]
    return [SourceFreshness(state.source, state.last_success_at, state.problem) for state in states]


def read(connection: Connection, source: str, env_id: str = WHOLE) -> SourceState:
    """What is known; nothing yet for one that is new."""
    here = (source_states.c.source == source) & (source_states.c.env_id == env_id)
    row = connection.execute(select(source_states).where(here)).one_or_none()
    return SourceState(source, env_id) if row is None else SourceState(**row._mapping)


def write(connection: Connection, state: SourceState) -> None:
    """Keeps what is known."""
    upsert(connection, source_states, [state.__dict__])


def succeeded(connection: Connection, source: str, *, swept: bool = False, problem: str = "") -> None:
    """Notes that a Hub has answered.

    Args:
        connection: A transaction that writes.
        source: The Hub.
        swept: Whether all of it was compared.
        problem: What was odd about the answer nevertheless, a sentence.
    """
    now = clock.now()
    state = read(connection, source)
    sweep = now if swept else state.last_sweep_at
    changed = replace(state, last_success_at=now, last_sweep_at=sweep, problem=problem, failures=0, pause_until=None)
    write(connection, changed)


def failed(connection: Connection, source: str, problem: str, chance: float, seconds: float | None = None) -> None:
    """Notes that a Hub has failed; it is left alone for a while, longer each time.

    Args:
        connection: A transaction that writes.
        source: The Hub.
        problem: What happened, a sentence.
        chance: A random number in [0, 1), which spreads attempts.
        seconds: For how long the Hub itself asks to be left alone; None if it does not say.
    """
    state = read(connection, source)
    failures = state.failures + 1
    pause = seconds if seconds is not None else _PAUSES.pause(failures, chance)
    until = clock.now() + timedelta(seconds=pause or 0.0)
    write(connection, replace(state, problem=problem, failures=failures, pause_until=until))
