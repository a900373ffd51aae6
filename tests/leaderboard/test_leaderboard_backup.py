"""Backups of a classroom in use, with its Hub, and what a restore makes of them, of damaged ones and of forged ones."""

import hashlib
import io
import json
import os
import stat
import tarfile

import pytest
from fastapi.testclient import TestClient
from filelock import FileLock
from sqlalchemy import insert, select

from filled_hub import CARD, owner
from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_databases import ENGINES, new_classroom, postgresql, postgresql_template  # noqa: F401  fixtures
from leaderboard_people import add_person
from rl_hub import clock
from rl_hub.cli import main as hub_main
from rl_hub.database import tables as hub_tables
from rl_hub.errors import CommandError
from rl_hub.events import feed
from rl_hub.maintenance import exclusion, fsck
from rl_leaderboard.boards import assignments, board
from rl_leaderboard.boards.board import Query
from rl_leaderboard.cli import main
from rl_leaderboard.database import tables
from rl_leaderboard.maintenance import backup, restore
from rl_leaderboard.maintenance.contents import SAVED
from rl_leaderboard.people import people, sessions, tokens
from rl_leaderboard.web.app import create_app

VIDEO = b"a video of the judge"
NAME = hashlib.sha256(VIDEO).hexdigest()


def fill(classroom):
    """People, a board with a verified and a claimed row, a video, an answer, a decision of a teacher, a Hub."""
    ada = add_person(classroom, "ada")
    first, _ = submit(classroom, push("ada"), push("grace", mean=-2.5, std=0.125, sha="b" * 40))
    classroom.files.mkdir()
    classroom.video(NAME).write_bytes(VIDEO)
    measure(classroom, first, replay=NAME)
    with classroom.write() as connection:
        people.change_privacy(connection, ada, pseudonym="Countess", is_public=True)
        assignments.change(connection, ASSIGNMENT, counting="latest", quota_per_day=3)
        answer = {"person_id": ada.id, "unit_id": "u", "question_id": "q", "attempt": 1, "choices": "[]"}
        connection.execute(insert(tables.quiz_answers).values(**answer, correct=True, created_at=clock.now()))
    if classroom.hub is not None:
        owner(classroom.hub, "hopper").repository(**{"README.md": CARD})
    return classroom


@pytest.fixture
def filled(new_classroom):  # noqa: F811
    return fill(new_classroom("sqlite"))


@pytest.fixture
def saved(filled, tmp_path):
    """A backup of the classroom."""
    backup.save(filled, tmp_path / "backup.tar")
    return tmp_path / "backup.tar"


@pytest.fixture
def empty(new_classroom):  # noqa: F811
    return new_classroom("sqlite")


def all_rows(classroom):
    with classroom.read() as connection:
        return {table.name: sorted(map(repr, connection.execute(select(table)))) for table in SAVED}


def is_empty(classroom):
    """Whether there is nothing but what the course says, in the Hub neither."""
    with classroom.read() as connection:
        filled = {table.name for table in SAVED if connection.execute(select(table).limit(1)).first()}
    with classroom.hub.database.read() as connection:
        filled |= {
            table.name
            for table in hub_tables.metadata.sorted_tables
            if connection.execute(select(table).limit(1)).first()
        }
    videos = list(classroom.files.iterdir()) if classroom.files.exists() else []
    return filled <= {"assignments"} and not videos and not list(classroom.hub.blobs.folder.glob("*/*"))


@pytest.mark.parametrize("source", ENGINES)
@pytest.mark.parametrize("target", ENGINES)
def test_a_backup_is_restored_into_either_database(new_classroom, tmp_path, source, target):  # noqa: F811
    classroom = fill(new_classroom(source))
    backup.save(classroom, tmp_path / "backup.tar")
    restored = new_classroom(target)

    restore.load(restored, tmp_path / "backup.tar")

    assert all_rows(restored) == all_rows(classroom)
    assert restored.video(NAME).read_bytes() == VIDEO
    assert (restored.settings.data / "secret.key").read_bytes() == classroom.secret
    assert fsck.check(restored.hub).problems == ()
    with restored.hub.database.read() as connection:
        assert connection.scalar(select(hub_tables.repositories.c.name)) == "agent"


@pytest.mark.parametrize("target", ENGINES)
def test_a_restored_classroom_goes_on(saved, new_classroom, target):  # noqa: F811
    restored = new_classroom(target)
    restore.load(restored, saved)

    (number,) = submit(restored, push("alan", mean=900, std=0))

    with restored.read() as connection:
        rows = board.read_page(connection, Query(ASSIGNMENT)).rows
    assert [row.student for row in rows] == ["Countess", "alan", "grace"]
    # The counter of ids goes on behind those that were restored.
    assert number == 3
    assert add_person(restored, "alan").id > 1


def test_a_restored_video_is_played(saved, empty):
    restore.load(empty, saved)

    with TestClient(create_app(empty)) as client:
        assert client.get(f"/files/{NAME}.mp4").content == VIDEO


def test_tokens_work_after_a_restore_and_sessions_do_not(filled, empty, tmp_path):
    with filled.write() as connection:
        person = people.find(connection, people.HUB, "ada")
        token = tokens.create(connection, person.id, "laptop", "write")
        session = sessions.create(connection, person.id)
    backup.save(filled, tmp_path / "backup.tar")

    restore.load(empty, tmp_path / "backup.tar")

    with empty.read() as connection:
        assert tokens.identify(connection, token)[0].name == "ada"
        assert sessions.identify(connection, session.id) is None


def test_what_the_hub_tells_while_a_backup_is_written_is_told_again(filled, empty, tmp_path):
    """The classroom's rows are read, then the Hub tells it of a push; the Hub's part of the backup knows both."""
    with filled.hub.database.write() as connection:
        heard = max(event.id for event in feed.after(connection, 0, 100))
        feed.advance(connection, "leaderboard", heard)

    def push_once(what, done, total):
        if what == "videos":
            owner(filled.hub, "grace").repository(**{"README.md": CARD})
            with filled.hub.database.write() as connection:
                feed.advance(connection, "leaderboard", heard + 2)

    backup.save(filled, tmp_path / "backup.tar", push_once)
    restore.load(empty, tmp_path / "backup.tar")

    with empty.hub.database.read() as connection:
        position = feed.position(connection, "leaderboard")
        waiting = [event.repo_id for event in feed.after(connection, position, 100)]
    assert position == heard
    assert set(waiting) == {"grace/agent"}


def test_what_is_written_during_a_backup_is_not_half_in_it(filled, empty, tmp_path):
    before = all_rows(filled)

    def write(what, done, total):
        if (what, done) == ("tables", 1):
            submit(filled, push("late", sha="c" * 40))

    backup.save(filled, tmp_path / "backup.tar", write)
    restore.load(empty, tmp_path / "backup.tar")

    assert all_rows(empty) == before


def test_a_backup_is_a_tar_for_its_owner_and_the_hubs_part_is_a_backup_of_its_own(saved, tmp_path, capsys):
    with tarfile.open(saved) as tar:
        names = tar.getnames()
        (tmp_path / "hub.tar").write_bytes(tar.extractfile("hub.tar").read())

    assert names[0] == "manifest.json"
    assert names[-3:] == ["secret.key", f"files/{NAME}", "hub.tar"]
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600 or os.name == "nt"
    assert hub_main(["--data", str(tmp_path / "hub-alone"), "restore", str(tmp_path / "hub.tar")]) == 0
    assert hub_main(["--data", str(tmp_path / "hub-alone"), "fsck"]) == 0
    assert "is what" in capsys.readouterr().out


def test_a_classroom_without_a_hub_is_saved_and_restored(new_classroom, tmp_path):  # noqa: F811
    classroom, target = fill(new_classroom("sqlite", hub=False)), new_classroom("sqlite", hub=False)
    backup.save(classroom, tmp_path / "backup.tar")

    restore.load(target, tmp_path / "backup.tar")

    assert all_rows(target) == all_rows(classroom)


def test_a_hub_in_the_backup_is_not_forgotten_silently(saved, new_classroom):  # noqa: F811
    with pytest.raises(CommandError, match="RL_LEADERBOARD_HUB=yes"):
        restore.load(new_classroom("sqlite", hub=False), saved)


def test_a_missing_video_is_not_left_out_silently(filled, tmp_path):
    filled.video(NAME).unlink()

    with pytest.raises(CommandError, match="missing or damaged"):
        backup.save(filled, tmp_path / "backup.tar")
    assert list(tmp_path.glob("backup*")) == []


def test_a_classroom_with_anything_in_it_is_not_overwritten(filled, saved):
    before = all_rows(filled)

    with pytest.raises(CommandError, match="This classroom is not empty: it has"):
        restore.load(filled, saved)

    assert all_rows(filled) == before
    assert filled.video(NAME).read_bytes() == VIDEO


def test_a_hub_with_anything_in_it_is_not_overwritten(saved, empty):
    owner(empty.hub)

    with pytest.raises(CommandError, match="This Hub is not empty"):
        restore.load(empty, saved)

    with empty.read() as connection:
        assert connection.execute(select(tables.people)).all() == []
    assert list(empty.files.iterdir()) == []


def test_a_classroom_that_is_served_is_not_overwritten(saved, empty):
    with FileLock(empty.settings.data / exclusion.SERVE_LOCK), pytest.raises(CommandError, match="Stop it first"):
        restore.load(empty, saved)


# Forged and damaged backups: each is refused, and the classroom is as empty as before.


def unpacked(path):
    """The members of a backup as names and contents."""
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar.getmembers()}


def packed(path, members):
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in members:
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return path


def with_value(path, table, column, value):
    """Changes a value in the first row of a table, and the manifest so that it agrees."""
    members = unpacked(path)
    member = f"tables/{table}.jsonl"
    first, *others = members[member].splitlines(keepends=True)
    members[member] = json.dumps(json.loads(first) | {column: value}).encode() + b"\n" + b"".join(others)
    manifest = json.loads(members["manifest.json"])
    digest = hashlib.sha256(members[member]).hexdigest()
    manifest["tables"][table] |= {"size": len(members[member]), "sha256": digest}
    members["manifest.json"] = json.dumps(manifest).encode()
    return packed(path, members.items())


def refused(classroom, path, sentence):
    """Whether a restore says this, and leaves the classroom empty."""
    with pytest.raises(CommandError, match=sentence):
        restore.load(classroom, path)
    return is_empty(classroom)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_backup_that_is_cut_off_is_refused(saved, empty, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * (len(content) - 1200))])

    assert refused(empty, saved, "incomplete|no backup|does not have|other members")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("tables/people.jsonl", b"{}\n", "Table people of the backup has changed"),
        ("secret.key", b"short", "does not have the classroom's secret"),
        (f"files/{NAME}", b"another video", "has changed since it was written"),
        ("hub.tar", bytes(10240), "no backup of the Hub|incomplete"),
    ],
)
def test_a_changed_member_is_refused(saved, empty, name, content, sentence):
    packed(saved, (unpacked(saved) | {name: content}).items())

    assert refused(empty, saved, sentence)


@pytest.mark.parametrize("name", ["tables/people.jsonl", "secret.key", f"files/{NAME}", "hub.tar", "manifest.json"])
def test_a_missing_member_is_refused(saved, empty, name):
    packed(saved, [pair for pair in unpacked(saved).items() if pair[0] != name])

    assert refused(empty, saved, "does not have|does not begin|other members")


@pytest.mark.parametrize("name", ["../outside", "files/" + "ab" * 32, "files/../../outside", "manifest.json"])
def test_a_member_that_nothing_names_is_refused(saved, empty, tmp_path, name):
    packed(saved, [*unpacked(saved).items(), (name, b"surplus")])

    assert refused(empty, saved, "other members")
    assert not (tmp_path / "outside").exists()


def test_a_video_named_by_a_path_is_refused(saved, empty, tmp_path):
    with_value(saved, "evaluations", "replay", "../../outside")
    members = unpacked(saved)
    packed(saved, [("files/../../outside" if name.startswith("files/") else name, members[name]) for name in members])

    assert refused(empty, saved, "does not have the video")
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize(
    ("table", "column", "value", "sentence"),
    [
        ("submissions", "claimed_mean", float("nan"), "whose claimed_mean is not"),
        ("submissions", "claimed_mean", float("inf"), "whose claimed_mean is not"),
        ("submissions", "claimed_mean", 10**400, "whose claimed_mean is not"),
        ("submissions", "claimed_mean", "5", "whose claimed_mean is not"),
        ("submissions", "claimed_mean", True, "whose claimed_mean is not"),
        ("submissions", "claimed_mean", 1e13, "does not take"),
        ("submissions", "assignment_id", "nonsense", "does not take"),
        ("people", "role", "god", "does not take"),
        ("people", "password", "", "other columns"),
    ],
)
def test_a_row_that_cannot_be_is_refused(saved, empty, table, column, value, sentence):
    assert refused(empty, with_value(saved, table, column, value), sentence)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 2}, "has format 2"),
        ({"schema": "9999"}, "schema '9999'"),
        ({"tables": {"people": {}}}, "names other tables than the leaderboard has"),
        ({"hub_heard": None}, "other members"),
        ({"hub_heard": -1}, "other members"),
        ({"hub_heard": True}, "other members"),
        ({"hub_heard": 2**63}, "other members"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(saved, empty, changes, sentence):
    members = unpacked(saved)
    manifest = json.loads(members["manifest.json"]) | changes
    packed(saved, (members | {"manifest.json": json.dumps(manifest).encode()}).items())

    assert refused(empty, saved, sentence)


def test_a_restore_that_is_interrupted_leaves_nothing(saved, empty):
    def interrupt(what, done, total):
        if what == "contents of files":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore.load(empty, saved, interrupt)

    assert is_empty(empty)


def test_the_commands_save_and_restore(filled, tmp_path, monkeypatch, capsys):
    path, target = tmp_path / "backup.tar", tmp_path / "new"
    filled.close()
    monkeypatch.setenv("RL_LEADERBOARD_DATA", str(filled.settings.data))
    assert main(["backup", str(path)]) == 0
    monkeypatch.setenv("RL_LEADERBOARD_DATA", str(target))
    assert main(["restore", str(path)]) == 0

    out = capsys.readouterr().out
    assert "It holds secrets: keep it to yourself." in out
    assert f"The classroom in {target} is what {path} holds." in out


def test_no_classroom_is_made_of_a_mistyped_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RL_LEADERBOARD_DATA", str(tmp_path / "mistyped"))

    assert main(["backup", str(tmp_path / "backup.tar")]) == 2

    assert "There is no classroom in" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
