"""Branches and tags, and what a revision means."""

from urllib.parse import quote

import pytest

import kept_hub
from hub_requests import person, refusal

kept_client, hub, client = kept_hub.fixtures()


@pytest.fixture
def alice(client, hub):
    alice = person(client, hub, "alice")
    alice.create("alice/m")
    return alice


def refs(who):
    found = who.get("/api/models/alice/m/refs").json()
    return [ref["ref"] for ref in found["branches"] + found["tags"]]


def branch(who, name, **body):
    return who.post(f"/api/models/alice/m/branch/{quote(name, safe='')}", body)


def tag(who, name, revision="main", **body):
    return who.post(f"/api/models/alice/m/tag/{quote(revision, safe='')}", {"tag": name, **body})


def delete(who, kind, name):
    return who.ask("DELETE", f"/api/models/alice/m/{kind}/{quote(name, safe='')}")


def resolved(who, revision):
    return who.get(f"/api/models/alice/m/revision/{quote(revision, safe='')}")


def test_main_comes_first(alice):
    branch(alice, "a")
    tag(alice, "v1", message="The first one")
    assert refs(alice) == ["refs/heads/main", "refs/heads/a", "refs/tags/v1"]


def test_there_are_no_pull_requests_to_list(alice):
    assert alice.get("/api/models/alice/m/refs?include_prs=1").json()["pullRequests"] == []


def test_a_branch_starts_at_main_or_at_a_revision(alice):
    first = alice.push("alice/m", {"a": b"1"})
    second = alice.push("alice/m", {"a": b"2"})
    assert branch(alice, "now").json()["targetCommit"] == second
    assert branch(alice, "then", startingPoint=first).json()["targetCommit"] == first
    assert alice.post("/api/models/alice/m/branch/bare").status_code == 201


@pytest.mark.parametrize("name", ["feat/x", "v1.0", "ünï", "a-b_c", "d#1"])
def test_a_name_may_be_what_git_allows(alice, name):
    assert branch(alice, name).status_code == 201
    assert tag(alice, name).status_code == 201
    assert resolved(alice, name).json()["sha"] == resolved(alice, "main").json()["sha"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "a b",
            "a..b",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[",
            "a\\b",
            "@{",
        ),
        *("a\n", "a\0", "\ud800", "-a", "HEAD", "refs/heads/x", "abcdef0", "ABCDEF01" * 5, "x" * 201),
    ],
)
def test_another_name_is_refused(alice, name):
    assert refusal(tag(alice, name))[0] == 400
    if name and name != "\ud800":
        assert refusal(branch(alice, name))[0] == 400


@pytest.mark.parametrize("name", ["a/b", "a/b/c", "a", "A/B"])
def test_a_name_that_git_could_not_keep_beside_another_is_refused(alice, name):
    branch(alice, "a/b")
    assert refusal(branch(alice, name))[0] == 409
    assert tag(alice, name).status_code == 201


def test_refs_are_not_without_number(alice, monkeypatch):
    from rl_hub.repositories import revisions

    monkeypatch.setattr(revisions, "_MOST_REFS", 2)
    assert branch(alice, "a").status_code == 201
    assert refusal(branch(alice, "b"))[0] == 409


@pytest.mark.parametrize("body", [{"startingPoint": 3}, {"startingPoint": ["main"]}])
def test_a_starting_point_is_a_revision(alice, body):
    assert refusal(branch(alice, "a", **body))[0] == 400


@pytest.mark.parametrize("start", ["nowhere", "\ud800", "a\0b", "0" * 40])
def test_nothing_starts_at_a_revision_that_is_not_there(alice, start):
    assert refusal(branch(alice, "a", startingPoint=start))[:2] == (404, "RevisionNotFound")


@pytest.mark.parametrize("message", [3, "x" * 10_001, "a\0b"])
def test_a_message_of_a_tag_is_a_short_text(alice, message):
    assert refusal(tag(alice, "v1", message=message))[0] == 400


def test_a_branch_and_a_tag_are_deleted(alice):
    branch(alice, "feat/x")
    tag(alice, "v1")
    assert delete(alice, "branch", "feat/x").status_code == 200
    assert delete(alice, "tag", "v1").status_code == 200
    assert refs(alice) == ["refs/heads/main"]


def test_main_stays(alice):
    assert refusal(delete(alice, "branch", "main"))[0] == 400


@pytest.mark.parametrize(("kind", "name"), [("branch", "v1"), ("tag", "dev"), ("tag", "main"), ("branch", "x\0y")])
def test_what_is_not_there_cannot_be_deleted(alice, kind, name):
    branch(alice, "dev")
    tag(alice, "v1")
    assert refusal(delete(alice, kind, name))[:2] == (404, "RevisionNotFound")


def test_a_branch_named_like_the_full_name_of_another_is_told_apart(alice):
    tag(alice, "v1")
    assert delete(alice, "tag", "refs/tags/v1").status_code == 404


def test_only_who_may_write_changes_refs(alice, client, hub):
    tag(alice, "v1")
    bob = person(client, hub, "bob")
    for answer in (branch(bob, "x"), tag(bob, "v2"), delete(bob, "tag", "v1")):
        assert refusal(answer)[0] == 403


def test_a_revision_is_a_branch_a_tag_or_a_commit(alice):
    first = alice.push("alice/m", {"a": b"1"})
    tag(alice, "v1")
    alice.push("alice/m", {"a": b"2"})
    branch(alice, "old", startingPoint="v1")
    for revision in ("v1", "old", "refs/tags/v1", "refs/heads/old", first, first[:7], first.upper()):
        assert resolved(alice, revision).json()["sha"] == first


def test_of_a_branch_and_a_tag_of_one_name_the_branch_is_meant(alice):
    first = alice.push("alice/m", {"a": b"1"})
    branch(alice, "x")
    alice.push("alice/m", {"a": b"2"})
    tag(alice, "x")
    assert resolved(alice, "x").json()["sha"] == first
    assert resolved(alice, "refs/tags/x").json()["sha"] != first


@pytest.mark.parametrize("revision", ["nowhere", "0" * 40, "abcdef0", "refs/pr/1", "refs/heads/", "a\0b", "🤗"])
def test_another_revision_is_not_found(alice, revision):
    assert refusal(resolved(alice, revision))[:2] == (404, "RevisionNotFound")


def test_a_commit_of_another_repository_is_not_found(alice):
    head = alice.push("alice/m", {"a": b"1"})
    alice.create("alice/other")
    assert refusal(alice.get(f"/api/models/alice/other/revision/{head}"))[:2] == (404, "RevisionNotFound")


def test_the_beginning_of_two_commits_is_none(alice, hub):
    from sqlalchemy import insert, select

    from rl_hub.database import tables
    from rl_hub.repositories import history

    sha = alice.push("alice/m", {"a": b"1"})
    last = "0" if sha[-1] != "0" else "1"
    with hub.database.write() as connection:
        number = connection.scalar(select(tables.repositories.c.id))
        row = {**history.get(connection, number, sha).__dict__, "repository_id": number, "sha": sha[:-1] + last}
        connection.execute(insert(tables.commits).values(row))
    assert refusal(resolved(alice, sha[:10]))[:2] == (404, "RevisionNotFound")
    assert resolved(alice, sha).json()["sha"] == sha


def test_the_message_of_a_tag_that_no_database_keeps_is_refused(alice):
    answer = alice.post("/api/models/alice/m/tag/main", {"tag": "v1", "message": "\ud800"})
    assert refusal(answer)[0] == 400
