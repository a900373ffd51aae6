"""Checks: each kind of damage is found and named, and a sound Hub has none."""

import contextlib
import hashlib
import shutil

import pytest
from sqlalchemy import delete, insert, select, text, update

from filled_hub import CARD, owner
from rl_hub.cli import main
from rl_hub.commands.maintenance import Percent
from rl_hub.database import tables
from rl_hub.errors import CommandError
from rl_hub.hub import Hub
from rl_hub.maintenance import findings, fsck
from rl_hub.maintenance.exclusion import maintenance
from rl_hub.settings import Settings

NOWHERE = "0" * 40
WEIGHTS = b"large weights"
LOG = b"a log"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """The folder of a Hub with a card, a regular file in a folder, and a large file; and the repository."""
    data = tmp_path_factory.mktemp("template") / "hub"
    with contextlib.closing(Hub.open(Settings(data))) as hub:
        ada = owner(hub)
        repository = ada.repository(**{"README.md": CARD, "logs/log.txt": LOG})
        return data, ada.commit(repository, large={"weights.bin": ada.upload(repository, WEIGHTS)})


@pytest.fixture
def hub(template, tmp_path):
    """A copy that may be damaged."""
    data = shutil.copytree(template[0], tmp_path / "hub")
    with contextlib.closing(Hub.open(Settings(data))) as opened:
        yield opened


@pytest.fixture
def agent(template):
    return template[1]


def change(hub, *statements):
    """Changes rows as no Hub would, with references unchecked."""
    with hub.database.write() as connection:
        # Takes effect outside a transaction only.
        connection.connection.driver_connection.rollback()
        connection.execute(text("PRAGMA foreign_keys=OFF"))
        for statement in statements:
            connection.execute(statement)
        connection.connection.driver_connection.commit()
        connection.execute(text("PRAGMA foreign_keys=ON"))


def found(hub):
    """The kinds and sentences of all problems."""
    return [(problem.kind, problem.sentence) for problem in fsck.check(hub).problems]


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_a_sound_hub_has_no_problem(hub, agent):
    report = fsck.check(hub)

    assert report.is_clean
    assert report.problems == ()
    assert report.garbage == {}
    assert report.checked == {
        "tables": len(tables.metadata.tables),
        "git objects": 7,
        "commits": 3,
        "repositories": 1,
        "cards": 1,
        "contents of files": 4,  # with .gitattributes
    }


def test_an_empty_hub_has_no_problem(tmp_path):
    with contextlib.closing(Hub.open(Settings(tmp_path))) as hub:
        assert fsck.check(hub).is_clean


def test_a_content_with_a_changed_byte_is_found(hub, agent):
    hub.blobs.path(sha256(WEIGHTS)).write_bytes(WEIGHTS.replace(b"l", b"L"))

    assert [(problem.kind, problem.what) for problem in fsck.check(hub).problems] == [("blob", sha256(WEIGHTS))]


def test_a_missing_content_is_found(hub, agent):
    hub.blobs.path(sha256(WEIGHTS)).unlink()

    assert found(hub) == [("blob", "The content is missing on the disk.")]


def test_a_content_that_cannot_be_read_is_found(hub, agent):
    hub.blobs.path(sha256(LOG)).unlink()
    hub.blobs.path(sha256(LOG)).mkdir()

    assert found(hub) == [("blob", "The content cannot be read: Is a directory.")]


def test_a_wrong_size_is_found(hub, agent):
    change(hub, update(tables.blobs).where(tables.blobs.c.sha256 == sha256(LOG)).values(size=99))

    assert found(hub) == [("blob", f"The database says 99 bytes, but there are {len(LOG)}.")]


@pytest.mark.parametrize("lfs", [True, False])
def test_a_file_with_another_content_than_its_id_says_is_found(hub, agent, lfs):
    files = tables.files.c
    other = sha256(CARD)
    change(hub, update(tables.files).where(files.lfs == lfs, files.sha256 != other).values(sha256=other))

    assert {kind for kind, _ in found(hub)} == {"file"}


def test_a_large_file_that_is_said_to_be_regular_is_found(hub, agent):
    change(hub, update(tables.files).values(lfs=False))

    assert [kind for kind, _ in found(hub)] == ["file"]


def test_a_changed_commit_is_found(hub, agent):
    objects = tables.git_objects.c
    change(hub, update(tables.git_objects).where(objects.sha == agent.sha).values(data=b"tree " + NOWHERE.encode()))

    assert found(hub) == [
        ("commit", "This commit has changed: its content has another id."),
        ("commit", "Its git object names another tree or parent than the database does."),
    ]


def test_a_commit_that_cannot_be_read_is_found(hub, agent):
    objects = tables.git_objects.c
    change(hub, update(tables.git_objects).where(objects.sha == agent.sha).values(data=b"no commit"))

    assert ("commit", "Its git object names another tree or parent than the database does.") in found(hub)


def test_a_commit_row_with_another_parent_is_found(hub, agent):
    commits = tables.commits.c
    change(hub, update(tables.commits).where(commits.sha == agent.sha).values(parent=NOWHERE))

    assert found(hub) == [
        ("commit", "Its git object names another tree or parent than the database does."),
        ("commit", f"The commit before it, {NOWHERE}, is missing."),
    ]


def test_a_missing_commit_object_is_found(hub, agent):
    change(hub, delete(tables.git_objects).where(tables.git_objects.c.sha == agent.sha))

    assert found(hub) == [("commit", "Its git object is missing.")]


def tree_of(hub, repository):
    with hub.database.read() as connection:
        return connection.scalar(select(tables.commits.c.tree).where(tables.commits.c.sha == repository.sha))


def test_a_missing_folder_is_found(hub, agent):
    change(hub, delete(tables.git_objects).where(tables.git_objects.c.sha == tree_of(hub, agent)))

    assert found(hub) == [("tree", "A commit reaches this folder, but it is missing or cannot be read.")]


def test_a_damaged_folder_is_found(hub, agent):
    objects = tables.git_objects.c
    change(hub, update(tables.git_objects).where(objects.sha == tree_of(hub, agent)).values(data=b"40000 logs"))

    assert found(hub) == [
        ("tree", "This tree has changed: its content has another id."),
        ("tree", "A commit reaches this folder, but it is missing or cannot be read."),
    ]


def test_a_file_without_a_content_is_found(hub, agent):
    unknown = tables.files.c.sha256 == sha256(LOG)
    oid = select(tables.files.c.git_oid).where(unknown).scalar_subquery()
    change(
        hub,
        delete(tables.repository_files).where(tables.repository_files.c.git_oid == oid),
        delete(tables.files).where(unknown),
    )

    assert found(hub) == [("file", "A commit names this file, but nothing is known of its content.")]


def test_a_file_that_is_not_counted_as_the_repositorys_is_found(hub, agent):
    change(hub, delete(tables.repository_files))

    assert set(found(hub)) == {("file", "A commit names this file, but it is not counted as the repository's.")}


def test_a_branch_without_its_commit_is_found(hub, agent):
    change(hub, insert(tables.refs).values(repository_id=agent.id, kind="tag", name="v1", sha=NOWHERE))

    (problem,) = fsck.check(hub).problems

    assert (problem.kind, problem.what) == ("tag", "v1 of ada/agent")


def test_a_head_that_is_not_its_main_branch_is_found(hub, agent):
    change(hub, update(tables.repositories).values(sha=NOWHERE))

    assert ("repository", f"Its head is said to be {NOWHERE}, but its branch main is at {agent.sha}.") in found(hub)


def test_a_repository_without_a_main_branch_is_found(hub, agent):
    change(hub, delete(tables.refs))

    assert [kind for kind, _ in found(hub)] == ["repository"]


def test_a_row_that_refers_to_nothing_is_found(hub, agent):
    change(hub, insert(tables.repository_tags).values(repository_id=99, tag="lost", last_modified=agent.last_modified))

    (problem,) = fsck.check(hub).problems

    assert problem == findings.Problem(
        "repository_tags", "99 lost", "It refers to a row of repositories that is not there."
    )


def test_commits_of_a_repository_that_is_gone_are_found(hub, agent):
    change(hub, delete(tables.repositories))

    assert ("commits", "It refers to a row of repositories that is not there.") in found(hub)


def test_a_ref_of_a_repository_that_is_gone_is_named_by_its_number(hub, agent):
    change(hub, delete(tables.repositories), delete(tables.commits))

    assert f"main of repository {agent.id}" in [problem.what for problem in fsck.check(hub).problems]


@pytest.mark.parametrize("payload", ["{", "[" * 100_000])
def test_an_event_that_is_not_json_is_found(hub, agent, payload):
    change(hub, insert(tables.events).values(id=99, created_at=agent.created_at, payload=payload))

    assert found(hub) == [("events", "Its payload is not JSON.")]


def test_a_repository_that_is_not_found_by_its_name_is_found(hub, agent):
    change(hub, update(tables.repositories).values(key="ada/other"))

    assert found(hub) == [("repository", "It is not found under its owner's name and its own.")]


def test_an_account_that_is_not_found_by_its_name_is_found(hub):
    change(hub, update(tables.accounts).values(key="somebody"))

    assert found(hub) == [("account", "It is not found under its name.")]


@pytest.mark.parametrize(
    "statement",
    [
        update(tables.repository_cards).values(library_name="other"),
        update(tables.repository_cards).values(tags='["other"]'),
        delete(tables.repository_cards),
        delete(tables.repository_tags),
        update(tables.repository_tags)
        .values(last_modified=tables.repositories.c.created_at)
        .where(tables.repositories.c.id == tables.repository_tags.c.repository_id),
    ],
    ids=["library", "tags", "no card", "no tags", "time of tags"],
)
def test_a_card_that_listings_know_otherwise_is_found(hub, agent, statement):
    change(hub, statement)

    assert [kind for kind, _ in found(hub)] == ["card"]


def test_a_card_whose_content_is_missing_is_found_once(hub, agent):
    hub.blobs.path(sha256(CARD)).unlink()

    assert [kind for kind, _ in found(hub)] == ["blob"]


def test_unreachable_damage_is_garbage_only(hub, agent):
    """A clean-up that was killed may leave a folder whose files are gone."""
    change(hub, insert(tables.git_objects).values(sha=tree_id(LOST_TREE), kind="tree", data=LOST_TREE))

    report = fsck.check(hub)

    assert report.problems == ()
    assert report.garbage == {"git objects": 1}


LOST_TREE = b"100644 gone.txt\0" + bytes(20)


def tree_id(data):
    return hashlib.sha1(b"tree %d\0" % len(data) + data).hexdigest()


def test_a_database_that_cannot_be_read_is_said(hub, agent):
    with hub.database.write() as connection:
        connection.execute(text("DROP TABLE refs"))

    (problem,) = fsck.check(hub).problems

    assert problem.kind == "database"
    assert "no such table" in problem.sentence


def test_a_damaged_page_of_the_database_is_found(hub, agent):
    with hub.database.read() as connection:
        root = text("SELECT rootpage FROM sqlite_master WHERE name = 'ix_files_sha256'")
        start = (connection.scalar(root) - 1) * connection.scalar(text("PRAGMA page_size"))
    hub.close()  # what is in its memory would be right still
    file = hub.settings.data / "hub.sqlite"
    pages = file.read_bytes()
    place = pages.index(sha256(LOG).encode(), start)
    file.write_bytes(pages[:place] + b"x" + pages[place + 1 :])

    assert "database" in [kind for kind, _ in found(hub)]


def test_of_a_million_problems_the_first_are_listed(hub, agent, monkeypatch):
    monkeypatch.setattr(findings, "MOST_PROBLEMS", 1)
    change(hub, delete(tables.repository_files))

    report = fsck.check(hub)

    assert (len(report.problems), report.more) == (1, 3)
    assert not report.is_clean


def test_a_check_waits_for_no_other_maintenance(hub):
    with maintenance(hub.settings.data), pytest.raises(CommandError, match="Try again"):
        fsck.check(hub)


def test_the_command_says_that_all_is_well(hub, agent, capsys):
    assert main(["--data", str(hub.settings.data), "fsck"]) == 0

    assert capsys.readouterr().out.splitlines()[-1] == "Nothing is damaged."


def test_the_command_names_what_is_damaged(hub, agent, capsys, monkeypatch):
    monkeypatch.setattr(findings, "MOST_PROBLEMS", 1)
    hub.blobs.path(sha256(WEIGHTS)).unlink()
    hub.blobs.path(sha256(LOG)).unlink()
    change(hub, insert(tables.git_objects).values(sha=tree_id(LOST_TREE), kind="tree", data=LOST_TREE))

    assert main(["--data", str(hub.settings.data), "fsck"]) == 1

    out = capsys.readouterr().out
    assert "The content is missing on the disk." in out
    assert "There are 1 more problems like these." in out
    assert "Garbage, which gc removes: 1 git objects." in out
    assert out.endswith("This Hub is damaged.\n")


def test_a_folder_that_is_no_hub_is_not_made_one(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "typo"), "fsck"]) == 2

    assert "There is no Hub in" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()


class Terminal:
    def __init__(self, is_a_tty=True):
        self.is_a_tty = is_a_tty
        self.written = []

    def isatty(self):
        return self.is_a_tty

    def write(self, text):
        self.written.append(text)

    def flush(self):
        pass


def test_progress_is_shown_in_one_line():
    terminal = Terminal()
    progress = Percent(terminal)

    for done in (1, 2, 2, 3):
        progress("files", done, 3)
    progress("none", 0, 0)
    progress.close()

    assert terminal.written == [
        "\rfiles: 33 %",
        "\rfiles: 66 %",
        "\rfiles: 100 %",
        "\rnone: 0 %   ",
        "\r         \r",
    ]


def test_progress_is_not_shown_where_nobody_looks_on():
    terminal = Terminal(is_a_tty=False)
    progress = Percent(terminal)

    progress("files", 1, 3)
    progress.close()

    assert terminal.written == []
