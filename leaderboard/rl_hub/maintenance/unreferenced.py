"""What no repository refers to any more: contents of files, and git's trees and commits.

All of this is safe while the Hub is being used. Rows go first, in transactions that look again under a lock that
keeps uploads and commits of the same thing waiting; files follow (see `rl_hub.blobs`). Whenever it is killed, what
remains is found by the next run.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, select

from rl_hub import clock
from rl_hub.database import tables, upkeep
from rl_hub.hub import Hub
from rl_hub.maintenance.leftovers import Step
from rl_hub.maintenance.reachability import walk

_BATCH = 500
_FOLDER = re.compile(r"[0-9a-f]{2}")
_NAME = re.compile(r"[0-9a-f]{64}")

_blobs, _files, _objects = tables.blobs.c, tables.files.c, tables.git_objects.c


def contents(hub: Hub, grace: timedelta, dry_run: bool) -> Iterator[Step]:
    """Contents that no repository has and nobody may still name in a commit."""
    before = clock.now() - grace
    # A commit on PostgreSQL locks its contents in an order of its own; who holds one at a time is part of no circle.
    at_once = _BATCH if hub.database.is_sqlite else 1
    last = ""
    while True:
        with hub.database.read() as connection:
            found = list(connection.scalars(_unreferenced(before).where(_blobs.sha256 > last).limit(_BATCH)))
        if not found:
            return
        last = found[-1]
        for start in range(0, len(found), at_once):
            names = found[start : start + at_once]
            yield "contents of files", len(names) if dry_run else _remove(hub, names, before)


def files_without_row(hub: Hub, dry_run: bool) -> Iterator[Step]:
    """Files of the blob store that no row names: what a kill leaves between the steps of a commit or a clean-up."""
    for folder in sorted(path for path in hub.blobs.folder.iterdir() if _FOLDER.fullmatch(path.name)):
        names = sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name))
        with hub.database.read() as connection:
            known = set(connection.scalars(select(_blobs.sha256).where(_blobs.sha256.startswith(folder.name))))
        lost = [name for name in names if name not in known]
        yield "files without a row", len(lost) if dry_run else sum(hub.blobs.discard(name) for name in lost)


def git_objects(hub: Hub, dry_run: bool) -> Iterator[Step]:
    """Trees that no commit reaches, and commits of no repository.

    Every tree's id is held in memory meanwhile: some 100 MB for a million.
    """
    seen: set[bytes] = set()
    with hub.database.read() as connection:
        _reach(connection, seen)
        found = _unreached(connection, seen)
    if found and not dry_run:
        with hub.database.write() as connection:
            # A commit in progress may bring an old tree back to life: it ends first, and is looked at too.
            upkeep.keep_writers_out(connection, tables.git_objects)
            _reach(connection, seen)
            found = [sha for sha in found if bytes.fromhex(sha) not in seen]
            for start in range(0, len(found), _BATCH):
                gone = _objects.sha.in_(found[start : start + _BATCH])
                connection.execute(delete(tables.git_objects).where(gone, ~_is_commit()))
    yield "git objects", len(found)


def _unreferenced(before: datetime) -> Select[str]:
    """The names of contents that are from before, in order, and that neither a repository nor a grant holds."""
    held, grants = tables.repository_files.c, tables.upload_grants.c
    in_repository = exists().where(_files.sha256 == _blobs.sha256, held.git_oid == _files.git_oid)
    granted = exists().where(grants.sha256 == _blobs.sha256)
    return select(_blobs.sha256).where(_blobs.created_at < before, ~in_repository, ~granted).order_by(_blobs.sha256)


def _remove(hub: Hub, names: Sequence[str], before: datetime) -> int:
    """Removes contents that are still unreferenced."""
    with hub.database.write() as connection:
        for name in names:
            hub.database.lock_blob(connection, name)
        gone = list(connection.scalars(_unreferenced(before).where(_blobs.sha256.in_(names))))
        connection.execute(delete(tables.files).where(_files.sha256.in_(gone)))
        connection.execute(delete(tables.blobs).where(_blobs.sha256.in_(gone)))
    return sum(hub.blobs.discard(name) for name in gone)


def _reach(connection: Connection, seen: set[bytes]) -> None:
    """Adds every tree that a commit reaches."""
    roots = select(tables.commits.c.tree).distinct().execution_options(yield_per=_BATCH)
    for _ in walk(connection, connection.scalars(roots), seen):
        pass


def _unreached(connection: Connection, seen: set[bytes]) -> list[str]:
    """Objects that are not reached."""
    kind = _objects.kind
    trees = connection.scalars(select(_objects.sha).where(kind == "tree").execution_options(yield_per=_BATCH))
    found = [sha for sha in trees if bytes.fromhex(sha) not in seen]
    return found + list(connection.scalars(select(_objects.sha).where(kind == "commit", ~_is_commit())))


def _is_commit() -> ColumnElement[bool]:
    return exists().where(tables.commits.c.sha == _objects.sha)
