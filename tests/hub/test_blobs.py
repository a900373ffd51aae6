import contextlib
import errno
import hashlib
import os
import shutil
import tempfile

import pytest
from sqlalchemy import func, select

from rl_hub import blobs
from rl_hub.blobs import storage_errors
from rl_hub.database import tables
from rl_hub.errors import NotFound, StorageFull, TooLarge
from rl_hub.hub import Hub
from rl_hub.settings import Settings

CONTENT = b"hello"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def publish(hub, content=CONTENT):
    with hub.blobs.stage(len(content)) as staged:
        staged.write(content)
        staged.close()
        with hub.database.write() as connection:
            return hub.blobs.publish(connection, staged)


def test_a_published_content_is_found_under_its_sha256(hub):
    assert publish(hub) == SHA256
    assert hub.blobs.read(SHA256, 100) == CONTENT


def test_a_staged_file_knows_the_id_that_git_gives_it(hub):
    with hub.blobs.stage(len(CONTENT)) as staged:
        staged.write(CONTENT)
        staged.close()
        assert staged.git_oid == "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0"  # git hash-object


def test_a_staged_file_that_is_not_published_leaves_nothing(hub):
    with hub.blobs.stage() as staged:
        staged.write(CONTENT)
    assert list(hub.blobs.staging.iterdir()) == []


def test_the_same_content_is_kept_once(hub):
    publish(hub)
    publish(hub)
    assert [path for path in hub.blobs.folder.rglob("*") if path.is_file()] == [hub.blobs.path(SHA256)]


def test_many_contents_are_published_with_one_sync_of_each_folder(hub, monkeypatch):
    """A sync takes milliseconds, and every other writer waits meanwhile."""
    synced = []
    monkeypatch.setattr(blobs, "sync_folder", synced.append)
    with contextlib.ExitStack() as stack:
        staged = [stack.enter_context(hub.blobs.stage()) for _ in range(600)]
        for number, file in enumerate(staged):
            file.write(b"%d" % (number % 599))  # one of them twice
            file.close()
        with hub.database.write() as connection:
            hub.blobs.publish_all(connection, staged)
        assert all(hub.blobs.path(file.sha256).exists() for file in staged)
    # The folder of all folders too: its new ones would be lost otherwise.
    assert sorted(synced) == sorted([hub.blobs.folder, *hub.blobs.folder.iterdir()])
    with hub.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.blobs)) == 599


def test_a_content_that_was_there_is_synced_too(hub, monkeypatch):
    """Another transaction may have moved it there a moment ago, and be rolled back before it has synced."""
    publish(hub)
    synced = []
    monkeypatch.setattr(blobs, "sync_folder", synced.append)
    publish(hub)
    assert synced == [hub.blobs.path(SHA256).parent, hub.blobs.folder]


def test_a_staging_file_that_cannot_be_made_leaves_nothing(hub, monkeypatch):
    def fail(**_):
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "mkstemp", fail)
        with pytest.raises(StorageFull):
            hub.blobs.stage()
    assert list(hub.blobs.staging.iterdir()) == []
    publish(hub)


def test_staging_files_of_a_process_are_in_one_folder(hub):
    with hub.blobs.stage() as one, hub.blobs.stage() as other:
        assert one.path.parent == other.path.parent


def test_a_transaction_that_fails_records_no_content(hub):
    with hub.blobs.stage() as staged:
        staged.write(CONTENT)
        staged.close()
        with pytest.raises(ZeroDivisionError), hub.database.write() as connection:
            hub.blobs.publish(connection, staged)
            raise ZeroDivisionError
    assert hub.blobs.discard(SHA256)
    assert not hub.blobs.path(SHA256).exists()


def test_a_content_with_a_row_is_not_discarded(hub):
    publish(hub)
    assert not hub.blobs.discard(SHA256)
    assert hub.blobs.read(SHA256, 100) == CONTENT


def test_more_than_was_announced_is_refused(hub):
    with hub.blobs.stage(3) as staged, pytest.raises(TooLarge, match="announced 3 bytes"):
        staged.write(CONTENT)


def test_a_long_content_is_not_read_whole(hub):
    with pytest.raises(TooLarge, match="more than 4 bytes"):
        hub.blobs.read(publish(hub), 4)


@pytest.mark.parametrize("name", ["", "../../secret.key", "A" * 64, SHA256 + "0", "/etc/passwd", SHA256[:-1] + "/"])
def test_only_a_sha256_is_a_name(hub, name):
    with pytest.raises(NotFound):
        hub.blobs.path(name)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_in_a_sentence(number):
    with pytest.raises(StorageFull, match="disk is full"), storage_errors():
        raise OSError(number, os.strerror(number))


def test_other_errors_of_the_disk_stay_what_they_are():
    with pytest.raises(PermissionError), storage_errors():
        raise PermissionError(errno.EACCES, "no")


def test_a_commit_that_a_kill_has_cut_short_does_not_come_back_after_its_content_is_gone(hub, tmp_path):
    """The log is made as a process leaves it that is killed when its commit is written and not yet announced."""
    data, killed = hub.settings.data, tmp_path / "killed"
    shutil.copytree(data, killed)
    other = Hub.open(Settings(killed))
    publish(other)
    hub.blobs.path(SHA256).parent.mkdir()
    hub.blobs.path(SHA256).write_bytes(CONTENT)
    (data / "hub.sqlite-wal").write_bytes((killed / "hub.sqlite-wal").read_bytes())
    other.close()

    assert hub.blobs.discard(SHA256)

    after = tmp_path / "after"
    after.mkdir()
    for name in ("hub.sqlite", "hub.sqlite-wal"):
        shutil.copyfile(data / name, after / name)
    with contextlib.closing(Hub.open(Settings(after))) as restarted, restarted.database.read() as connection:
        assert connection.scalar(select(tables.blobs.c.sha256)) is None
