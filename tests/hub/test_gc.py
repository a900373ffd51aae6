"""Clean-ups: what nothing refers to goes, everything else stays, whatever happens at the same time."""

import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import anyio
import pytest
from sqlalchemy import delete, insert, select, update

from filled_hub import CARD, count, hub_on, owner
from rl_hub import clock
from rl_hub.accounts import devices, sessions
from rl_hub.database import tables
from rl_hub.errors import CommandError
from rl_hub.events import feed
from rl_hub.maintenance import fsck, gc, leftovers, unreferenced
from rl_hub.maintenance.exclusion import maintenance
from rl_hub.xet import namespaces
from rl_hub.xet.assembly import store_of

NO_GRACE = timedelta()


@pytest.fixture
def ada(hub):
    return owner(hub)


@pytest.fixture
def agent(ada):
    return ada.repository(**{"README.md": CARD, "logs/a.txt": b"a", "logs/b.txt": b"b"})


def stored(hub):
    """The names of all contents on the disk."""
    return {path.name for path in hub.blobs.folder.glob("*/*")}


def change(hub, statement):
    with hub.database.write() as connection:
        connection.execute(statement)


def test_what_repositories_have_stays(hub, ada, agent):
    ada.commit(agent, {"logs/a.txt": b"changed"})  # the old one is in the history still
    before = stored(hub)

    assert gc.collect(hub, NO_GRACE) == {}

    assert stored(hub) == before
    assert fsck.check(hub).is_clean


def test_everything_of_a_deleted_repository_goes(hub, ada, agent):
    ada.delete(agent)

    removed = gc.collect(hub, NO_GRACE)

    assert removed == {"git objects": 5, "contents of files": 3}
    assert stored(hub) == set()
    for table in (tables.files, tables.blobs, tables.git_objects):
        assert count(hub, table) == 0


def test_what_another_repository_has_too_stays(hub, ada, agent):
    other = ada.repository("other", **{"README.md": CARD})
    ada.delete(agent)

    gc.collect(hub, NO_GRACE)

    assert len(stored(hub)) == 1
    assert count(hub, tables.repositories, tables.repositories.c.id == other.id) == 1
    assert fsck.check(hub).problems == ()


def test_a_dry_run_counts_and_removes_nothing(hub, ada, agent):
    ada.delete(agent)
    (hub.blobs.folder / "ab").mkdir()
    (hub.blobs.folder / "ab" / ("ab" * 32)).write_bytes(b"no row")
    before = stored(hub)

    counted = gc.collect(hub, NO_GRACE, dry_run=True)

    assert counted == {"git objects": 5, "contents of files": 3, "files without a row": 1}
    assert stored(hub) == before
    assert gc.collect(hub, NO_GRACE) == counted


def test_young_contents_are_left_alone(hub, ada, agent):
    ada.delete(agent)

    assert gc.collect(hub) == {"git objects": 5}
    assert len(stored(hub)) == 3


def test_an_uploaded_content_waits_for_its_commit(hub, ada, agent):
    sha256 = ada.upload(agent, b"weights")

    assert gc.collect(hub, NO_GRACE) == {}

    ada.commit(agent, large={"weights.bin": sha256})
    assert fsck.check(hub).problems == ()


def test_an_uploaded_content_goes_when_its_grant_is_over(hub, ada, agent):
    sha256 = ada.upload(agent, b"weights")
    change(hub, update(tables.upload_grants).values(expires_at=clock.now() - timedelta(minutes=1)))

    assert gc.collect(hub, timedelta(hours=1)) == {}  # a commit may have looked at it a minute ago
    assert gc.collect(hub, NO_GRACE) == {"expired upload grants": 1, "contents of files": 1}
    assert sha256 not in stored(hub)


def test_a_file_without_a_row_goes(hub, agent):
    lost = hub.blobs.folder / "ab" / ("ab" * 32)
    lost.parent.mkdir()
    lost.write_bytes(b"its commit was rolled back")
    stranger = lost.with_name("notes.txt")
    stranger.write_bytes(b"put here by somebody")

    assert gc.collect(hub, NO_GRACE) == {"files without a row": 1}
    assert not lost.exists()
    assert stranger.exists()


def test_a_file_whose_row_comes_back_stays(hub, ada, agent, monkeypatch):
    """Between the two steps of a removal somebody commits the same content."""
    ada.delete(agent)
    discard = hub.blobs.discard

    def commit_then_discard(sha256):
        ada.repository(f"again-{sha256[:8]}", again=hub.blobs.read(sha256, 1000))
        return discard(sha256)

    monkeypatch.setattr(hub.blobs, "discard", commit_then_discard)

    assert "contents of files" not in gc.collect(hub, NO_GRACE)
    assert len(stored(hub)) == 3
    assert fsck.check(hub).problems == ()


def test_a_content_that_is_committed_between_two_steps_stays(hub, ada, agent, monkeypatch):
    """It was found unreferenced; before its row is removed, a commit has it again."""
    ada.delete(agent)
    remove = unreferenced._remove

    def commit_then_remove(*arguments):
        ada.repository("again", **{"README.md": CARD})
        return remove(*arguments)

    monkeypatch.setattr(unreferenced, "_remove", commit_then_remove)

    assert gc.collect(hub, NO_GRACE)["contents of files"] == 2
    assert fsck.check(hub).problems == ()


def test_a_tree_that_is_committed_between_two_steps_stays(hub, ada, agent, monkeypatch):
    ada.delete(agent)
    find = unreferenced._unreached

    def find_then_commit(connection, seen):
        found = find(connection, seen)
        ada.repository("again", **{"README.md": CARD, "logs/a.txt": b"a", "logs/b.txt": b"b"})
        return found

    with monkeypatch.context() as patch:
        patch.setattr(unreferenced, "_unreached", find_then_commit)
        gc.collect(hub, NO_GRACE)

    assert fsck.check(hub).problems == ()


@pytest.fixture(params=["sqlite", "postgresql"])
def busy_hub(request, tmp_path):
    """A Hub on either database: PostgreSQL has several writers at a time, and locks of its own."""
    with hub_on(request.param, tmp_path / "busy") as opened:
        yield opened


def test_a_clean_up_waits_for_a_commit_that_brings_old_folders_back_to_life(busy_hub, monkeypatch):
    ada = owner(busy_hub)
    files = {"README.md": CARD, "logs/a.txt": b"a"}
    ada.delete(ada.repository(**files))
    again = ada.repository("again")
    written, go_on = threading.Event(), threading.Event()
    record = feed.record

    def pause_then_record(*arguments):
        """All but the event of the commit has been written, and nobody else sees it yet."""
        written.set()
        go_on.wait(10)
        return record(*arguments)

    monkeypatch.setattr(feed, "record", pause_then_record)
    with ThreadPoolExecutor() as threads:
        commit = threads.submit(ada.commit, again, files)
        written.wait(10)
        clean_up = threads.submit(lambda: list(unreferenced.git_objects(busy_hub, dry_run=False)))
        wait([clean_up], timeout=0.5)  # long enough to remove everything, if it did not wait
        go_on.set()
        commit.result()
        clean_up.result()

    assert fsck.check(busy_hub).problems == ()


def test_commits_and_clean_ups_at_the_same_time_lose_nothing(busy_hub):
    people = [owner(busy_hub, f"student-{number}") for number in range(3)]
    working = threading.Event()

    def work(person):
        """The same few contents and folders, again and again."""
        for number in range(10):
            repository = person.repository(f"agent-{number}", **{f"logs/{number % 3}.txt": b"%d" % (number % 4)})
            content = b"weights %d" % (number % 2)
            person.commit(repository, large={"weights.bin": person.upload(repository, content)})
            if number < 9:
                person.delete(repository)

    def clean():
        while not working.is_set():
            gc.collect(busy_hub, NO_GRACE)

    with ThreadPoolExecutor() as threads:
        cleaner = threads.submit(clean)
        workers = [threads.submit(work, person) for person in people]
        wait(workers)
        working.set()
        for done in (*workers, cleaner):
            done.result()

    report = fsck.check(busy_hub)
    assert report.problems == ()
    assert report.checked["repositories"] == len(people)
    gc.collect(busy_hub, NO_GRACE)
    assert fsck.check(busy_hub).garbage == {}


def test_a_run_that_is_killed_is_finished_by_the_next(hub, ada, agent, monkeypatch):
    ada.delete(agent)

    def killed(sha256):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(hub.blobs, "discard", killed)
        with pytest.raises(KeyboardInterrupt):
            gc.collect(hub, NO_GRACE)
    assert fsck.check(hub).problems == ()
    assert len(stored(hub)) == 3

    assert gc.collect(hub, NO_GRACE) == {"files without a row": 3}
    assert stored(hub) == set()


def test_interrupted_uploads_go_when_they_are_old(hub):
    old, new, folder = (hub.blobs.staging / name for name in ("old", "new", "folder"))
    old.write_bytes(b"half of it")
    new.write_bytes(b"half of it")
    folder.mkdir()
    for path in (old, folder):
        os.utime(path, (0, 0))

    assert gc.collect(hub) == {"interrupted uploads": 2}
    assert list(hub.blobs.staging.iterdir()) == [new]


def make_old(folder):
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (0, 0))


def test_a_slow_upload_is_left_alone(hub):
    """The first files of a commit are old when its last ones arrive."""
    with hub.blobs.stage() as staged:
        staged.write(b"the first file")
        staged.close()
        make_old(hub.blobs.staging)

        assert gc.collect(hub, NO_GRACE, dry_run=True) == {}
        assert gc.collect(hub, NO_GRACE) == {}

        with hub.database.write() as connection:
            sha256 = hub.blobs.publish(connection, staged)
    assert hub.blobs.read(sha256, 100) == b"the first file"


def test_uploads_of_a_killed_process_go(hub):
    script = """
import os, sys, pathlib
from rl_hub.blobs import BlobStore
staged = BlobStore(pathlib.Path(sys.argv[1]), None).stage()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script, hub.settings.data], check=True)
    left = len(list(hub.blobs.staging.rglob("*")))
    make_old(hub.blobs.staging)

    assert left == 3  # a folder, the file in it, and the lock beside it
    assert gc.collect(hub, dry_run=True) == {"interrupted uploads": 1}
    assert gc.collect(hub) == {"interrupted uploads": 1}
    assert list(hub.blobs.staging.iterdir()) == []


def test_a_lock_without_its_folder_goes(hub):
    lock = hub.blobs.staging / "0123456789abcdef.lock"
    lock.touch()
    make_old(hub.blobs.staging)

    assert gc.collect(hub) == {"interrupted uploads": 1}
    assert not lock.exists()


def test_an_upload_that_ends_meanwhile_is_no_trouble(hub, monkeypatch):
    gone = hub.blobs.staging / "gone"
    monkeypatch.setattr(type(hub.blobs.staging), "iterdir", lambda self: iter([gone] if self.name == "staging" else []))

    assert list(leftovers.interrupted_uploads(hub, NO_GRACE, dry_run=False)) == []


def test_sign_ins_that_are_over_go(hub, ada):
    with hub.database.write() as connection:
        for _ in range(2):
            sessions.create(connection, ada.identity.user_id)
            devices.start(connection, "client")
    first_session = select(tables.sessions.c.digest).limit(1).scalar_subquery()
    change(hub, update(tables.sessions).where(tables.sessions.c.digest == first_session).values(expires_at=long_ago()))
    first_code = select(tables.device_codes.c.digest).limit(1).scalar_subquery()
    change(
        hub, update(tables.device_codes).where(tables.device_codes.c.digest == first_code).values(expires_at=long_ago())
    )
    change(hub, insert(tables.throttles).values([throttle("old", long_ago()), throttle("new", clock.now())]))
    expected = {"expired sessions": 1, "expired device codes": 1, "old failed sign-ins": 1}

    assert gc.collect(hub, dry_run=True) == expected
    assert gc.collect(hub) == expected
    assert [count(hub, table) for table in (tables.sessions, tables.device_codes, tables.throttles)] == [1, 1, 1]


def long_ago():
    return clock.now() - timedelta(days=400)


def throttle(key, blocked_until):
    return {"key": key, "failures": 1, "blocked_until": blocked_until}


@pytest.fixture
def events(hub, agent):
    """The ids of two events of long ago; the second one has been heard by the only subscriber."""
    change(hub, update(tables.events).values(created_at=long_ago()))
    with hub.database.write() as connection:
        ids = list(connection.scalars(select(tables.events.c.id).order_by(tables.events.c.id)))
        connection.execute(insert(tables.subscribers).values(name="leaderboard", last_event_id=ids[-1]))
    return ids


def test_old_events_go_when_everybody_has_heard_them(hub, events):
    assert gc.collect(hub, dry_run=True) == {"old events": 2}
    assert gc.collect(hub) == {"old events": 2}
    assert count(hub, tables.events) == 0


def test_many_old_events_go_in_several_transactions(hub, events, monkeypatch):
    monkeypatch.setattr(leftovers, "_ROWS", 1)

    assert list(leftovers.old_events(hub, dry_run=False)) == [("old events", 1), ("old events", 1), ("old events", 0)]


def test_an_event_that_a_subscriber_has_not_heard_stays(hub, events):
    change(hub, insert(tables.subscribers).values(name="slow", last_event_id=events[0]))

    assert gc.collect(hub) == {"old events": 1}


def test_an_event_that_a_webhook_waits_for_stays(hub, ada, events):
    webhook = {"owner_id": ada.identity.user_id, "url": "http://localhost/", "watched": "[]", "domains": "[]"}
    change(hub, insert(tables.webhooks).values(id="w", enabled=True, created_at=clock.now(), **webhook))
    waiting = {"webhook_id": "w", "event_id": events[0], "next_attempt_at": clock.now()}
    change(hub, insert(tables.deliveries).values(waiting))

    assert gc.collect(hub) == {"old events": 1}


def test_events_stay_as_long_as_nobody_has_subscribed(hub, events):
    change(hub, delete(tables.subscribers))

    assert gc.collect(hub) == {}


def test_new_events_stay(hub, events):
    change(hub, update(tables.events).values(created_at=clock.now()))

    assert gc.collect(hub) == {}


def test_spaces_of_xet_go_when_they_are_idle(hub, ada):
    store = store_of(hub)
    with hub.database.write() as connection:
        idle = namespaces.current(connection, ada.identity.user_id)
    change(hub, update(tables.xet_namespaces).values(last_used_at=long_ago()))
    bob = owner(hub, "bob").identity.user_id
    with hub.database.write() as connection:
        used = namespaces.current(connection, bob)
    for name in (idle, used, "left-from-a-killed-clean-up"):
        store.prepare(name)

    assert gc.collect(hub, dry_run=True) == {"idle spaces of Xet": 2}
    assert gc.collect(hub) == {"idle spaces of Xet": 2}
    assert store.names() == {used}
    assert count(hub, tables.xet_namespaces) == 1


def test_only_one_maintenance_runs_at_a_time(hub):
    with maintenance(hub.settings.data), pytest.raises(CommandError, match="is running"):
        gc.collect(hub)


def test_a_run_that_is_to_stop_ends_after_its_step(hub, ada, agent):
    ada.delete(agent)

    assert gc.collect(hub, NO_GRACE, stopped=lambda: True) == {}
    assert len(stored(hub)) == 3


def keep_clean(hub, monkeypatch, until, succeeds=True):
    """Keeps a Hub clean until `until` is set, with days that are short, or with hours that are."""
    monkeypatch.setattr(gc, "_FIRST_SECONDS", 0.001)
    monkeypatch.setattr(gc, "_EVERY_SECONDS", 0.001 if succeeds else 1000)
    monkeypatch.setattr(gc, "_AGAIN_SECONDS", 1000 if succeeds else 0.001)

    async def run():
        async with gc.keeping_clean(hub):
            with anyio.fail_after(60):
                await anyio.to_thread.run_sync(until.wait)

    anyio.run(run)


def test_a_server_cleans_up_every_day(hub, monkeypatch):
    done = threading.Event()
    graces = []

    def collect(hub, grace, *, stopped):
        graces.append(grace)
        if len(graces) == 2:
            done.set()
        return {}

    monkeypatch.setattr(gc, "collect", collect)

    keep_clean(hub, monkeypatch, done)

    assert graces[:2] == [timedelta(days=1)] * 2


def test_a_server_that_stops_does_not_wait_for_its_clean_up(hub, monkeypatch):
    begun = threading.Event()
    ended = []

    def collect(hub, grace, *, stopped):
        begun.set()
        while not stopped():
            pass
        ended.append(True)
        return {}

    monkeypatch.setattr(gc, "collect", collect)

    keep_clean(hub, monkeypatch, begun)

    assert ended


@pytest.mark.parametrize(
    ("error", "level", "sentence"),
    [
        (CommandError("A backup is running."), logging.INFO, "The daily clean-up is put off: A backup is running."),
        (OSError("broken"), logging.ERROR, "The daily clean-up failed; it is tried again in an hour."),
    ],
)
def test_a_failed_clean_up_is_told_and_tried_again(hub, monkeypatch, caplog, error, level, sentence):
    done = threading.Event()
    calls = []

    def collect(hub, grace, *, stopped):
        calls.append(grace)
        if len(calls) == 2:
            done.set()
        raise error

    monkeypatch.setattr(gc, "collect", collect)
    caplog.set_level(logging.INFO)

    keep_clean(hub, monkeypatch, done, succeeds=False)

    assert (gc.__name__, level, sentence) in caplog.record_tuples
