import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_hub.errors import BadRequest, EntryNotFound
from rl_hub.repositories import tree_editor
from rl_hub.repositories.git_objects import (
    EMPTY_TREE,
    TreeEntry,
    commit_object,
    is_pointer,
    object_id,
    pointer,
    tree_entries,
    tree_object,
)
from rl_hub.repositories.tree_editor import TreeEditor

SHA256 = "ab" * 32


def git(folder, *arguments, data=b""):
    return subprocess.run(["git", "-C", folder, *arguments], input=data, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def git_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("git")
    git(folder, "init", "-q")
    return folder


def oid(content):
    return object_id("blob", content.encode())


class Store:
    """Trees in memory, and an editor on them."""

    def __init__(self, files=()):
        self.trees = {EMPTY_TREE: ()}
        self.root = EMPTY_TREE
        self.loaded = []
        self.edit(*[("add", path, oid(content)) for path, content in dict(files).items()])

    def load(self, sha):
        self.loaded.append(sha)
        return self.trees[sha]

    def edit(self, *operations):
        self.loaded.clear()
        editor = TreeEditor(self.load, self.root)
        for name, *arguments in operations:
            getattr(editor, name)(*arguments)
        self.root, new = editor.write()
        self.trees.update({tree.sha: tree_entries(tree.data) for tree in new})
        return [tree.sha for tree in new]

    def files(self, sha=None, prefix=""):
        found = {}
        for entry in self.trees[sha or self.root]:
            path = prefix + entry.name
            found.update(self.files(entry.oid, f"{path}/") if entry.is_folder else {path: entry.oid})
        return found


def test_ids_of_objects_are_those_of_git(git_folder):
    inner = tree_object([TreeEntry("é", oid("x"), False), TreeEntry("a.b", oid("y"), False)])
    outer = tree_object([TreeEntry("a.b", oid("y"), False), TreeEntry("a", inner.sha, True)])
    commit = commit_object(outer.sha, None, "alice", datetime(2026, 1, 2, tzinfo=UTC), "Zürich", "more\nlines")
    for kind, data in (
        ("blob", b"x"),
        ("blob", b"y"),
        ("tree", inner.data),
        ("tree", outer.data),
        ("commit", commit.data),
    ):
        written = git(git_folder, "hash-object", "-w", "-t", kind, "--stdin", data=data)
        assert written.decode().strip() == object_id(kind, data)
    git(git_folder, "fsck", "--strict", commit.sha)
    assert git(git_folder, "log", "--format=%an|%s|%b", commit.sha).decode() == "alice|Zürich|more\nlines\n\n"


def test_a_tree_is_read_as_it_was_written():
    entries = {TreeEntry("b", oid("x"), False), TreeEntry("b.c", oid("y"), False), TreeEntry("ü", EMPTY_TREE, True)}
    assert set(tree_entries(tree_object(entries).data)) == entries


def test_a_pointer_is_what_git_lfs_writes():
    assert pointer(SHA256, 5) == f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA256}\nsize 5\n".encode()


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (pointer(SHA256, 5), True),
        (b"\n" + pointer(SHA256, 5), True),
        (b"version https://hawser.github.com/spec/v1\n", True),
        (b"version 1.0", False),
        (pointer(SHA256, 5) + b"x" * 1024, False),
    ],
)
def test_a_pointer_is_recognised(content, answer):
    assert is_pointer(content) is answer


def test_only_the_folders_on_the_way_to_a_change_are_read_and_written():
    store = Store({"a/b/c": "1", "a/d/e": "2", "f/g": "3"})
    written = store.edit(("add", "a/b/c", oid("new")))
    assert len(written) == 3
    assert len(store.loaded) == 3


def test_adding_what_is_there_changes_nothing():
    store = Store({"a/b": "1"})
    root = store.root
    assert store.edit(("add", "a/b", oid("1"))) == []
    assert store.root == root


def test_a_folder_in_which_nothing_changes_stays_as_it_is():
    store = Store({"a/b": "1", "c": "2"})
    assert store.edit(("add", "a/b", oid("1")), ("add", "c", oid("3"))) == [store.root]


def test_a_folder_that_becomes_empty_is_gone():
    store = Store({"a/b/c": "1", "d": "2"})
    store.edit(("delete_file", "a/b/c"))
    assert [entry.name for entry in store.trees[store.root]] == ["d"]


def test_a_repository_may_become_empty():
    store = Store({"a": "1"})
    store.edit(("delete_file", "a"))
    assert store.root == EMPTY_TREE


def test_a_file_may_take_the_place_of_a_deleted_folder():
    store = Store({"a/b": "1"})
    store.edit(("delete_folder", "a"), ("add", "a", oid("2")))
    assert store.files() == {"a": oid("2")}


def test_a_file_may_take_the_place_of_a_folder_whose_files_are_all_deleted():
    store = Store({"a/b/c": "1"})
    store.edit(("delete_file", "a/b/c"), ("add", "a", oid("2")))
    assert store.files() == {"a": oid("2")}


def test_a_folder_has_no_more_entries_than_are_written_in_reasonable_time(monkeypatch):
    monkeypatch.setattr(tree_editor, "_MOST_ENTRIES", 2)
    store = Store({"a/b": "1", "a/c": "2"})
    with pytest.raises(BadRequest, match='"a/" would have 3 entries; 2 are allowed'):
        store.edit(("add", "a/d", oid("3")))


def test_a_commit_opens_no_more_folders_than_are_written_in_reasonable_time(monkeypatch):
    monkeypatch.setattr(tree_editor, "_MOST_FOLDERS", 3)
    with pytest.raises(BadRequest, match="3 folders"):
        Store({"a/b/c/d": "1"})


@pytest.mark.parametrize(
    "operations",
    [
        [("add", "x", oid("1")), ("add", "x", oid("1"))],
        [("add", "a/x", oid("1")), ("delete_file", "a/x")],
        [("add", "a/x", oid("1")), ("delete_folder", "a")],
        [("add", "a", oid("1"))],
        [("add", "a/b/c/d", oid("1"))],
        [("add", "A", oid("1"))],
        [("add", "A/x", oid("1"))],
        [("add", "a/B", oid("1"))],
        [("add", "a/STRASSE", oid("1"))],
        [("add", "new", oid("1")), ("add", "NEW", oid("1"))],
    ],
)
def test_what_cannot_be_together_in_a_clone_is_refused(operations):
    store = Store({"a/b": "1", "a/straße": "2"})
    with pytest.raises(BadRequest):
        store.edit(*operations)


@pytest.mark.parametrize(
    "operation",
    [
        ("delete_file", "x"),
        ("delete_file", "a"),
        ("delete_file", "a/b/c"),
        ("delete_file", ""),
        ("delete_folder", "x"),
        ("delete_folder", "a/b"),
        ("delete_folder", "x/y/z"),
        ("delete_folder", ""),
    ],
)
def test_only_what_is_there_can_be_deleted(operation):
    store = Store({"a/b": "1"})
    with pytest.raises(EntryNotFound):
        store.edit(operation)


def test_a_name_of_another_case_may_replace_one_that_is_deleted():
    store = Store({"readme.md": "1"})
    store.edit(("delete_file", "readme.md"), ("add", "README.md", oid("1")))
    assert store.files() == {"README.md": oid("1")}


names = st.sampled_from("ab")
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
operations = st.lists(
    st.tuples(st.just("add"), paths, st.sampled_from(["1", "2"]).map(oid))
    | st.tuples(st.sampled_from(["delete_file", "delete_folder"]), paths),
    max_size=4,
)


@settings(max_examples=200)
@given(st.lists(operations, max_size=4))
def test_a_tree_holds_what_operations_say_one_after_the_other(commits):
    store, files = Store(), {}
    for commit in commits:
        wanted = dict(files)
        for name, path, *rest in commit:
            if name == "add":
                wanted[path] = rest[0]
            else:
                gone = [each for each in wanted if each == path or each.startswith(f"{path}/")]
                for each in gone:
                    del wanted[each]
        try:
            store.edit(*commit)
        except (BadRequest, EntryNotFound):
            continue
        files = wanted
        assert store.files() == files


def test_the_id_of_a_tree_does_not_depend_on_its_history():
    long_way = Store({"a/b": "1", "c": "2"})
    long_way.edit(("delete_file", "c"), ("add", "a/d", oid("3")))
    assert long_way.root == Store({"a/d": "3", "a/b": "1"}).root
