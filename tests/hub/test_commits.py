"""Commits: what was asked for is there as a whole afterwards, or not at all."""

import gzip
import hashlib
import io
import sqlite3
import zipfile
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from sqlalchemy import event, func, select
from starlette.testclient import TestClient

import kept_hub
from hub_requests import (
    Person,
    deleted_file_line,
    deleted_folder_line,
    file_line,
    header_line,
    large_file_line,
    ndjson,
    person,
    refusal,
)
from rl_hub import cards
from rl_hub.accounts import organisations
from rl_hub.database import tables
from rl_hub.errors import DISK_FULL
from rl_hub.hub import Hub
from rl_hub.maintenance import fsck
from rl_hub.repositories import card_index, commits, preparation, quotas
from rl_hub.repositories.git_objects import object_id
from rl_hub.repositories.gitattributes import LfsRules
from rl_hub.settings import MIB, Limits, Settings
from rl_hub.uploads import grants
from rl_hub.web.app import create_app

CARD = b"---\ntags: [CartPole-v1, reinforcement-learning]\nlibrary_name: stable-baselines3\n---\n# A card\n"
WEIGHTS = b"weights" * 100
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()

kept_client, hub, client = kept_hub.fixtures()


@pytest.fixture
def alice(client, hub):
    alice = person(client, hub, "alice")
    alice.create("alice/m")
    return alice


def upload(hub, user, repo_id, content=WEIGHTS):
    """Does what LFS and Xet do: stores a content, which this user may then name in this repository."""
    with hub.database.write() as connection, hub.blobs.stage(len(content)) as staged:
        staged.write(content)
        staged.close()
        hub.blobs.publish(connection, staged)
        user_id = connection.scalar(select(tables.accounts.c.id).where(tables.accounts.c.key == user))
        repository_id = connection.scalar(select(tables.repositories.c.id).where(tables.repositories.c.key == repo_id))
        grants.grant(connection, user_id, repository_id, staged.sha256)


def small_hub(tmp_path, **limits):
    return Hub.open(Settings(tmp_path / "small", limits=Limits(**limits)))


def count(hub, table):
    with hub.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def info(who, repo_id="alice/m"):
    return who.get(f"/api/models/{repo_id}").json()


def test_a_commit_becomes_the_head(alice):
    answer = alice.commit("alice/m", file_line("a/b.txt", b"hello"), file_line("README.md", CARD)).json()
    assert answer["commitUrl"] == f"http://testserver/alice/m/commit/{answer['commitOid']}"
    assert info(alice)["sha"] == answer["commitOid"]
    assert alice.content("alice/m", "a/b.txt") == b"hello"


def test_the_card_is_known_to_listings_from_then_on(alice):
    alice.push("alice/m", {"README.md": CARD})
    found = info(alice)
    assert found["tags"] == ["CartPole-v1", "reinforcement-learning", "stable-baselines3"]
    assert found["cardData"]["library_name"] == found["library_name"] == "stable-baselines3"


def test_a_commit_without_the_card_keeps_what_is_known_of_it(alice):
    alice.push("alice/m", {"README.md": CARD})
    head = alice.push("alice/m", {"a": b"1"})
    (found,) = alice.get("/api/models", params={"filter": "CartPole-v1", "expand": "sha"}).json()
    assert found["sha"] == head


def test_a_deleted_card_is_forgotten(alice):
    alice.push("alice/m", {"README.md": CARD})
    alice.commit("alice/m", deleted_file_line("README.md"))
    assert info(alice)["tags"] == []
    assert alice.get("/api/models", params={"filter": "CartPole-v1"}).json() == []


def test_the_card_of_another_branch_is_not_that_of_the_repository(alice):
    alice.post("/api/models/alice/m/branch/dev", {})
    alice.commit("alice/m", file_line("README.md", CARD), revision="dev")
    assert info(alice)["tags"] == []
    assert alice.get("/api/models/alice/m/revision/dev").json()["library_name"] == "stable-baselines3"


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        (b"---\ntags: [\n---\n", "not valid YAML"),
        (b"---\nmodel-index: [{name: x}]\n---\n", '"model-index[0].results" is required'),
        (b"---\na: .nan\n---\n", "not a number"),
        (b"---\n" + b"[" * 100_000 + b"\n---\n", "nested"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_card_that_leaderboards_cannot_read_is_refused(alice, card, sentence):
    status, _, message = refusal(alice.commit("alice/m", file_line("README.md", card), file_line("a", b"")))
    assert (status, sentence in message) == (400, True)
    assert alice.files("alice/m") == []


def test_files_are_added_changed_and_deleted_in_one_commit(alice):
    alice.push("alice/m", {"a": b"1", "b/c": b"2", "b/d": b"3", "e": b"4"})
    lines = [deleted_folder_line("b/"), deleted_file_line("a"), file_line("e", b"5"), file_line("b/f", b"6")]
    assert alice.commit("alice/m", *lines).status_code == 200
    assert alice.files("alice/m") == ["b/f", "e"]
    assert alice.content("alice/m", "e") == b"5"


def test_a_commit_that_changes_nothing_answers_with_the_head(alice):
    head = alice.push("alice/m", {"a": b"1"})
    assert alice.push("alice/m", {"a": b"1"}) == head
    assert len(alice.get("/api/models/alice/m/commits/main").json()) == 2


def test_a_commit_on_the_expected_head_is_made(alice):
    head = alice.push("alice/m", {"a": b"1"})
    assert alice.commit("alice/m", file_line("a", b"2"), parentCommit=head[:7]).status_code == 200


def test_a_commit_on_an_earlier_head_is_refused(alice):
    first = alice.push("alice/m", {"a": b"1"})
    second = alice.push("alice/m", {"a": b"2"})
    status, _, message = refusal(alice.commit("alice/m", file_line("a", b"3"), parentCommit=first))
    assert (status, second in message) == (412, True)
    assert alice.content("alice/m", "a") == b"2"


def test_a_branch_moves_alone(alice):
    head = alice.push("alice/m", {"a": b"1"})
    alice.post("/api/models/alice/m/branch/feat%2Fx", {})
    alice.commit("alice/m", file_line("a", b"2"), revision="feat/x")
    assert info(alice)["sha"] == head
    assert alice.content("alice/m", "a", "feat/x") == b"2"


def test_a_branch_may_be_named_in_full(alice):
    assert alice.commit("alice/m", file_line("a", b"1"), revision="refs/heads/main").status_code == 200
    assert alice.files("alice/m") == ["a"]


def test_there_is_no_commit_to_a_branch_that_is_not_there(alice):
    status, code, _ = refusal(alice.commit("alice/m", file_line("a", b"1"), revision="nowhere"))
    assert (status, code) == (404, "RevisionNotFound")


def test_tags_do_not_move(alice):
    alice.post("/api/models/alice/m/tag/main", {"tag": "v1"})
    status, _, message = refusal(alice.commit("alice/m", file_line("a", b"1"), revision="v1"))
    assert (status, "not a branch" in message) == (400, True)


def test_there_are_no_pull_requests(alice):
    answer = alice.send("alice/m", ndjson(header_line()), params={"create_pr": "1"})
    assert "no pull requests" in refusal(answer)[2]


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../b", r"a\b", ".git/config", "nul", "a\0b", "a//b", "a" * 256, "x/" * 100 + "x"]
)
def test_a_path_that_is_dangerous_somewhere_is_refused(alice, path):
    assert refusal(alice.commit("alice/m", file_line(path, b"x")))[0] == 400
    assert alice.files("alice/m") == []


@pytest.mark.parametrize(
    "path",
    ["Readme.txt", "DIR/x", "dir", "readme.txt/x", "dir/FILE"],
)
def test_a_path_that_meets_another_one_is_refused(alice, path):
    alice.push("alice/m", {"readme.txt": b"1", "dir/file": b"2"})
    assert refusal(alice.commit("alice/m", file_line(path, b"x")))[0] == 400


def test_a_path_that_is_added_twice_is_refused(alice):
    status, _, message = refusal(alice.commit("alice/m", file_line("a", b"1"), file_line("a", b"2")))
    assert (status, "twice" in message) == (400, True)


@pytest.mark.parametrize("line", [deleted_file_line("x"), deleted_folder_line("x/"), deleted_file_line("a/../../x")])
def test_what_is_not_there_cannot_be_deleted(alice, line):
    status, code, message = refusal(alice.commit("alice/m", file_line("a", b"1"), line))
    assert (status, code) == (404, "EntryNotFound")
    assert "with this name doesn't exist" in message
    assert alice.files("alice/m") == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (gzip.compress(ndjson(header_line()), mtime=0), {"Content-Encoding": "gzip"}, 415),
        (gzip.compress(ndjson(header_line()), mtime=0), {}, 400),
        (b"PK\x03\x04" + bytes(100), {"Content-Type": "application/zip"}, 400),
        (b"", {}, 400),
        (
            ndjson(header_line(), {"key": "file", "value": {"path": "a", "content": "###", "encoding": "base64"}}),
            {},
            400,
        ),
        (b"x" * (8 * MIB), {}, 400),
        (ndjson(header_line()) + b"x" * (8 * MIB), {}, 413),
    ],
)
def test_a_body_that_is_no_commit_is_refused(alice, body, headers, status):
    assert refusal(alice.send("alice/m", body, headers=headers))[0] == status


def test_a_zip_of_a_commit_is_refused(alice):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("commit.ndjson", ndjson(header_line(), file_line("a", bytes(MIB))))
    status, _, message = refusal(alice.send("alice/m", archive.getvalue()))
    assert (status, "archive" in message) == (400, True)


def test_a_refused_commit_leaves_nothing_on_the_disk(alice, hub):
    alice.commit("alice/m", file_line("a", b"1"), file_line("a", b"2"))
    assert list(hub.blobs.staging.iterdir()) == []
    assert count(hub, tables.blobs) == 0


def test_a_body_above_the_limit_is_refused_unread(tmp_path):
    hub = small_hub(tmp_path, commit_bytes=1000)
    with TestClient(create_app(hub)) as client:
        alice = person(client, hub, "alice")
        alice.create("alice/m")
        assert refusal(alice.commit("alice/m", file_line("a", b"x" * 2000)))[0] == 413
    hub.close()


def test_a_reader_may_not_commit(alice, client, hub):
    for who in (person(client, hub, "bob"), person(client, hub, "alice", "read"), Person(client)):
        assert refusal(who.commit("alice/m", file_line("a", b"1")))[0] == 403
    assert alice.files("alice/m") == []


def test_a_private_repository_of_somebody_else_is_not_there(alice, client, hub):
    alice.create("alice/secret", private=True)
    assert refusal(person(client, hub, "bob").commit("alice/secret", file_line("a", b"1")))[:2] == (404, "RepoNotFound")
    assert refusal(Person(client).commit("alice/secret", file_line("a", b"1")))[:2] == (401, "RepoNotFound")


def test_a_member_who_writes_may_commit_for_the_class(client, hub):
    bob = person(client, hub, "bob")
    with hub.database.write() as connection:
        user_id = connection.scalar(select(tables.accounts.c.id).where(tables.accounts.c.key == "bob"))
        organisation = organisations.create(connection, "class")
        organisations.add_member(connection, organisation.id, user_id, "write")
    assert bob.create("class/m").status_code == 200
    assert bob.push("class/m", {"a": b"1"})


def test_a_large_file_is_named_by_who_uploaded_it(alice, hub):
    upload(hub, "alice", "alice/m")
    alice.commit("alice/m", large_file_line("dir/w.zip", SHA256, len(WEIGHTS)))
    (entry,) = alice.post("/api/models/alice/m/paths-info/main", {"paths": ["dir/w.zip"]}).json()
    assert entry["lfs"] == {"oid": SHA256, "size": len(WEIGHTS), "pointerSize": 128}
    assert alice.content("alice/m", "dir/w.zip") == WEIGHTS


def test_git_lfs_is_told_of_a_large_file(alice, hub):
    upload(hub, "alice", "alice/m")
    alice.commit("alice/m", large_file_line("dir/my w.zip", SHA256))
    expected = b"/dir/my[[:space:]]w.zip filter=lfs diff=lfs merge=lfs -text\n"
    assert alice.content("alice/m", ".gitattributes") == expected


def test_git_lfs_is_told_only_what_it_does_not_know(alice, hub):
    upload(hub, "alice", "alice/m")
    rules = b"*.zip filter=lfs diff=lfs merge=lfs -text\n"
    alice.commit("alice/m", file_line(".gitattributes", rules), large_file_line("w.zip", SHA256))
    alice.commit("alice/m", large_file_line("w.bin", SHA256))
    assert alice.content("alice/m", ".gitattributes") == rules + b"/w.bin filter=lfs diff=lfs merge=lfs -text\n"


def test_a_large_file_is_told_with_its_pointer(alice, hub):
    upload(hub, "alice", "alice/m")
    alice.commit("alice/m", large_file_line("w.zip", SHA256))
    (_, file) = alice.get("/api/models/alice/m?blobs=true").json()["siblings"]
    assert file["lfs"] == {"sha256": SHA256, "size": len(WEIGHTS), "pointerSize": 128}


def test_a_file_whose_id_is_that_of_another_content_is_refused(alice, hub):
    alice.push("alice/m", {"a": b"1"})
    with hub.database.write() as connection:
        row = {"git_oid": object_id("blob", b"2"), "sha256": hashlib.sha256(b"1").hexdigest(), "size": 1, "lfs": False}
        connection.execute(tables.files.insert().values(row))
    status, _, message = refusal(alice.commit("alice/m", file_line("b", b"2")))
    assert (status, "same git id" in message) == (400, True)


def test_a_card_that_was_sent_as_a_large_file_is_read_too(alice, hub):
    upload(hub, "alice", "alice/m", CARD)
    alice.commit("alice/m", large_file_line("README.md", hashlib.sha256(CARD).hexdigest()))
    assert info(alice)["library_name"] == "stable-baselines3"


def test_a_card_that_is_too_long_is_refused_or_not_read(alice, hub):
    content = CARD + b"x" * 6 * MIB
    upload(hub, "alice", "alice/m", content)
    answer = alice.commit("alice/m", large_file_line("README.md", hashlib.sha256(content).hexdigest()))
    assert refusal(answer)[0] == 413
    alice.push("alice/m", {"README.md": CARD})
    with hub.database.read() as connection:
        tree = connection.scalars(select(tables.commits.c.tree).order_by(tables.commits.c.position.desc())).first()
        assert card_index.read(connection, hub.blobs, tree, limit=10) == cards.Card()


def test_a_large_file_may_be_named_again_in_its_repository(alice, hub):
    upload(hub, "alice", "alice/m")
    alice.commit("alice/m", large_file_line("a.zip", SHA256))
    with hub.database.write() as connection:
        connection.execute(tables.upload_grants.delete())
    assert alice.commit("alice/m", large_file_line("b.zip", SHA256)).status_code == 200


def test_somebody_elses_private_content_cannot_be_named(alice, client, hub):
    alice.create("alice/secret", private=True)
    upload(hub, "alice", "alice/secret")
    alice.commit("alice/secret", large_file_line("w.zip", SHA256))
    bob = person(client, hub, "bob")
    bob.create("bob/m")
    known = refusal(bob.commit("bob/m", large_file_line("w.zip", SHA256, len(WEIGHTS))))
    unknown = refusal(bob.commit("bob/m", large_file_line("w.zip", "0" * 64, len(WEIGHTS))))
    assert known[0] == unknown[0] == 400
    assert known[2].replace(SHA256, "0" * 64) == unknown[2]


def test_a_grant_is_for_one_repository(alice, hub):
    alice.create("alice/other")
    upload(hub, "alice", "alice/m")
    assert refusal(alice.commit("alice/other", large_file_line("w.zip", SHA256)))[0] == 400


def test_a_pointer_to_somebody_elses_content_cannot_be_committed(alice, client, hub):
    alice.create("alice/secret", private=True)
    upload(hub, "alice", "alice/secret")
    alice.commit("alice/secret", large_file_line("w.zip", SHA256))
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA256}\nsize {len(WEIGHTS)}\n".encode()
    bob = person(client, hub, "bob")
    bob.create("bob/m")
    status, _, message = refusal(bob.commit("bob/m", file_line("w.zip", pointer)))
    assert (status, "pointer" in message) == (400, True)


def test_a_large_file_of_another_size_is_refused(alice, hub):
    upload(hub, "alice", "alice/m")
    assert refusal(alice.commit("alice/m", large_file_line("w.zip", SHA256, 1)))[0] == 400


def test_a_file_above_its_limit_is_refused(tmp_path):
    hub = small_hub(tmp_path, file_bytes=100)
    with TestClient(create_app(hub)) as client:
        alice = person(client, hub, "alice")
        alice.create("alice/m")
        upload(hub, "alice", "alice/m")
        assert refusal(alice.commit("alice/m", large_file_line("w.zip", SHA256)))[0] == 413
    hub.close()


@pytest.mark.parametrize("limits", [{"repository_bytes": 250}, {"user_bytes": 250}])
def test_a_repository_holds_no_more_than_its_quota(tmp_path, limits):
    hub = small_hub(tmp_path, **limits)
    with TestClient(create_app(hub)) as client:
        alice = person(client, hub, "alice")
        alice.create("alice/m")
        alice.push("alice/m", {"a": b"1" * 100, "same": b"1" * 100})
        alice.push("alice/m", {"a": b"2" * 100})
        status, _, message = refusal(alice.commit("alice/m", file_line("a", b"3" * 100)))
        assert (status, "200 bytes" in message) == (413, True)
        assert alice.push("alice/m", {"b": b"1" * 100})
    hub.close()


def test_no_parallel_commit_is_lost(alice, hub):
    def push(number):
        return alice.commit("alice/m", file_line(f"f{number}", b"%d" % number)).status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(push, range(16))) == {200}
    assert len(alice.files("alice/m")) == 16
    assert len(alice.get("/api/models/alice/m/commits/main").json()) == 17
    assert fsck.check(hub).is_clean


def test_of_parallel_commits_on_one_head_one_is_made(alice):
    head = info(alice)["sha"]

    def push(number):
        return alice.commit("alice/m", file_line("f", b"%d" % number), parentCommit=head).status_code

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(push, range(4))) == [200, 412, 412, 412]


def test_a_repository_that_is_deleted_meanwhile_is_not_committed_to(alice, hub, monkeypatch):
    apply = commits.apply

    def delete_first(*arguments):
        assert alice.ask("DELETE", "/api/repos/delete", json={"name": "alice/m"}).status_code == 200
        return apply(*arguments)

    monkeypatch.setattr(commits, "apply", delete_first)
    assert refusal(alice.commit("alice/m", file_line("a", b"1")))[:2] == (404, "RepoNotFound")


def test_a_fault_in_the_last_step_leaves_nothing_behind(alice, hub):
    def fail(_connection, _cursor, statement, *_):
        if statement.startswith("INSERT INTO events"):
            raise RuntimeError("a fault")

    event.listen(hub.database._writer, "before_cursor_execute", fail)
    try:
        assert alice.commit("alice/m", file_line("a", b"1")).status_code == 500
    finally:
        event.remove(hub.database._writer, "before_cursor_execute", fail)
    assert alice.files("alice/m") == []
    assert fsck.check(hub).is_clean


def test_a_commit_wakes_those_who_are_told(tmp_path):
    # Not entered, so that no dispatcher takes the sign.
    hub = small_hub(tmp_path)
    alice = person(TestClient(create_app(hub)), hub, "alice")
    alice.create("alice/m")
    hub.wakeup.clear()
    alice.push("alice/m", {"a": b"1"})
    assert hub.wakeup.is_set()
    hub.close()


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_datasets_and_spaces_are_committed_to_alike(client, hub, kind):
    alice = person(client, hub, "alice")
    alice.create("alice/d", kind)
    answer = alice.commit("alice/d", file_line("a", b"1"), kind=kind).json()
    assert answer["commitUrl"].startswith(f"http://testserver/{kind}s/alice/d/commit/")
    assert alice.files("alice/d", kind=kind) == ["a"]


def preupload(who, *files, repo_id="alice/m", **more):
    body = {"files": [{"path": path, "size": size, "sample": ""} for path, size in files], **more}
    answer = who.post(f"/api/models/{repo_id}/preupload/main", body)
    assert answer.status_code == 200, answer.text
    return {file.pop("path"): file for file in answer.json()["files"]}


def test_a_file_for_which_the_disk_has_no_room_is_refused_before_it_is_sent(alice, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    body = {"files": [{"path": "large.bin", "size": 11, "sample": ""}]}
    answer = alice.post("/api/models/alice/m/preupload/main", body)
    assert (answer.status_code, answer.json()["error"]) == (507, DISK_FULL)


def test_small_files_come_in_the_commit_and_large_ones_before(alice):
    answers = preupload(alice, ("a", 5 * MIB), ("b", 5 * MIB + 1))
    assert [answers[path]["uploadMode"] for path in "ab"] == ["regular", "lfs"]


def test_a_file_that_git_gives_to_lfs_is_large_whatever_its_size(alice):
    alice.push("alice/m", {".gitattributes": b"*.zip filter=lfs"})
    answers = preupload(alice, ("a.zip", 1), ("empty.zip", 0), ("a.txt", 1))
    assert [answer["uploadMode"] for answer in answers.values()] == ["lfs", "regular", "regular"]


def test_the_client_is_told_what_is_there(alice, hub):
    upload(hub, "alice", "alice/m")
    alice.commit("alice/m", file_line("a/b", b"hello"), large_file_line("w", SHA256))
    answers = preupload(alice, ("a/b", 5), ("w", 1), ("a", 1), ("new", 1))
    oids = [answer.get("oid") for answer in answers.values()]
    assert oids == ["b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0", SHA256, None, None]


def test_ignored_files_are_named(alice):
    answers = preupload(alice, ("logs/x", 1), ("a", 1), gitIgnore="logs/\n")
    assert [answer["shouldIgnore"] for answer in answers.values()] == [True, False]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"files": {}},
        {"files": ["a"]},
        {"files": [{"path": "a"}]},
        {"files": [{"path": "a", "size": "1"}]},
        {"files": [{"path": "a", "size": -1}]},
        {"files": [{"path": "../a", "size": 1}]},
        {"files": [{"path": "a", "size": 1}] * 257},
        {"files": [], "gitIgnore": 1},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(alice, body):
    assert refusal(alice.post("/api/models/alice/m/preupload/main", body))[0] == 400


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(alice):
    files = [{"path": "a", "size": 6 * 2**30}]
    assert refusal(alice.post("/api/models/alice/m/preupload/main", {"files": files}))[0] == 413


def test_whoever_may_not_commit_hears_so_before_the_upload(alice, client, hub):
    answer = person(client, hub, "bob").post("/api/models/alice/m/preupload/main", {"files": []})
    status, _, message = refusal(answer)
    assert (status, "bob may not write to alice/m" in message) == (403, True)


def test_pull_requests_are_refused_before_the_upload(alice):
    answer = alice.post("/api/models/alice/m/preupload/main?create_pr=1", {"files": []})
    assert "no pull requests" in refusal(answer)[2]


@pytest.mark.parametrize("size", [-1, 2**63, 10**400], ids=["negative", "huge", "endless"])
def test_a_size_that_no_file_has_is_refused(alice, size):
    body = {"files": [{"path": "a", "size": size, "sample": ""}]}
    assert refusal(alice.post("/api/models/alice/m/preupload/main", body))[0] == 400


@pytest.mark.parametrize("turn", [1, -1])
def test_a_file_may_take_the_place_of_a_folder_and_the_other_way_round(alice, turn):
    alice.push("alice/m", {"a/b.txt": b"1", "c": b"2"})
    lines = [deleted_file_line("a/b.txt"), file_line("a", b"3"), deleted_file_line("c"), file_line("c/d", b"4")]
    assert alice.commit("alice/m", *lines[::turn]).status_code == 200
    assert alice.files("alice/m") == ["a", "c/d"]


@pytest.fixture
def is_locked(hub, monkeypatch):
    """Whether the database was locked, each time that a card or rules were read."""
    seen = []

    def look(function):
        def looked(*arguments):
            other = sqlite3.connect(hub.settings.data / "hub.sqlite", timeout=0, isolation_level=None)
            try:
                other.execute("BEGIN IMMEDIATE")
                seen.append(False)
            except sqlite3.OperationalError:
                seen.append(True)
            finally:
                other.close()
            return function(*arguments)

        return looked

    monkeypatch.setattr(card_index, "check", look(card_index.check))
    for module in (commits, preparation):
        monkeypatch.setattr(module, "LfsRules", look(LfsRules))
    return seen


@pytest.mark.parametrize("rules", [[], [file_line(".gitattributes", b"*.bin filter=lfs")]])
def test_nobody_waits_while_a_card_and_rules_are_read(alice, hub, is_locked, rules):
    alice.push("alice/m", {".gitattributes": b"*.zip filter=lfs"})
    is_locked.clear()
    upload(hub, "alice", "alice/m")
    lines = [file_line("README.md", CARD), large_file_line("w.bin", SHA256), *rules]
    assert alice.commit("alice/m", *lines).status_code == 200
    assert is_locked == [False, False]


def test_nobody_waits_while_an_uploaded_card_is_read(alice, hub, is_locked):
    upload(hub, "alice", "alice/m", CARD)
    sha256 = hashlib.sha256(CARD).hexdigest()
    assert alice.commit("alice/m", large_file_line("README.md", sha256)).status_code == 200
    assert True not in is_locked
    assert info(alice)["library_name"] == "stable-baselines3"


def test_what_was_prepared_for_another_state_is_not_used(alice, hub, monkeypatch):
    upload(hub, "alice", "alice/m")
    stale = preparation.Prepared(preparation.CheckedCard("0" * 64, cards.Card()), LfsRules(b"* filter=lfs"))
    monkeypatch.setattr(commits, "prepare", lambda *_: stale)
    alice.commit("alice/m", file_line("README.md", CARD), large_file_line("w.bin", SHA256))
    assert info(alice)["library_name"] == "stable-baselines3"
    assert b"/w.bin filter=lfs" in alice.content("alice/m", ".gitattributes")


def test_the_contents_of_a_commit_are_locked_once_in_order(alice, hub, monkeypatch):
    upload(hub, "alice", "alice/m")
    locked = []
    monkeypatch.setattr(hub.database, "lock_blob", lambda _, sha256: locked.append(sha256))
    regular = [b"%d" % number for number in range(5)]
    lines = [file_line(f"{number}", content) for number, content in enumerate(regular)]
    assert alice.commit("alice/m", large_file_line("w", SHA256), *lines).status_code == 200
    named = sorted([SHA256, *(hashlib.sha256(content).hexdigest() for content in regular)])
    assert locked[: len(named)] == named


def test_a_repository_has_no_more_files_than_can_be_listed(alice, monkeypatch):
    monkeypatch.setattr(quotas, "_MOST_FILES", 3)
    alice.push("alice/m", {"a/b/x": b"1", "a/y": b"1", "c/x": b"1"})
    assert "would have 4 files" in refusal(alice.commit("alice/m", file_line("d", b"1")))[2]
    assert alice.commit("alice/m", file_line("a/z", b"1"), deleted_file_line("c/x")).status_code == 200
    assert len(alice.files("alice/m")) == 3


def test_who_commits_all_the_time_is_asked_to_wait(alice, monkeypatch):
    monkeypatch.setattr(quotas, "_MOST_COMMITS", 2)
    alice.push("alice/m", {"a": b"1"})
    answer = alice.commit("alice/m", file_line("b", b"1"))
    assert (refusal(answer)[0], answer.headers["Retry-After"]) == (429, "60")
