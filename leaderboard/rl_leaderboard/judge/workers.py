"""Workers: each takes one job after the other, until it is told to stop."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator

from sqlalchemy.exc import SQLAlchemyError

from rl_hub.errors import HubError
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.jobs import Claim, LostLease, Queue
from rl_leaderboard.judge import pipeline, retention, tasks
from rl_leaderboard.judge.failures import NotNow, Refused
from rl_leaderboard.judge.pipeline import Bench
from rl_leaderboard.judge.retention import Sweeper
from rl_leaderboard.judge.tasks import Task
from rl_leaderboard.submissions import judging, presence, rejudging
from rl_units.environments import quieten_emulator

LEASE_SECONDS = 30.0
"""A job whose worker says nothing for so long is somebody else's."""

_LOOK_SECONDS = 0.5
_FIRST_PAUSE, _LONGEST_PAUSE = 15.0, 600.0
_log = logging.getLogger(__name__)


def work(bench: Bench, queue: Queue, name: str, stopping: threading.Event) -> None:
    """Does jobs until `stopping` is set; the one in hand is finished first.

    Args:
        bench: What measuring needs.
        queue: Where jobs come from.
        name: Of this worker, for the log.
        stopping: When to end.
    """
    quieten_emulator()
    with _presence(bench, queue, name):
        while not stopping.is_set():
            try:
                claim = queue.claim(name, LEASE_SECONDS)
                if claim is None:
                    stopping.wait(_LOOK_SECONDS)
                else:
                    _do(bench, queue, claim)
            except Exception:
                _log.exception("A worker has met a problem of the classroom's own; it goes on in a while.")
                stopping.wait(_FIRST_PAUSE)


@contextlib.contextmanager
def _presence(bench: Bench, queue: Queue, name: str) -> Iterator[None]:
    """Says every now and then that the worker is there, and asks for what nobody has asked for."""

    def say() -> None:
        with bench.classroom.write() as connection:
            presence.note(connection, name, bench.isolation)
            if bench.classroom.settings.judge:
                judging.catch_up(connection, queue)

    def leave() -> None:
        with bench.classroom.write() as connection:
            presence.leave(connection, name)

    say()
    _follow_season(bench.classroom, queue)
    sweeper = Sweeper(bench.classroom)
    with repeated(say, presence.EVERY_SECONDS), repeated(sweeper.sweep, retention.EVERY_SECONDS):
        yield
    leave()


def _follow_season(classroom: Classroom, queue: Queue) -> None:
    if classroom.settings.judge:
        season = classroom.settings.season
        with classroom.write() as connection:
            count = rejudging.follow_season(connection, queue, classroom.course, season)
        if count:
            _log.info("The first of each board are judged again in season %s: %d agents.", season, count)


def _do(bench: Bench, queue: Queue, claim: Claim) -> None:
    with _heartbeats(queue, claim) as lost, contextlib.suppress(LostLease):
        task = tasks.begin(bench.classroom, queue, claim)
        if task is not None:
            _measure(bench, queue, task, lost)
            with contextlib.suppress(SQLAlchemyError, HubError), bench.classroom.write() as connection:
                presence.tell(connection, claim.worker, None)
        return
    _log.warning("Job %d is another worker's by now; what was found is thrown away.", claim.job_id)


def _measure(bench: Bench, queue: Queue, task: Task, lost: threading.Event) -> None:
    classroom = bench.classroom

    def report(line: str) -> None:
        _log.info("%s", line, extra={"submission": task.submission.id, "attempt": task.claim.attempt})
        if lost.is_set():
            raise LostLease
        # Whoever looks on can do without it, a verdict cannot.
        with contextlib.suppress(SQLAlchemyError, HubError), classroom.write() as connection:
            presence.tell(connection, task.claim.worker, task.submission.id, line)

    try:
        verdict = pipeline.measure(bench, task, report)
    except LostLease:
        raise
    except Refused as error:
        _log.info("Refused: %s", error, extra={"submission": task.submission.id})
        tasks.fail(classroom, queue, task, error)
    except NotNow as error:
        _log.warning("Put off: %s", error, extra={"submission": task.submission.id})
        tasks.put_off(classroom, queue, task, _pause(task.claim.attempt))
    except Exception:
        _log.exception("Submission %d could not be measured.", task.submission.id)
        tasks.put_off(classroom, queue, task, _pause(task.claim.attempt))
    else:
        tasks.publish(classroom, queue, task, verdict)


def _pause(attempt: int) -> float:
    return min(_FIRST_PAUSE * 4.0 ** (attempt - 1), _LONGEST_PAUSE)


@contextlib.contextmanager
def _heartbeats(queue: Queue, claim: Claim) -> Iterator[threading.Event]:
    """Keeps a lease while the `with` block runs; yields what is set once it is lost."""
    lost = threading.Event()

    def beat() -> None:
        if not lost.is_set() and not queue.heartbeat(claim, LEASE_SECONDS):
            lost.set()

    with repeated(beat, LEASE_SECONDS / 4):
        yield lost


@contextlib.contextmanager
def repeated(do: Callable[[], object], seconds: float) -> Iterator[None]:
    """Does something again and again beside the `with` block, whatever goes wrong."""
    done = threading.Event()

    def go_on() -> None:
        while not done.wait(seconds):
            try:
                do()
            except Exception:
                # The database may be back before it matters.
                _log.exception("Something that a worker does every %g seconds has failed; it goes on.", seconds)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
