"""Backups of a Hub in use, and what a restore makes of them, of damaged ones and of forged ones."""

import contextlib
import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
from datetime import UTC
from pathlib import Path

import pytest
from filelock import FileLock
from huggingface_hub import HfApi
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from filled_hub import CARD, count, hub_on, owner
from hub_server import served
from rl_hub import clock
from rl_hub.accounts import sessions, tokens
from rl_hub.cli import main
from rl_hub.database import tables
from rl_hub.errors import CommandError, StorageFull
from rl_hub.hub import Hub
from rl_hub.maintenance import archive, backup, exclusion, fsck, restore, rows
from rl_hub.maintenance.archive import DamagedArchive
from rl_hub.maintenance.exclusion import maintenance
from rl_hub.settings import MIB, Settings
from rl_hub.web.app import create_app

WEIGHTS = b"large weights"


@pytest.fixture
def ada(hub):
    return owner(hub)


@pytest.fixture
def agent(ada):
    """A repository with a card, a regular file in a folder, and a large file."""
    repository = ada.repository(**{"README.md": CARD, "logs/log.txt": b"a log"})
    return ada.commit(repository, large={"weights.bin": ada.upload(repository, WEIGHTS)})


@pytest.fixture
def empty(tmp_path):
    with contextlib.closing(Hub.open(Settings(tmp_path / "restored"))) as opened:
        yield opened


@pytest.fixture
def saved(hub, agent, tmp_path):
    """A backup of the Hub."""
    path = tmp_path / "backup.tar"
    backup.save(hub, path)
    return path


def all_rows(hub):
    with hub.database.read() as connection:
        return {table.name: sorted(map(repr, connection.execute(select(table)))) for table in rows.SAVED}


def is_empty(hub):
    has_rows = any(count(hub, table) for table in tables.metadata.sorted_tables)
    return not has_rows and not list(hub.blobs.folder.glob("*/*")) and not list(hub.blobs.staging.iterdir())


def test_a_restored_hub_is_the_same_and_sound(hub, ada, saved, empty):
    restore.load(empty, saved)

    assert all_rows(empty) == all_rows(hub)
    assert empty.blobs.read(hashlib.sha256(WEIGHTS).hexdigest(), 100) == WEIGHTS
    assert fsck.check(empty).problems == ()


def test_clients_go_on_with_a_restored_hub(live_hub, hub, empty, tmp_path):
    """Also by Xet, whose client remembers what it has sent to the old one."""
    token = live_hub.user("ada")
    old = HfApi(endpoint=live_hub.endpoint, token=token)
    content = os.urandom(6 * MIB)
    (tmp_path / "weights.bin").write_bytes(content)
    old.create_repo("ada/agent")
    first = old.upload_file(path_or_fileobj=tmp_path / "weights.bin", path_in_repo="weights.bin", repo_id="ada/agent")
    backup.save(hub, tmp_path / "backup.tar")
    restore.load(empty, tmp_path / "backup.tar")
    (tmp_path / "weights.bin").write_bytes(content + b"more")

    with served(create_app(empty)) as endpoint:
        new = HfApi(endpoint=endpoint, token=token)
        new.upload_file(path_or_fileobj=tmp_path / "weights.bin", path_in_repo="weights.bin", repo_id="ada/agent")
        downloads = [
            Path(new.hf_hub_download("ada/agent", "weights.bin", revision=revision, cache_dir=tmp_path / "cache"))
            for revision in (first.oid, "main")
        ]

    assert [path.read_bytes() for path in downloads] == [content, content + b"more"]
    assert fsck.check(empty).problems == ()


def test_tokens_work_after_a_restore_and_sessions_do_not(hub, ada, agent, empty, tmp_path):
    with hub.database.write() as connection:
        token = tokens.create(connection, ada.identity.user_id, "laptop", "write")
        session = sessions.create(connection, ada.identity.user_id)
    backup.save(hub, tmp_path / "backup.tar")

    restore.load(empty, tmp_path / "backup.tar")

    with empty.database.read() as connection:
        assert tokens.identify(connection, token).name == "ada"
        assert sessions.identify(connection, session.id) is None


def test_an_empty_hub_can_be_saved_and_restored(hub, empty, tmp_path):
    backup.save(hub, tmp_path / "backup.tar")

    restore.load(empty, tmp_path / "backup.tar")

    assert is_empty(empty)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_ids_of_events_are_not_given_out_again(hub, agent, tmp_path, engine):
    with hub.database.write() as connection:
        last = connection.scalar(select(tables.events.c.id).order_by(tables.events.c.id.desc()))
        connection.execute(insert(tables.subscribers).values(name="leaderboard", last_event_id=last))
        connection.execute(delete(tables.events))
    backup.save(hub, tmp_path / "backup.tar")

    with hub_on(engine, tmp_path / "restored") as restored:
        restore.load(restored, tmp_path / "backup.tar")
        owner(restored, "bob").repository()
        with restored.database.read() as connection:
            new = connection.scalar(select(tables.events.c.id))

    assert new > last


def test_a_backup_is_a_tar_that_only_its_owner_may_read(saved):
    with tarfile.open(saved) as tar:
        names = tar.getnames()

    assert names[0] == "manifest.json"
    assert f"blobs/{hashlib.sha256(WEIGHTS).hexdigest()}" in names
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600 or os.name == "nt"


def test_what_is_committed_during_a_backup_is_not_half_in_it(hub, ada, agent, empty, tmp_path):
    """The tables have been read when a commit comes, and another while the contents are copied."""
    before = all_rows(hub)

    def commit(what, done, total):
        if what == "contents of files" or done == 1:
            ada.repository(f"{what.split()[0]}-{done}", **{"README.md": CARD, "new.txt": f"{what}{done}".encode()})

    backup.save(hub, tmp_path / "backup.tar", commit)
    restore.load(empty, tmp_path / "backup.tar")

    assert all_rows(empty) == before
    assert fsck.check(empty).problems == ()
    assert fsck.check(hub).problems == ()


def test_a_backup_replaces_an_older_one_and_what_a_killed_one_left(hub, saved):
    saved.with_name("backup.tar.part").write_bytes(b"half a backup")
    saved.write_bytes(b"an old backup")

    backup.save(hub, saved)

    with saved.open("rb") as file:
        assert len(list(archive.members(file))) > 10
    assert [path.name for path in saved.parent.glob("backup*")] == ["backup.tar"]


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_damaged_content_is_not_saved_silently(hub, saved, damage):
    content = hub.blobs.path(hashlib.sha256(WEIGHTS).hexdigest())
    content.unlink()
    if damage == "changed":
        content.write_bytes(WEIGHTS.upper())
    old = saved.read_bytes()

    with pytest.raises(CommandError, match="fsck says where it belongs"):
        backup.save(hub, saved)

    assert saved.read_bytes() == old
    assert [path.name for path in saved.parent.glob("backup*")] == ["backup.tar"]


def test_a_full_disk_is_said(hub, saved, monkeypatch):
    def full(file, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "end_member", full)

    with pytest.raises(StorageFull):
        backup.save(hub, saved)


def test_a_backup_waits_for_a_clean_up_only_so_long(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "_WAIT_SECONDS", 0.01)

    with maintenance(hub.settings.data), pytest.raises(CommandError, match="Try again"):
        backup.save(hub, tmp_path / "backup.tar")


def test_a_hub_with_anything_in_it_is_not_overwritten(hub, saved):
    before = all_rows(hub)

    with pytest.raises(CommandError, match="This Hub is not empty: it has accounts"):
        restore.load(hub, saved)

    assert all_rows(hub) == before
    assert len(list(hub.blobs.folder.glob("*/*"))) == 4


def test_a_hub_that_is_served_is_not_overwritten(saved, empty):
    with FileLock(empty.settings.data / exclusion.SERVE_LOCK), pytest.raises(CommandError, match="Stop it first"):
        restore.load(empty, saved)


def test_contents_that_a_killed_restore_has_left_are_no_hindrance(saved, empty):
    left = empty.blobs.path(hashlib.sha256(WEIGHTS).hexdigest())
    left.parent.mkdir()
    left.write_bytes(WEIGHTS)

    restore.load(empty, saved)

    assert fsck.check(empty).problems == ()


# Forged and damaged backups: each is refused, and the Hub is as empty as before.


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A backup's bytes."""
    folder = tmp_path_factory.mktemp("sound")
    with contextlib.closing(Hub.open(Settings(folder / "hub"))) as opened:
        ada = owner(opened)
        repository = ada.repository(**{"README.md": CARD, "logs/log.txt": b"a log"})
        ada.commit(repository, large={"weights.bin": ada.upload(repository, WEIGHTS)})
        backup.save(opened, folder / "backup.tar")
    return (folder / "backup.tar").read_bytes()


@pytest.fixture
def forged(sound, tmp_path):
    """A backup to be damaged."""
    path = tmp_path / "forged.tar"
    path.write_bytes(sound)
    return path


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """An empty Hub, which every refusal leaves empty."""
    with contextlib.closing(Hub.open(Settings(tmp_path_factory.mktemp("target")))) as opened:
        yield opened


def unpacked(path):
    """The members of a backup as names and contents."""
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar.getmembers()}


def packed(path, members):
    """Writes members as a tar; one that is no content is a header of a special kind."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in members:
            header = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                header.size = len(content)
                tar.addfile(header, io.BytesIO(content))
            else:
                for attribute, value in content.items():
                    setattr(header, attribute, value)
                tar.addfile(header)
    return path


def with_table(path, name, change):
    """Changes the lines of a table, and the manifest so that it agrees."""
    members = unpacked(path)
    member = f"tables/{name}.jsonl"
    lines = change(members[member].splitlines(keepends=True))
    members[member] = b"".join(lines)
    manifest = json.loads(members["manifest.json"])
    digest = hashlib.sha256(members[member]).hexdigest()
    manifest["tables"][name] = {"rows": len(lines), "size": len(members[member]), "sha256": digest}
    members["manifest.json"] = json.dumps(manifest).encode()
    return packed(path, members.items())


def with_value(path, table, column, value):
    """Changes a value in the first row of a table."""

    def change(lines):
        row = json.loads(lines[0])
        row[column] = value
        return [json.dumps(row).encode() + b"\n", *lines[1:]]

    return with_table(path, table, change)


def with_manifest(path, **changes):
    members = unpacked(path)
    manifest = json.loads(members["manifest.json"]) | changes
    return packed(path, (members | {"manifest.json": json.dumps(manifest).encode()}).items())


def refused(hub, path, sentence):
    """Whether a restore says this, and leaves the Hub empty."""
    with pytest.raises(CommandError, match=sentence):
        restore.load(hub, path)
    return is_empty(hub)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_backup_that_is_cut_off_is_refused(forged, target, share):
    content = forged.read_bytes()
    forged.write_bytes(content[: int(share * (len(content) - 600))])

    assert refused(target, forged, "incomplete|no backup|does not have")


def test_a_backup_without_its_end_is_refused(forged, target):
    forged.write_bytes(forged.read_bytes()[:-1024])

    assert refused(target, forged, "incomplete")


@pytest.mark.parametrize("content", [b"PK\3\4" + bytes(2000), gzip.compress(bytes(2000), mtime=0), bytes(5000)])
def test_what_is_no_backup_is_refused(target, tmp_path, content):
    (tmp_path / "file").write_bytes(content)

    assert refused(target, tmp_path / "file", "no backup")


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("link", {"type": tarfile.LNKTYPE, "linkname": "manifest.json"}),
        ("device", {"type": tarfile.CHRTYPE}),
        ("pipe", {"type": tarfile.FIFOTYPE}),
        ("folder", {"type": tarfile.DIRTYPE}),
        ("x" * 200, {"type": tarfile.REGTYPE}),  # a long name, which takes an extended header
    ],
)
def test_a_member_that_is_no_file_is_refused(forged, target, name, attributes):
    packed(forged, [*unpacked(forged).items(), (name, attributes)])

    assert refused(target, forged, "a member that is no file")


@pytest.mark.parametrize(
    "name", ["../outside", "/absolute", "blobs/../../outside", "tables/x.jsonl", "blobs/" + "ab" * 32, "manifest.json"]
)
def test_a_member_that_nothing_names_is_refused(forged, target, tmp_path, name):
    packed(forged, [*unpacked(forged).items(), (name, b"surplus")])

    assert refused(target, forged, "a member that none of its tables names")
    assert not (tmp_path / "outside").exists()


def test_a_content_that_is_there_twice_is_refused(forged, target):
    members = list(unpacked(forged).items())
    packed(forged, [*members, members[-1]])

    assert refused(target, forged, "a member that none of its tables names")


def test_a_missing_content_is_refused(forged, target):
    packed(forged, list(unpacked(forged).items())[:-1])

    assert refused(target, forged, "does not have content")


def test_contents_in_another_order_are_refused(forged, target):
    *members, one, two = unpacked(forged).items()
    packed(forged, [*members, two, one])

    assert refused(target, forged, "does not have content")


def test_a_changed_content_is_refused(forged, target):
    members = unpacked(forged)
    name = f"blobs/{hashlib.sha256(WEIGHTS).hexdigest()}"
    packed(forged, (members | {name: WEIGHTS.upper()}).items())

    assert refused(target, forged, "has changed since it was written")


def test_a_content_named_by_a_path_is_refused(forged, target, tmp_path):
    def change(lines):
        row = json.loads(lines[0])
        return [json.dumps(row | {"sha256": "../../outside"}).encode() + b"\n", *lines[1:]]

    with_table(forged, "blobs", change)
    members = {
        "blobs/../../outside" if name.startswith("blobs/") else name: text for name, text in unpacked(forged).items()
    }
    packed(forged, members.items())

    assert refused(target, forged, "does not have content|has changed")
    assert not (tmp_path / "outside").exists()


def test_a_changed_table_is_refused(forged, target):
    members = unpacked(forged)
    name = "tables/accounts.jsonl"
    packed(forged, (members | {name: members[name].replace(b"ada", b"eve")}).items())

    assert refused(target, forged, "Table accounts of the backup has changed")


def test_tables_in_another_order_are_refused(forged, target):
    manifest, one, two, *rest = unpacked(forged).items()
    packed(forged, [manifest, two, one, *rest])

    assert refused(target, forged, "does not have table accounts where")


def test_a_backup_that_does_not_begin_with_its_manifest_is_refused(forged, target):
    manifest, one, *rest = unpacked(forged).items()
    packed(forged, [one, manifest, *rest])

    assert refused(target, forged, "does not begin with its manifest")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 2}, "has format 2"),
        ({"schema": "9999"}, "schema '9999'"),
        ({"tables": []}, "does not say which tables"),
        ({"tables": {"accounts": {}}}, "names other tables"),
    ],
)
def test_a_backup_of_another_version_is_refused(forged, target, changes, sentence):
    assert refused(target, with_manifest(forged, **changes), sentence)


@pytest.mark.parametrize(
    "summary",
    [
        None,
        {},
        {"rows": 0, "size": 0},
        {"rows": "0", "size": 0, "sha256": "ab" * 32},
        {"rows": -1, "size": 0, "sha256": "ab" * 32},
        {"rows": 0, "size": 0, "sha256": "ab"},
        {"rows": 0, "size": 0, "sha256": 5},
        {"rows": 0, "size": 0, "sha256": "ab" * 32, "more": 1},
    ],
)
def test_a_manifest_that_does_not_describe_its_tables_is_refused(forged, target, summary):
    described = json.loads(unpacked(forged)["manifest.json"])["tables"] | {"accounts": summary}

    assert refused(target, with_manifest(forged, tables=described), "does not describe table accounts")


@pytest.mark.parametrize("manifest", [b"{", b"[" * 100_000, b"[]", b"5"])
def test_a_manifest_that_is_no_object_is_refused(forged, target, manifest):
    packed(forged, (unpacked(forged) | {"manifest.json": manifest}).items())

    assert refused(target, forged, "The manifest of the backup")


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("accounts", "password_hash_2", "an unknown column"),
        ("accounts", "id", "1"),
        ("accounts", "id", True),
        ("accounts", "id", 2**63),
        ("accounts", "id", None),
        ("accounts", "name", None),
        ("accounts", "name", 5),
        ("accounts", "name", ["ada"]),
        ("accounts", "name", "a\0b"),
        ("accounts", "name", "\ud800"),
        ("accounts", "is_admin", 1),
        ("accounts", "created_at", "yesterday"),
        ("accounts", "created_at", "2026-01-01T00:00:00"),
        ("accounts", "created_at", 5),
        ("git_objects", "data", "no base64"),
        ("git_objects", "data", "ä"),
    ],
)
def test_a_row_with_an_impossible_value_is_refused(forged, target, table, column, value):
    assert refused(target, with_value(forged, table, column, value), f"in table {table}")


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [("accounts", "kind", "robot"), ("repositories", "owner_id", 99), ("refs", "repository_id", 99)],
)
def test_a_row_that_the_database_does_not_take_is_refused(forged, target, table, column, value):
    assert refused(target, with_value(forged, table, column, value), "rows that the database does not take")


def test_a_row_that_is_there_twice_is_refused(forged, target):
    assert refused(target, with_table(forged, "accounts", lambda lines: lines * 2), "does not take")


@pytest.mark.parametrize("line", [b"{\n", b"[]\n", b"5\n", b"[" * 100_000 + b"\n"])
def test_a_line_that_is_no_row_is_refused(forged, target, line):
    assert refused(target, with_table(forged, "accounts", lambda _: [line]), "in table accounts")


def test_a_line_without_an_end_is_refused(forged, target):
    def change(lines):
        return [line.rstrip(b"\n") for line in lines]

    assert refused(target, with_table(forged, "accounts", change), "has changed since|last line does not end")


def test_an_endless_line_is_refused(monkeypatch):
    monkeypatch.setattr(archive, "LONGEST_LINE", 100)
    file = io.BytesIO(b"x" * 200)

    with pytest.raises(DamagedArchive, match="more than 100 bytes"):
        list(archive.lines(file, 0, 200))


def test_a_last_line_without_an_end_is_refused():
    with pytest.raises(DamagedArchive, match="does not end"):
        list(archive.lines(io.BytesIO(b"one\ntwo"), 0, 7))


def test_a_restore_that_is_interrupted_leaves_nothing(forged, target):
    def interrupt(what, done, total):
        if what == "tables" and done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore.load(target, forged, interrupt)

    assert is_empty(target)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(
    name=TEXTS,
    number=st.integers(-(2**63) + 1, 2**63 - 1),
    email=st.none() | TEXTS,
    is_admin=st.booleans(),
    moment=st.datetimes(timezones=st.just(UTC)),
)
def test_rows_are_read_as_they_were_written(name, number, email, is_admin, moment):
    row = (number, name, name.lower(), "user", "", email, None, is_admin, moment)

    decoded = rows.decode(tables.accounts, rows.encode(tables.accounts, row))

    assert tuple(decoded.values()) == row


@given(content=st.binary())
def test_bytes_are_read_as_they_were_written(content):
    row = ("ab" * 20, "tree", content)

    assert tuple(rows.decode(tables.git_objects, rows.encode(tables.git_objects, row)).values()) == row


@given(contents=st.lists(st.binary(max_size=2000), max_size=4))
def test_members_are_read_as_they_were_written(contents):
    file = io.BytesIO()
    for number, content in enumerate(contents):
        archive.write_header(file, f"member-{number}", len(content))
        file.write(content)
        archive.end_member(file, len(content))
    archive.end(file)

    members = list(archive.members(file))

    assert [member.name for member in members] == [f"member-{number}" for number in range(len(contents))]
    assert [b"".join(archive.pieces(file, member.offset, member.size)) for member in members] == contents
    with tarfile.open(fileobj=io.BytesIO(file.getvalue())) as tar:
        assert [tar.extractfile(member).read() for member in tar.getmembers()] == contents


def test_sizes_above_eight_gigabytes_can_be_written():
    file = io.BytesIO()

    archive.write_header(file, "huge", 9 * 2**30)

    assert next(archive.members(file)).size == 9 * 2**30


def test_the_commands_save_and_restore(hub, agent, tmp_path, capsys):
    path, target = str(tmp_path / "backup.tar"), str(tmp_path / "new")

    assert main(["--data", str(hub.settings.data), "backup", path]) == 0
    assert main(["--data", target, "restore", path]) == 0
    assert main(["--data", target, "fsck"]) == 0

    out = capsys.readouterr().out
    assert "It holds secrets: keep it to yourself." in out
    assert f"The Hub in {target} is what {path} holds." in out


def test_the_command_that_cleans_up_says_what_it_removes(hub, ada, agent, capsys):
    with hub.database.write() as connection:
        sessions.create(connection, ada.identity.user_id)
        connection.execute(tables.sessions.update().values(expires_at=clock.now()))
    command = ["--data", str(hub.settings.data), "gc"]

    main([*command, "--dry-run"])
    main(command)
    main(command)

    assert capsys.readouterr().out.splitlines() == [
        "There is: 1 expired sessions.",
        "Removed: 1 expired sessions.",
        "Removed: nothing.",
    ]
