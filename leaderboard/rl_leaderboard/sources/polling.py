"""Other Hubs are read every few minutes, in a thread of the server: never for a page, never within a request.

A Hub that fails is left alone for a while, longer each time; what was read of it stays on the boards, with its age.
"""

import logging
import random
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from anyio.to_thread import run_sync

from rl_hub import clock
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.rules.sources import source_name
from rl_leaderboard.sources import states
from rl_leaderboard.sources.remote import PAGE, HubProblem, RateLimited, RemoteHub, Unreachable
from rl_leaderboard.sources.remote_reading import Reader
from rl_leaderboard.sources.states import SourceState

# How often is looked whether it is time.
_LOOK_SECONDS = 5.0
# What is being read when the server stops may take this long to end; it is read again at the next start.
_GRACE_SECONDS = 2.0

_log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """What a look at a Hub has brought.

    Attributes:
        new: The ids of the new submissions.
        problem: What went wrong, a sentence; empty if nothing did.
    """

    new: list[int] = field(default_factory=list)
    problem: str = ""


@asynccontextmanager
async def polling(classroom: Classroom) -> AsyncIterator[None]:
    """Reads the classroom's other Hubs while the `async with` block runs."""
    stopped = threading.Event()
    # A daemon: a Hub that does not answer must not keep the server from stopping.
    thread = threading.Thread(target=_run, args=(classroom, stopped), name="polling", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        classroom.wanted.news.set()
        await run_sync(partial(thread.join, _GRACE_SECONDS))


def look(
    classroom: Classroom, address: str, *, full: bool = False, stopped: threading.Event | None = None, page: int = PAGE
) -> Outcome:
    """Reads a Hub now, whatever the time; failures are noted and never raised.

    Args:
        classroom: Where what is read is kept.
        address: The Hub, one of the settings' sources.
        full: Whether all of it is compared; one that was never compared is in any case.
        stopped: Once it is set, nothing more is asked.
        page: Models in one answer.
    """
    source = source_name(address)
    outcome = Outcome()
    with classroom.read() as connection:
        swept = full or states.read(connection, source).last_sweep_at is None
    with RemoteHub(address, classroom.settings.source_token, stopped) as hub:
        reader = Reader(classroom, hub, source, page)
        try:
            if swept:
                outcome.new, outcome.problem = reader.sweep()
            else:
                outcome.new = reader.read_news()
        except HubProblem as problem:
            outcome.problem = problem.sentence
            _fail(classroom, source, problem, stopped)
            return outcome
        except Exception:
            # Asking again at once would change nothing, and the Hub can do nothing about it.
            _log.exception("What %s has sent could not be kept.", source)
            outcome.problem = f"What {source} has sent could not be kept: see the classroom's log."
            _fail(classroom, source, HubProblem(outcome.problem), stopped)
            return outcome
    with classroom.write() as connection:
        states.succeeded(connection, source, swept=swept, problem=outcome.problem)
    return outcome


def look_if_due(classroom: Classroom, address: str, stopped: threading.Event | None = None) -> None:
    """Reads a Hub if it is time, and then what somebody wants of it."""
    source = source_name(address)
    with classroom.read() as connection:
        state = states.read(connection, source)
    now = clock.now()
    if state.pause_until is not None and now < state.pause_until:
        return
    sweeps = is_sweep_due(state.last_sweep_at, now, classroom.settings.sweep_hour)
    is_due = sweeps or state.failures > 0 or _is_due(state, now, classroom.settings.poll_seconds)
    if is_due and look(classroom, address, full=sweeps, stopped=stopped).problem:
        return
    read_wanted(classroom, address, stopped)


def read_wanted(classroom: Classroom, address: str, stopped: threading.Event | None = None) -> None:
    """Reads the repositories of a Hub that somebody wants to be read soon."""
    source = source_name(address)
    if classroom.wanted.first(source) is None:
        return
    with RemoteHub(address, classroom.settings.source_token, stopped) as hub:
        reader = Reader(classroom, hub, source)
        while (wanted := classroom.wanted.first(source)) is not None:
            try:
                reader.read_one(wanted)
            except (RateLimited, Unreachable) as problem:
                _fail(classroom, source, problem, stopped)
                return
            except HubProblem as problem:
                # Of this repository: the others must not wait for it.
                _log.warning("%s could not be read: %s", wanted.repo_id, problem.sentence)
            except Exception:
                _log.exception("%s could not be kept.", wanted.repo_id)
            classroom.wanted.done(wanted)


def is_sweep_due(last_sweep_at: datetime | None, now: datetime, hour: int) -> bool:
    """Whether the hour of the nightly comparison has passed since the last one."""
    latest = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    if latest > now:
        latest -= timedelta(days=1)
    return last_sweep_at is None or last_sweep_at < latest


def _is_due(state: SourceState, now: datetime, poll_seconds: float) -> bool:
    last = state.last_success_at
    return last is None or now - last >= timedelta(seconds=poll_seconds)


def _fail(classroom: Classroom, source: str, problem: HubProblem, stopped: threading.Event | None) -> None:
    if stopped is not None and stopped.is_set():
        return
    seconds = problem.seconds if isinstance(problem, RateLimited) else None
    chance = random.random()  # noqa: S311  spreads attempts, keeps no secret
    with classroom.write() as connection:
        states.failed(connection, source, problem.sentence, chance, seconds)
    _log.warning("%s could not be read: %s", source, problem.sentence)


def _run(classroom: Classroom, stopped: threading.Event) -> None:
    while not stopped.is_set():
        classroom.wanted.news.clear()
        for address in classroom.settings.sources:
            try:
                look_if_due(classroom, address, stopped)
            except Exception:
                if not stopped.is_set():
                    _log.exception("%s could not be read; this is tried again.", address)
        classroom.wanted.news.wait(min(_LOOK_SECONDS, classroom.settings.poll_seconds))
