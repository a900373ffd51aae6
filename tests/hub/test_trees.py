"""Folders, files and history of a revision."""

import hashlib

import pytest
from starlette.testclient import TestClient

import kept_hub
from hub_requests import deleted_file_line, file_line, person, refusal
from rl_hub.errors import RevisionNotFound
from rl_hub.hub import Hub
from rl_hub.repositories import history, last_commits, trees
from rl_hub.settings import Limits, Settings
from rl_hub.web.app import create_app

FILES = {"README.md": b"# Hi", "a/b/c.txt": b"1", "a/d.txt": b"22", "a.txt": b"333", "a b/ü.txt": b"4"}

kept_client, hub, client = kept_hub.fixtures()


@pytest.fixture
def alice(client, hub):
    alice = person(client, hub, "alice")
    alice.create("alice/m")
    return alice


def tree(who, path="", revision="main", **query):
    return who.get(f"/api/models/alice/m/tree/{revision}{path}", params=query)


def shown(answer):
    return [(entry["type"], entry["path"], entry["size"]) for entry in answer.json()]


def follow(who, answer):
    """All entries of this page and of those after it."""
    entries = answer.json()
    while "next" in answer.links:
        answer = who.get(answer.links["next"]["url"])
        entries += answer.json()
    return entries


def test_a_folder_has_files_and_folders(alice):
    alice.push("alice/m", FILES)
    assert shown(tree(alice)) == [
        ("file", "README.md", 4),
        ("directory", "a", 0),
        ("directory", "a b", 0),
        ("file", "a.txt", 3),
    ]
    assert shown(tree(alice, "/a")) == [("directory", "a/b", 0), ("file", "a/d.txt", 2)]


@pytest.mark.parametrize("path", ["/a/b", "/a%2Fb", "/a/b/"])
def test_an_inner_folder_may_be_asked_for_in_any_spelling(alice, path):
    alice.push("alice/m", FILES)
    assert shown(tree(alice, path)) == [("file", "a/b/c.txt", 1)]


def test_all_of_it_is_listed_with_each_folder_before_what_is_in_it(alice):
    alice.push("alice/m", FILES)
    found = [entry["path"] for entry in tree(alice, recursive="true").json()]
    assert found == ["README.md", "a", "a/b", "a/b/c.txt", "a/d.txt", "a b", "a b/ü.txt", "a.txt"]


def test_ids_are_those_of_git(alice):
    alice.push("alice/m", {"a": b"hello"})
    (entry,) = tree(alice).json()
    assert entry["oid"] == hashlib.sha1(b"blob 5\0hello").hexdigest()


@pytest.mark.parametrize("path", ["/x", "/README.md", "/a/x", "/a/d.txt/x", "/..", "/a/../a"])
def test_a_folder_that_is_not_there_is_not_found(alice, path):
    alice.push("alice/m", FILES)
    assert refusal(tree(alice, path.replace("..", "%2E%2E")))[:2] == (404, "EntryNotFound")


def test_an_empty_repository_has_nothing(alice):
    assert tree(alice).json() == []


@pytest.mark.parametrize("recursive", ["true", "false"])
def test_pages_together_are_the_whole(alice, recursive):
    alice.push("alice/m", {f"d{number}/f": b"x" for number in range(7)})
    whole = tree(alice, recursive=recursive).json()
    assert follow(alice, tree(alice, recursive=recursive, limit="3")) == whole
    assert len(tree(alice, recursive=recursive, limit="3").json()) == 3


def test_a_page_follows_the_one_before_though_the_branch_has_moved(alice):
    alice.push("alice/m", {f"d/{number}": b"x" for number in range(4)})
    first = tree(alice, "/d", limit="2")
    alice.commit("alice/m", deleted_file_line("d/0"), file_line("d/9", b"x"))
    assert [entry["path"] for entry in follow(alice, first)] == ["d/0", "d/1", "d/2", "d/3"]


@pytest.mark.parametrize("query", [{"limit": "x"}, {"cursor": "-1"}, {"cursor": "9" * 10}, {"limit": "٣"}])
def test_a_page_that_makes_no_sense_is_refused(alice, query):
    assert refusal(tree(alice, **query))[0] == 400


def test_a_cursor_behind_the_end_is_an_empty_page(alice):
    alice.push("alice/m", FILES)
    assert tree(alice, cursor="1000").json() == []


def test_pages_are_no_longer_than_the_hub_allows(tmp_path):
    hub = Hub.open(Settings(tmp_path / "small", limits=Limits(page_size=2)))
    with TestClient(create_app(hub)) as client:
        alice = person(client, hub, "alice")
        alice.create("alice/m")
        alice.push("alice/m", FILES)
        assert len(tree(alice, limit="100").json()) == 2
        assert len(follow(alice, tree(alice))) == 4
        assert len(alice.get("/api/models/alice/m/commits/main").json()) == 2
    hub.close()


def test_every_entry_names_the_commit_that_changed_it_last(alice):
    first = alice.push("alice/m", {"a/x": b"1", "a/y": b"1", "b": b"1"})
    second = alice.push("alice/m", {"a/x": b"2"})
    alice.push("alice/m", {"c": b"1"})
    alice.commit("alice/m", deleted_file_line("c"))
    found = tree(alice, recursive="true", expand="true").json()
    assert {entry["path"]: entry["lastCommit"]["id"] for entry in found} == {
        "a": second,
        "a/x": second,
        "a/y": first,
        "b": first,
    }
    assert {entry["lastCommit"]["title"] for entry in found} == {"a commit"}


def test_what_has_not_changed_for_long_has_no_last_commit(alice, monkeypatch):
    monkeypatch.setattr(last_commits, "_MOST_COMMITS", 2)
    for number in range(3):
        alice.push("alice/m", {"a": b"1", "b": b"%d" % number})
    assert ["lastCommit" in entry for entry in tree(alice, expand="true").json()] == [False, True]


@pytest.fixture
def read_trees(monkeypatch):
    """The ids of the trees that are asked for."""
    read = []
    load = trees.load
    monkeypatch.setattr(trees, "load", lambda connection, shas: read.extend(shas) or load(connection, shas))
    return read


def test_a_folder_is_read_once_however_many_paths_are_in_it(alice, read_trees):
    alice.push("alice/m", {f"d/{number}": b"x" for number in range(20)})
    read_trees.clear()
    assert len(paths_info(alice, [f"d/{number}" for number in range(20)]).json()) == 20
    assert len(read_trees) == 2


def test_an_unchanged_folder_is_read_once_however_many_commits_are_looked_at(alice, read_trees):
    alice.push("alice/m", {f"d/{number}": b"x" for number in range(20)})
    for number in range(5):
        alice.push("alice/m", {f"other/{number}": b"x"})
    read_trees.clear()
    assert all("lastCommit" in entry for entry in tree(alice, "/d", expand="true").json())
    # The folder, and the root of each commit but the first, whose folder is not there any more.
    assert len(read_trees) <= 2 + 1 + 7


def test_a_look_back_ends_when_it_has_read_enough(alice, read_trees, monkeypatch):
    monkeypatch.setattr(last_commits, "_MOST_WORK", 200)
    for number in range(9):
        alice.push("alice/m", {"a": b"1", "b": b"%d" % number})
    read_trees.clear()
    tree(alice, expand="true")
    assert len(read_trees) <= 1 + 4


def test_pages_with_commits_are_short(alice):
    alice.push("alice/m", {f"f{number}": b"x" for number in range(60)})
    assert len(tree(alice, expand="true").json()) == 50
    assert len(follow(alice, tree(alice, expand="true"))) == 60


def paths_info(who, paths, **more):
    return who.ask("POST", "/api/models/alice/m/paths-info/main", data={"paths": paths, **more})


def test_paths_are_looked_up_and_missing_ones_left_out(alice):
    alice.push("alice/m", FILES)
    answer = paths_info(alice, ["a", "nothing", "a/d.txt", "a b/ü.txt", "a/d.txt", "a/b/", "a.txt/x"])
    assert [entry["path"] for entry in answer.json()] == ["a", "a/d.txt", "a b/ü.txt", "a/b"]


def test_paths_may_be_asked_for_in_json(alice):
    head = alice.push("alice/m", FILES)
    answer = alice.post("/api/models/alice/m/paths-info/main", {"paths": ["a.txt"], "expand": True})
    assert answer.json()[0]["lastCommit"]["id"] == head


def test_paths_are_shown_with_their_last_commits(alice):
    head = alice.push("alice/m", FILES)
    assert paths_info(alice, ["a"], expand="True").json()[0]["lastCommit"]["id"] == head


@pytest.mark.parametrize("body", [{}, {"paths": "a"}, {"paths": [1]}])
def test_paths_have_to_be_a_list(alice, body):
    assert refusal(alice.post("/api/models/alice/m/paths-info/main", body))[0] == 400


def test_too_many_paths_are_refused(alice):
    assert refusal(paths_info(alice, ["a"] * 1001))[0] == 413


def test_no_path_is_no_answer(alice):
    assert paths_info(alice, []).json() == []


def test_a_commit_that_is_not_there_is_not_found(alice, hub):
    with hub.database.read() as connection, pytest.raises(RevisionNotFound):
        history.get(connection, 1, "0" * 40)


def test_history_goes_back_to_the_first_commit(alice):
    head = alice.push("alice/m", {"a": b"1"})
    alice.commit("alice/m", file_line("a", b"2"), summary="<b>Two</b>", description="more")
    answer = alice.get("/api/models/alice/m/commits/main")
    newest, second, first = answer.json()
    assert (newest["title"], newest["message"], newest["authors"]) == ("<b>Two</b>", "more", [{"user": "alice"}])
    assert (second["id"], first["title"]) == (head, "initial commit")
    assert answer.headers["X-Total-Count"] == "3"


@pytest.mark.parametrize("name", ["expand", "expand[]"])
def test_history_is_shown_as_html_that_is_safe(alice, name):
    alice.commit("alice/m", file_line("a", b"2"), summary="<b>Two</b>")
    (newest, _) = alice.get("/api/models/alice/m/commits/main", params={name: "formatted"}).json()
    assert newest["formatted"] == {"title": "&lt;b&gt;Two&lt;/b&gt;", "message": ""}


def test_pages_of_history_together_are_the_whole(alice):
    for number in range(5):
        alice.push("alice/m", {"a": b"%d" % number})
    alice.post("/api/models/alice/m/branch/dev", {})
    alice.commit("alice/m", file_line("b", b"1"), revision="dev")
    alice.push("alice/m", {"a": b"end"})
    whole = alice.get("/api/models/alice/m/commits/main").json()
    assert follow(alice, alice.get("/api/models/alice/m/commits/main?limit=2")) == whole
    assert len(whole) == 7


def test_trees_that_nobody_asks_for_are_not_kept(monkeypatch):
    monkeypatch.setattr(trees, "_KEPT_ENTRIES", 10)
    monkeypatch.setattr(trees, "_LARGEST_KEPT", 5)
    kept = trees._KeptTrees()
    for number in range(10):
        kept.keep({f"tree {number}": ("entry",) * 3})
    kept.keep({"large": ("entry",) * 6, "tree 9": ("entry",) * 3})
    assert set(kept.find([*[f"tree {number}" for number in range(10)], "large"])) == {"tree 8", "tree 9"}
    assert kept._entries == 8


def test_a_folder_of_thousands_is_listed(alice, monkeypatch):
    monkeypatch.setattr(trees, "_ASKED_AT_ONCE", 7)
    alice.push("alice/m", {f"d{number}/f": b"%d" % number for number in range(30)})
    assert len(alice.files("alice/m")) == 30
