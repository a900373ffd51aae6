"""Repositories: created, found, moved, hidden and deleted, by those who may."""

import pytest
from sqlalchemy import func, select

import kept_hub
from hub_requests import Person, file_line, person, refusal
from rl_hub.accounts import organisations
from rl_hub.database import tables
from rl_hub.repositories.git_objects import EMPTY_TREE

kept_client, hub, client = kept_hub.fixtures()


@pytest.fixture
def alice(client, hub):
    return person(client, hub, "alice")


@pytest.fixture
def bob(client, hub):
    return person(client, hub, "Bob")


@pytest.fixture
def nobody(client):
    return Person(client)


def user_id(hub, name):
    with hub.database.read() as connection:
        return connection.scalar(select(tables.accounts.c.id).where(tables.accounts.c.key == name.lower()))


def join(hub, organisation, name, role):
    with hub.database.write() as connection:
        found = organisations.find(connection, organisation) or organisations.create(connection, organisation)
        organisations.add_member(connection, found.id, user_id(hub, name), role)


def status(who, repo_id, kind="models"):
    return who.get(f"/api/{kind}/{repo_id}").status_code


def delete(who, name, **more):
    return who.ask("DELETE", "/api/repos/delete", json={"name": name, **more})


def move(who, old, new, **more):
    return who.post("/api/repos/move", {"fromRepo": old, "toRepo": new, **more})


def test_a_new_repository_is_empty_and_has_a_head(alice):
    answer = alice.post("/api/repos/create", {"name": "m", "organization": None})
    found = alice.get("/api/models/alice/m").json()
    assert answer.json()["url"] == "http://testserver/alice/m"
    assert (found["private"], found["siblings"], found["usedStorage"]) == (False, [], 0)
    (commit,) = alice.get("/api/models/alice/m/commits/main").json()
    assert (commit["id"], commit["title"]) == (found["sha"], "initial commit")


def test_the_first_commit_is_git_s_own(alice, hub):
    alice.create("alice/m")
    with hub.database.read() as connection:
        assert connection.scalar(select(tables.commits.c.tree)) == EMPTY_TREE
        assert {row.kind for row in connection.execute(select(tables.git_objects))} == {"tree", "commit"}


@pytest.mark.parametrize(
    ("body", "private"),
    [({}, False), ({"private": True}, True), ({"visibility": "private"}, True), ({"visibility": "public"}, False)],
)
def test_a_repository_is_private_if_that_is_asked_for(alice, body, private):
    alice.create("alice/m", **body)
    assert alice.get("/api/models/alice/m").json()["private"] is private


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
def test_kinds_have_names_of_their_own(alice, kind):
    for each in ("model", "dataset", "space"):
        prefix = "" if each == "model" else f"{each}s/"
        assert alice.create("alice/x", each).json()["url"] == f"http://testserver/{prefix}alice/x"
    assert status(alice, "alice/x", f"{kind}s") == 200


@pytest.mark.parametrize("name", ["m", "M"])
def test_a_name_is_taken_whatever_its_case(alice, name):
    alice.create("alice/m")
    answer = alice.create(f"alice/{name}")
    assert refusal(answer)[0] == 409
    assert answer.json()["url"] == "http://testserver/alice/m"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": 3},
        {"name": ".."},
        {"name": "a b"},
        {"name": "x.git"},
        {"name": "x", "type": "bucket"},
        {"name": "x", "organization": 4},
        {"name": "x", "visibility": "protected"},
        {"name": "x", "private": "yes"},
        {"name": "a/b/c"},
    ],
)
def test_what_makes_no_sense_is_refused(alice, body):
    assert refusal(alice.post("/api/repos/create", body))[0] == 400


def test_a_name_may_have_its_owner_in_it(alice):
    assert alice.post("/api/repos/create", {"name": "alice/x"}).json()["name"] == "alice/x"


def test_a_repository_is_made_in_ones_own_namespace(alice, bob):
    code, _, message = refusal(alice.create("Bob/m"))
    assert (code, "alice/" in message) == (403, True)


def test_a_token_that_reads_creates_nothing(client, hub):
    code, _, message = refusal(person(client, hub, "alice", "read").create("alice/m"))
    assert (code, "role write" in message) == (403, True)


def test_nobody_creates_anything(nobody):
    assert refusal(nobody.create("alice/m"))[0] == 401


def test_an_administrator_may_create_anywhere_but_nowhere(client, hub, alice):
    admin = person(client, hub, "root", is_admin=True)
    assert admin.create("alice/m").status_code == 200
    assert refusal(admin.create("nobody/m"))[0] == 404
    assert refusal(admin.create("no\0body/m"))[0] == 404


@pytest.mark.parametrize(
    ("role", "may_create", "may_delete"), [("admin", 200, 200), ("write", 200, 403), ("read", 403, 403)]
)
def test_members_of_an_organisation_do_what_their_role_allows(client, hub, alice, role, may_create, may_delete):
    join(hub, "class", "alice", role)
    assert alice.create("class/m").status_code == may_create
    person(client, hub, "root", is_admin=True).create("class/m")
    assert delete(alice, "m", organization="class").status_code == may_delete


def test_names_are_found_whatever_their_case(alice):
    alice.create("alice/Model")
    assert alice.get("/api/models/ALICE/mODEL").json()["id"] == "alice/Model"


def test_a_private_repository_looks_like_a_missing_one(client, hub, alice, bob, nobody):
    join(hub, "class", "alice", "write")
    alice.create("alice/m", private=True)
    alice.create("class/m", private=True)
    for who, code in ((bob, 404), (nobody, 401)):
        missing = refusal(who.get("/api/models/alice/x"))
        hidden = refusal(who.get("/api/models/alice/m"))
        assert hidden == (code, "RepoNotFound", missing[2].replace("alice/x", "alice/m"))
        assert status(who, "class/m") == code
        assert who.get("/api/models").json() == []
        assert who.get("/api/models?search=m&author=alice").json() == []
        assert who.get("/alice/m/resolve/main/README.md").status_code == code
        for path in ("tree/main", "refs", "commits/main", "revision/main", "auth-check"):
            assert who.get(f"/api/models/alice/m/{path}").status_code == code


def test_the_owners_people_see_a_private_repository(client, hub, alice, bob):
    join(hub, "class", "alice", "write")
    join(hub, "class", "bob", "read")
    alice.create("class/m", private=True)
    for who in (alice, bob, person(client, hub, "root", is_admin=True)):
        assert status(who, "class/m") == 200
        assert [found["id"] for found in who.get("/api/models").json()] == ["class/m"]


@pytest.mark.parametrize("repo_id", ["alice/x%00y", "alice/%F0%9F%98%80", "alice/%FF", "a%2Fb/c", "alice/..%2F.."])
def test_an_address_that_is_no_name_is_nothing(alice, repo_id):
    assert refusal(alice.get(f"/api/models/{repo_id}"))[:2] == (404, "RepoNotFound")


def test_a_deleted_repository_is_gone_with_all_that_it_had(alice, hub):
    alice.create("alice/m")
    alice.push("alice/m", {"README.md": b"---\ntags: [x]\n---\n"})
    assert delete(alice, "m", type="model").status_code == 200
    assert status(alice, "alice/m") == 404
    with hub.database.read() as connection:
        for table in (
            tables.refs,
            tables.commits,
            tables.repository_cards,
            tables.repository_tags,
            tables.repository_files,
        ):
            assert connection.scalar(select(func.count()).select_from(table)) == 0


def test_only_the_owner_deletes(alice, bob, nobody):
    alice.create("alice/m")
    assert refusal(delete(bob, "alice/m"))[0] == 403
    assert refusal(delete(nobody, "alice/m"))[0] == 401
    assert refusal(delete(alice, "other"))[:2] == (404, "RepoNotFound")
    assert status(alice, "alice/m") == 200


def test_a_repository_is_renamed(alice):
    alice.create("alice/m")
    head = alice.push("alice/m", {"a": b"1"})
    assert move(alice, "alice/m", "alice/New", type="model").json()["url"] == "http://testserver/alice/New"
    assert alice.get("/api/models/alice/new").json()["sha"] == head
    assert status(alice, "alice/m") == 404


def test_the_case_of_a_name_may_be_changed(alice):
    alice.create("alice/m")
    assert move(alice, "alice/m", "alice/M").status_code == 200
    assert alice.get("/api/models/alice/m").json()["id"] == "alice/M"


def test_a_repository_is_given_to_the_class(hub, alice):
    join(hub, "Class", "alice", "write")
    alice.create("alice/m")
    assert move(alice, "alice/m", "class/m").json()["url"] == "http://testserver/Class/m"
    assert alice.get("/api/models?author=class").json()[0]["id"] == "Class/m"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("alice/m", "alice/other", 409),
        ("alice/m", "bob/m", 403),
        ("alice/m", "alice", 400),
        ("alice/m", "alice/a b", 400),
        ("alice", "alice/x", 400),
        ("alice/x", "alice/y", 404),
    ],
)
def test_a_repository_is_not_moved_where_it_cannot_go(alice, bob, old, new, code):
    alice.create("alice/m")
    alice.create("alice/other")
    assert refusal(move(alice, old, new))[0] == code


def test_somebody_else_moves_nothing(alice, bob):
    alice.create("alice/m")
    assert refusal(move(bob, "alice/m", "bob/m"))[0] == 403


@pytest.mark.parametrize("body", [{"private": True}, {"visibility": "private"}])
def test_a_repository_is_hidden_and_shown(alice, nobody, body):
    alice.create("alice/m")
    assert alice.ask("PUT", "/api/models/alice/m/settings", json=body).json()["private"] is True
    assert status(nobody, "alice/m") == 401
    alice.ask("PUT", "/api/models/alice/m/settings", json={"private": False})
    assert status(nobody, "alice/m") == 200


def test_settings_that_this_hub_does_not_have_change_nothing(alice):
    alice.create("alice/m")
    answer = alice.ask("PUT", "/api/models/alice/m/settings", json={"description": "x", "gated": False})
    assert answer.json() == {"private": False, "visibility": "public"}


def test_nothing_is_gated(alice):
    alice.create("alice/m")
    code, _, message = refusal(alice.ask("PUT", "/api/models/alice/m/settings", json={"gated": "auto"}))
    assert (code, "gated" in message) == (400, True)


def test_only_the_owner_changes_settings(alice, bob):
    alice.create("alice/m")
    assert refusal(bob.ask("PUT", "/api/models/alice/m/settings", json={"private": True}))[0] == 403


def test_access_is_told(alice, bob, nobody):
    alice.create("alice/m")
    answers = [
        who.get(f"/api/models/alice/m/auth-check{kind}").status_code
        for who in (alice, bob, nobody)
        for kind in ("", "/write")
    ]
    assert answers == [200, 200, 200, 403, 200, 403]


def test_every_change_is_an_event(alice, hub):
    alice.create("alice/m")
    alice.commit("alice/m", file_line("a", b"1"))
    alice.commit("alice/m", file_line("a", b"1"))
    alice.post("/api/models/alice/m/tag/main", {"tag": "v1"})
    alice.ask("DELETE", "/api/models/alice/m/tag/v1")
    alice.ask("PUT", "/api/models/alice/m/settings", json={"private": True})
    alice.ask("PUT", "/api/models/alice/m/settings", json={"private": True})
    move(alice, "alice/m", "alice/n")
    delete(alice, "n")
    from rl_hub.events import feed

    with hub.database.read() as connection:
        events = feed.after(connection, 0, 100)
    assert [(event.action, event.scope) for event in events] == [
        ("create", "repo"),
        ("update", "repo.content"),
        ("update", "repo.content"),
        ("update", "repo.content"),
        ("update", "repo.config"),
        ("move", "repo"),
        ("delete", "repo"),
    ]
    assert [ref.ref for event in events for ref in event.updated_refs] == [
        "refs/heads/main",
        "refs/heads/main",
        "refs/tags/v1",
        "refs/tags/v1",
    ]


def test_a_letter_that_only_lowers_to_ascii_names_nothing(alice):
    alice.create("alice/backup")
    answer = alice.get("/api/models/alice/bac%E2%84%AAup/commits/main", params={"limit": 1})
    assert refusal(answer)[:2] == (404, "RepoNotFound")
