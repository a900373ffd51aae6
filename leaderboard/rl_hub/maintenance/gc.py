"""Cleaning up: whatever nothing refers to any more is removed, while the Hub is being used.

It may be killed at any moment: what remains then is garbage still, and the next run removes it.
"""

import logging
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import anyio
from anyio.to_thread import run_sync

from rl_hub.errors import CommandError
from rl_hub.hub import Hub
from rl_hub.maintenance import leftovers, unreferenced
from rl_hub.maintenance.exclusion import maintenance
from rl_hub.maintenance.leftovers import Step

GRACE = timedelta(hours=1)
"""What is younger is left alone: an upload or a commit may still be on its way to it."""

# A server looks after itself once a day, beginning when its start is over, and an hour later if that was not possible.
# Its grace is longer, for the slowest lines.
_FIRST_SECONDS, _EVERY_SECONDS, _AGAIN_SECONDS = 10 * 60, 24 * 3600, 3600
_SERVER_GRACE = timedelta(days=1)

_log = logging.getLogger(__name__)


def collect(
    hub: Hub, grace: timedelta = GRACE, *, dry_run: bool = False, stopped: Callable[[], bool] = lambda: False
) -> Mapping[str, int]:
    """Removes garbage.

    Args:
        hub: An open Hub, which may be in use by others.
        grace: What is younger is left alone.
        dry_run: Only counts. What goes only after something else has gone is not counted then.
        stopped: Asked between two steps, each of which is short.

    Returns:
        How many things of each sort were removed.

    Raises:
        CommandError: If a backup, a check or another clean-up is running.
    """
    with maintenance(hub.settings.data):
        return survey(hub, grace) if dry_run else _counted(_steps(hub, grace, dry_run=False), stopped)


def survey(hub: Hub, grace: timedelta = GRACE) -> Mapping[str, int]:
    """What `collect` would remove; for callers who keep other maintenance away themselves."""
    return _counted(_steps(hub, grace, dry_run=True), lambda: False)


@asynccontextmanager
async def keeping_clean(hub: Hub) -> AsyncIterator[None]:
    """Removes garbage once a day while the `async with` block runs."""
    stop = threading.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(_keep_clean, hub, stop)
        try:
            yield
        finally:
            # A run that is in progress ends after its step.
            stop.set()
            group.cancel_scope.cancel()


async def _keep_clean(hub: Hub, stop: threading.Event) -> None:
    await anyio.sleep(_FIRST_SECONDS)
    while True:
        done = await run_sync(partial(_collect_and_tell, hub, stop))
        await anyio.sleep(_EVERY_SECONDS if done else _AGAIN_SECONDS)


def _collect_and_tell(hub: Hub, stop: threading.Event) -> bool:
    try:
        removed = collect(hub, _SERVER_GRACE, stopped=stop.is_set)
    except CommandError as error:
        _log.info("The daily clean-up is put off: %s", error)
    except Exception:
        _log.exception("The daily clean-up failed; it is tried again in an hour.")
    else:
        _log.info("The daily clean-up is done.", extra={"removed": dict(removed)})
        return True
    return False


def _steps(hub: Hub, grace: timedelta, *, dry_run: bool) -> Iterator[Step]:
    # On a full disk, these two make the room that the others need to write.
    yield from leftovers.interrupted_uploads(hub, grace, dry_run)
    yield from unreferenced.files_without_row(hub, dry_run)
    yield from leftovers.expired_rows(hub, grace, dry_run)
    yield from leftovers.old_events(hub, dry_run)
    yield from leftovers.idle_xorbs(hub, dry_run)
    yield from unreferenced.git_objects(hub, dry_run)
    yield from unreferenced.contents(hub, grace, dry_run)


def _counted(steps: Iterator[Step], stopped: Callable[[], bool]) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for what, number in steps:
        counts[what] += number
        if stopped():
            break
    return {what: number for what, number in counts.items() if number}
