"""What has had its time: expired rows, interrupted uploads, old events."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, select

from rl_hub import clock
from rl_hub.database import tables
from rl_hub.hub import Hub
from rl_hub.staging import abandoned, remove_abandoned
from rl_hub.xet import namespaces
from rl_hub.xet.assembly import store_of

Step = tuple[str, int]
"""What sort of thing was removed (or would be), and how many."""

# Longer than any block lasts and any failure is remembered.
_THROTTLES = timedelta(days=1)
_EVENTS = timedelta(days=30)
# A student who goes on the same day sends only what has changed.
_XORBS = timedelta(days=1)
# Rows in one transaction, so that nobody waits long for the next.
_ROWS = 5000


def expired_rows(hub: Hub, grace: timedelta, dry_run: bool) -> Iterator[Step]:
    """Sessions, device codes and upload grants that are over, and forgotten failures."""
    sessions, codes, grants = tables.sessions, tables.device_codes, tables.upload_grants
    throttles = tables.throttles
    now = clock.now()
    yield "expired sessions", _removed(hub, sessions, sessions.c.expires_at < now, dry_run)
    yield "expired device codes", _removed(hub, codes, codes.c.expires_at < now, dry_run)
    # A commit that has just found its grant may still be running.
    yield "expired upload grants", _removed(hub, grants, grants.c.expires_at < now - grace, dry_run)
    yield "old failed sign-ins", _removed(hub, throttles, throttles.c.blocked_until < now - _THROTTLES, dry_run)


def old_events(hub: Hub, dry_run: bool) -> Iterator[Step]:
    """Events of a month ago that every subscriber and every webhook has heard.

    A Hub without a subscriber keeps them all: the first one that comes begins with the first event.
    """
    events, deliveries = tables.events.c, tables.deliveries.c
    waited_for = exists().where(deliveries.event_id == events.id, deliveries.delivered_at.is_(None))
    # Without subscribers this is NULL, and no event is before it.
    heard = select(func.min(tables.subscribers.c.last_event_id)).scalar_subquery()
    old = (events.created_at < clock.now() - _EVENTS, events.id <= heard, ~waited_for)
    if dry_run:
        yield "old events", _removed(hub, tables.events, and_(*old), dry_run)
        return
    removed = _ROWS
    while removed == _ROWS:
        removed = _removed(hub, tables.events, events.id.in_(select(events.id).where(*old).limit(_ROWS)), dry_run)
        yield "old events", removed


def interrupted_uploads(hub: Hub, grace: timedelta, dry_run: bool) -> Iterator[Step]:
    """Staging files that nobody writes to any more: what a killed server leaves."""
    for path in abandoned(hub.blobs.staging, (clock.now() - grace).timestamp()):
        if not dry_run:
            remove_abandoned(path)
        yield "interrupted uploads", 1


def idle_xorbs(hub: Hub, dry_run: bool) -> Iterator[Step]:
    """What was sent by Xet and used last a day ago: the files are made, and the space would be missed by nobody."""
    store, spaces = store_of(hub), tables.xet_namespaces.c
    before = clock.now() - _XORBS
    folders = store.names()
    with hub.database.read() as connection:
        idle = set(connection.scalars(select(spaces.name).where(spaces.last_used_at < before)))
        # A space has a row before it has a folder; a folder without one is left from a clean-up that was killed.
        lost = folders - namespaces.known(connection)
    if not dry_run:
        with hub.database.write() as connection:
            idle = set(namespaces.drop_idle(connection, before))
        for name in idle | lost:
            store.remove(name)
    yield "idle spaces of Xet", len(idle | lost)


def _removed(hub: Hub, table: Table, condition: ColumnElement[bool], dry_run: bool) -> int:
    if dry_run:
        with hub.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(table).where(condition)) or 0
    with hub.database.write() as connection:
        return connection.execute(delete(table).where(condition)).rowcount
