"""`git clone` and `git fetch` over HTTP, with the real git."""

import asyncio
import base64
import contextlib
import gzip
import os
import secrets
import shutil
import subprocess
import zlib
from dataclasses import dataclass

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from hub_server import served
from rl_hub.accounts import tokens, users
from rl_hub.database import tables
from rl_hub.errors import BadRequest
from rl_hub.git import history, objects, upload_pack
from rl_hub.hub import Hub
from rl_hub.settings import Settings
from rl_hub.web.api import git as git_api
from rl_hub.web.app import create_app

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

LARGE = os.urandom(6 * 2**20)
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LFS_SKIP_SMUDGE": "1",
}


def git(*arguments, cwd=None, check=True, **environment):
    """Runs git; the result's `stdout` is stripped text."""
    done = subprocess.run(
        ["git", *map(str, arguments)],
        cwd=cwd,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr
    done.stdout = done.stdout.strip()
    return done


@dataclass(frozen=True)
class Repository:
    """A repository of alice's, with a small file in a folder.

    Attributes:
        hub: Where it is.
        api: The client of its owner.
        id: Its name as owner/name.
    """

    hub: Hub
    api: HfApi
    id: str

    @property
    def address(self):
        return f"{self.api.endpoint}/{self.id}"

    @property
    def head(self):
        return self.api.model_info(self.id).sha

    def address_for(self, name, role="read"):
        """The address with a token of somebody."""
        return self.address.replace("//", f"//anybody:{token(self.hub, name, role)}@")

    def commit(self, files, delete=(), **more):
        operations = [CommitOperationAdd(path, content) for path, content in files.items()]
        operations += [CommitOperationDelete(path) for path in delete]
        return self.api.create_commit(self.id, operations, commit_message="Change files", **more).oid


def token(hub, name, role="write"):
    with hub.database.write() as connection:
        user = users.find(connection, name) or users.create(connection, name)
        return tokens.create(connection, user.id, secrets.token_hex(4), role)


@pytest.fixture(scope="module")
def served_hub(tmp_path_factory):
    """A Hub for the tests of this module, and its address."""
    opened = Hub.open(Settings(tmp_path_factory.mktemp("git") / "hub-data"))
    with served(create_app(opened)) as endpoint:
        yield opened, endpoint
    opened.close()


@pytest.fixture
def repository(served_hub):
    opened, endpoint = served_hub
    made = Repository(opened, HfApi(endpoint=endpoint, token=token(opened, "alice")), f"alice/{secrets.token_hex(4)}")
    made.api.create_repo(made.id)
    made.commit({"notes.txt": made.id.encode(), "logs/a/b.txt": b"deep\n"})
    return made


@pytest.fixture
def clone(repository, tmp_path):
    git("clone", repository.address, tmp_path / "clone")
    return tmp_path / "clone"


def objects_in(clone):
    """How many objects git has received."""
    counted = dict(line.split(": ") for line in git("count-objects", "-v", cwd=clone).stdout.splitlines())
    return int(counted["count"]) + int(counted["in-pack"])


# Cloning


def test_a_clone_has_the_files(clone, repository):
    assert (clone / "notes.txt").read_text() == repository.id
    assert (clone / "logs/a/b.txt").read_bytes() == b"deep\n"


def test_the_clones_head_is_the_hubs(clone, repository):
    assert git("rev-parse", "HEAD", cwd=clone).stdout == repository.head
    assert git("symbolic-ref", "HEAD", cwd=clone).stdout == "refs/heads/main"


def test_git_finds_nothing_wrong_with_a_clone(clone):
    done = git("fsck", "--full", "--strict", cwd=clone)

    assert done.stdout + done.stderr == ""


def test_the_history_is_the_hubs(clone, repository):
    hashes = git("log", "--format=%H", cwd=clone).stdout.splitlines()

    assert hashes == [commit.commit_id for commit in repository.api.list_repo_commits(repository.id)]


@pytest.mark.parametrize("version", [0, 1, 2])
def test_every_version_of_the_protocol_is_answered(repository, tmp_path, version):
    git("-c", f"protocol.version={version}", "clone", repository.address, tmp_path / "clone")

    assert (tmp_path / "clone/notes.txt").exists()


def test_a_name_may_end_in_git(repository, tmp_path):
    git("clone", f"{repository.address}.git", tmp_path / "clone")

    assert (tmp_path / "clone/notes.txt").exists()


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_other_kinds_are_cloned_from_their_folder(repository, tmp_path, kind):
    api = repository.api
    api.create_repo("alice/other", repo_type=kind, **({"space_sdk": "static"} if kind == "space" else {}))
    api.upload_file(path_or_fileobj=b"rows", path_in_repo="data.csv", repo_id="alice/other", repo_type=kind)
    git("clone", f"{api.endpoint}/{kind}s/alice/other", tmp_path / "clone")

    assert (tmp_path / "clone/data.csv").read_bytes() == b"rows"


def test_a_new_repository_is_cloned_empty(repository, tmp_path):
    repository.api.create_repo("alice/empty")
    git("clone", f"{repository.api.endpoint}/alice/empty", tmp_path / "clone")

    assert git("rev-parse", "HEAD", cwd=tmp_path / "clone").stdout == repository.api.model_info("alice/empty").sha


def test_branches_and_tags_are_seen(repository, tmp_path):
    repository.api.create_branch(repository.id, branch="feat/x")
    on_branch = repository.commit({"x.txt": b"x"}, revision="feat/x")
    repository.api.create_tag(repository.id, tag="v1.0", revision="main")
    main = repository.head

    listed = git("ls-remote", repository.address).stdout.splitlines()

    assert [line.split("\t") for line in listed] == [
        [main, "HEAD"],
        [on_branch, "refs/heads/feat/x"],
        [main, "refs/heads/main"],
        [main, "refs/tags/v1.0"],
    ]


def test_a_branch_with_its_own_commits_is_cloned(repository, tmp_path):
    repository.api.create_branch(repository.id, branch="feat/x")
    repository.commit({"x.txt": b"x"}, revision="feat/x")
    repository.commit({"y.txt": b"y"})
    git("clone", "--branch", "feat/x", repository.address, tmp_path / "clone")

    assert sorted(path.name for path in (tmp_path / "clone").glob("?.txt")) == ["x.txt"]
    assert git("fsck", "--full", "--strict", cwd=tmp_path / "clone").stderr == ""


def test_a_file_larger_than_a_packet_arrives_whole(repository, tmp_path):
    content = os.urandom(700_000)
    repository.commit({"agent.zip": content})
    git("clone", repository.address, tmp_path / "clone")

    assert (tmp_path / "clone/agent.zip").read_bytes() == content


def test_a_large_file_is_cloned_as_its_pointer(repository, tmp_path):
    repository.commit({"agent.zip": LARGE})
    git("clone", repository.address, tmp_path / "clone")

    pointer = (tmp_path / "clone/agent.zip").read_text().splitlines()
    assert pointer[0] == "version https://git-lfs.github.com/spec/v1"
    assert pointer[2] == f"size {len(LARGE)}"
    assert "agent.zip filter=lfs" in (tmp_path / "clone/.gitattributes").read_text()


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_git_lfs_pulls_a_large_file(repository, tmp_path):
    repository.commit({"agent.zip": LARGE})
    git("clone", repository.address, tmp_path / "clone")
    git("lfs", "install", "--local", cwd=tmp_path / "clone")
    git("lfs", "pull", cwd=tmp_path / "clone")

    assert (tmp_path / "clone/agent.zip").read_bytes() == LARGE


# Fetching


def test_a_fetch_brings_the_new_commit_and_nothing_else(clone, repository):
    before = objects_in(clone)
    new = repository.commit({"logs/a/c.txt": b"new\n"})
    git("pull", cwd=clone)

    assert git("rev-parse", "HEAD", cwd=clone).stdout == new
    # The commit, three folders and the file.
    assert objects_in(clone) - before == 5


def test_a_fetch_with_nothing_new_brings_nothing(clone):
    before = objects_in(clone)
    git("fetch", cwd=clone)

    assert objects_in(clone) == before


def test_a_deleted_file_is_gone_after_a_pull(clone, repository):
    repository.commit({"other.txt": b"x"}, delete=["notes.txt"])
    git("pull", cwd=clone)

    assert not (clone / "notes.txt").exists()


def test_a_fetch_into_a_clone_with_many_own_commits_works(clone, repository):
    """Their names make a request so long that git compresses it, in several rounds."""
    identity = {f"GIT_{who}_{what}": "me" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    stream = "".join(
        f"commit refs/heads/own\ncommitter me <me> {1_000_000_000 + number} +0000\ndata 1\nx\n" for number in range(200)
    )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=clone, input=stream, text=True, check=True)
    before = objects_in(clone)
    new = repository.commit({"new.txt": b"new\n"})
    git("fetch", cwd=clone, **identity)

    assert git("rev-parse", "origin/main", cwd=clone).stdout == new
    assert objects_in(clone) - before == 3


def test_an_unrelated_repository_can_fetch(repository, tmp_path):
    git("init", "--quiet", tmp_path / "own")
    stream = "commit refs/heads/own\ncommitter me <me> 1000000000 +0000\ndata 1\nx\n"
    subprocess.run(["git", "fast-import", "--quiet"], cwd=tmp_path / "own", input=stream, text=True, check=True)
    git("fetch", repository.address, "main", cwd=tmp_path / "own")

    assert "notes.txt" in git("ls-tree", "--name-only", "FETCH_HEAD", cwd=tmp_path / "own").stdout


def test_a_commit_that_is_no_branch_any_more_can_be_fetched(repository, tmp_path):
    old = repository.head
    repository.commit({"new.txt": b"new\n"})
    git("init", "--quiet", tmp_path / "own")
    git("fetch", repository.address, old, cwd=tmp_path / "own")

    assert git("rev-parse", "FETCH_HEAD", cwd=tmp_path / "own").stdout == old


def test_a_clone_can_be_shallow_and_deepened(repository, tmp_path):
    for number in range(4):
        repository.commit({f"{number}.txt": b"x"})
    shallow = tmp_path / "shallow"
    git("clone", "--depth", 2, repository.address, shallow)
    lengths = [len(git("log", "--format=%H", cwd=shallow).stdout.splitlines())]
    repository.commit({"later.txt": b"x"})
    for arguments in (["pull"], ["fetch", "--depth", 4], ["fetch", "--unshallow"]):
        git(*arguments, cwd=shallow)
        lengths.append(len(git("log", "--format=%H", "origin/main", cwd=shallow).stdout.splitlines()))
        assert git("fsck", "--full", "--strict", cwd=shallow).stderr == ""

    assert lengths == [2, 3, 4, 7]


# Who may


def test_a_private_repository_is_cloned_with_a_token(repository, tmp_path):
    repository.api.update_repo_settings(repository.id, private=True)
    git("clone", repository.address_for("alice"), tmp_path / "clone")

    assert (tmp_path / "clone/notes.txt").exists()


@pytest.mark.parametrize("who", ["nobody", "somebody else", "an unknown token"])
def test_a_private_repository_is_not_cloned_otherwise(repository, tmp_path, who):
    repository.api.update_repo_settings(repository.id, private=True)
    address = {
        "nobody": repository.address,
        "somebody else": repository.address_for("bob"),
        "an unknown token": repository.address.replace("//", "//alice:hf_wrong@"),
    }[who]
    done = git("clone", address, tmp_path / "clone", check=False)

    assert done.returncode == 128
    assert not (tmp_path / "clone").exists()


def test_somebody_unknown_is_asked_for_a_token(hub, client):
    answer = client.get("/alice/nothing/info/refs?service=git-upload-pack")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert "sign in" in answer.text


def test_a_token_that_is_not_known_is_refused_with_a_sentence(hub, client):
    credentials = base64.b64encode(b"alice:hf_wrong").decode()
    answer = client.get(
        "/alice/ppo/info/refs?service=git-upload-pack", headers={"Authorization": f"Basic {credentials}"}
    )

    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "text/plain; charset=utf-8")
    assert "not known here" in answer.text


def test_a_push_is_refused_with_what_to_do_instead(clone):
    (clone / "notes.txt").write_text("changed")
    git("-c", "user.name=me", "-c", "user.email=me", "commit", "-am", "change", cwd=clone)
    done = git("push", cwd=clone, check=False)

    assert done.returncode != 0
    assert "remote: git push is not possible: this Hub's git is for reading." in done.stderr


def test_a_repository_that_is_not_there_is_said_not_to_be_there(repository, tmp_path):
    done = git("clone", f"{repository.address_for('alice')}-gone", tmp_path / "clone", check=False)

    assert f'remote: There is no model "{repository.id}-gone" on this Hub' in done.stderr


# Hostile and broken requests


@pytest.fixture
def asked(hub, client):
    """A repository asked without git; takes a body, returns the answer."""
    headers = {"Authorization": f"Bearer {token(hub, 'alice')}"}
    client.post("/api/repos/create", json={"name": "ppo"}, headers=headers)

    def ask(body, **more):
        return client.post("/alice/ppo/git-upload-pack", content=body, headers=more)

    with hub.database.read() as connection:
        ask.sha = connection.scalar(select(tables.repositories.c.sha))
    return ask


def packet(text):
    return f"{len(text) + 4:04x}{text}".encode()


WANT = "want " + "0" * 40 + "\n"


@pytest.mark.parametrize(
    "body",
    [
        b"zzzz",
        b"00",
        b"0003",
        b"ffff" + b"a" * 10,
        packet("want nothing\n"),
        packet("want " + "A" * 40),
        packet("take " + "0" * 40) + b"0000",
        packet("deepen 0\n") + b"0000",
        packet("deepen -1\n") + b"0000",
        packet("deepen 99999999999\n") + b"0000",
        packet("shallow x\n") + b"0000",
        packet(WANT) + b"0000" + packet("have x\n"),
        packet(WANT) + b"0000" + packet("want " + "0" * 40),
        packet(WANT),
        b"",
    ],
)
def test_what_git_would_not_send_is_refused(asked, body):
    answer = asked(body)

    assert (answer.status_code, answer.text) == (400, "This is not a request as git sends it.\n")


LINES = st.lists(st.binary(max_size=50)).map(lambda lines: b"".join(b"%04x" % (len(line) + 4) + line for line in lines))


@given(st.binary(max_size=60) | LINES)
def test_whatever_is_sent_is_read_or_refused(body):
    with contextlib.suppress(BadRequest):
        upload_pack.parse(body)


def test_a_commit_of_another_repository_is_not_given(asked):
    answer = asked(packet(WANT) + b"0000" + packet("done\n"))

    assert answer.content.endswith(packet(f"ERR This repository has no commit {'0' * 40}.\n"))


def test_a_client_without_bands_gets_the_bare_pack(asked):
    answer = asked(packet(f"want {asked.sha}\n") + b"0000" + packet("done\n"))

    assert answer.content.startswith(packet("NAK\n") + b"PACK")


def test_a_client_that_knows_single_answers_only_gets_those(asked):
    want, have = packet(f"want {asked.sha}\n"), packet(f"have {asked.sha}\n")
    unknown = packet(f"have {'0' * 40}\n")
    answer = asked(want + b"0000" + unknown + b"0000" + have + have + b"0000")

    assert answer.content == packet("NAK\n") + packet(f"ACK {asked.sha}\n")


def test_many_questions_are_answered_with_one_walk_through_the_history(asked):
    want = packet(f"want {asked.sha} multi_ack_detailed\n")
    answer = asked(want + b"0000" + packet(f"have {asked.sha}\n") + b"0000" * 1000)

    ready = packet(f"ACK {asked.sha} ready\n") + packet("NAK\n")
    assert answer.content == packet(f"ACK {asked.sha} common\n") + packet("NAK\n") * 999 + ready


def test_a_compressed_request_is_unpacked(asked):
    body = packet(f"want {asked.sha}\n") + b"0000" + packet("done\n")
    answer = asked(gzip.compress(body, mtime=0), **{"Content-Encoding": "gzip"})

    assert answer.content.startswith(packet("NAK\n"))


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (gzip.compress(bytes(2**24), mtime=0), "gzip", 413),
        (bytes(2**23 + 1), "identity", 413),
        (gzip.compress(b"0000", mtime=0) + bytes(2**23), "gzip", 413),
        (b"no gzip", "gzip", 400),
        (gzip.compress(b"0000", mtime=0)[:-4], "gzip", 400),
        (zlib.compress(b"0000"), "deflate", 415),
    ],
)
def test_a_body_that_is_too_large_or_cannot_be_unpacked_is_refused(asked, body, encoding, status):
    assert asked(body, **{"Content-Encoding": encoding}).status_code == status


def test_no_body_is_read_for_a_repository_that_is_not_there(client):
    answer = client.post("/nobody/none/git-upload-pack", content=bytes(2**23 + 1))

    assert answer.status_code == 401


def test_a_request_is_unpacked_and_read_beside_the_event_loop(asked, monkeypatch):
    """8 KB unpack to two million packets: the Hub would answer nobody else meanwhile."""
    threads = []

    def noting(function):
        def note(*arguments):
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop()
                threads.append("event loop")
            return function(*arguments)

        return note

    monkeypatch.setattr(upload_pack, "parse", noting(upload_pack.parse))
    monkeypatch.setattr(git_api, "_unpacked", noting(git_api._unpacked))
    body = packet(f"want {asked.sha}\n") + b"0000" + packet("done\n")

    assert asked(gzip.compress(body, mtime=0), **{"Content-Encoding": "gzip"}).status_code == 200
    assert threads == []


@pytest.mark.parametrize("more", [b"0000" * 1001, packet("have " + "0" * 40 + "\n") * 50_000], ids=["ends", "commits"])
def test_a_request_with_more_packets_than_git_sends_is_not_read_to_its_end(asked, more):
    answer = asked(packet(WANT) + b"0000" + more + b"this would not be understood")

    assert (answer.status_code, answer.text) == (
        413,
        "This request has too many lines. Clone anew instead of fetching.\n",
    )


def test_the_old_protocol_without_a_service_is_refused(asked, client):
    answer = client.get("/alice/ppo/info/refs")

    assert answer.status_code == 400
    assert "smart protocol" in answer.text


@pytest.mark.parametrize("damage", ["commit", "tree", "file", "content gone", "content longer", "content shorter"])
def test_a_damaged_repository_fails_with_a_sentence(repository, tmp_path, damage):
    repository.commit({"agent.zip": os.urandom(100)})
    break_one(repository.hub, repository.head, damage)
    done = git("clone", repository.address, tmp_path / "clone", check=False)

    assert done.returncode != 0
    assert "The Hub's fsck says which." in done.stderr


def break_one(hub, head, damage):
    """Damages a commit, its root folder, or its newest file."""
    if damage in ("commit", "tree"):
        with hub.database.write() as connection:
            tree = connection.scalar(select(tables.commits.c.tree).where(tables.commits.c.sha == head))
            lost = head if damage == "commit" else tree
            connection.execute(delete(tables.git_objects).where(tables.git_objects.c.sha == lost))
        return
    with hub.database.write() as connection:
        newest = select(tables.files).join(tables.blobs).order_by(tables.blobs.c.created_at.desc()).limit(1)
        file = connection.execute(newest).one()
        if damage == "file":
            connection.execute(delete(tables.repository_files).where(tables.repository_files.c.git_oid == file.git_oid))
            connection.execute(delete(tables.files).where(tables.files.c.git_oid == file.git_oid))
    path = hub.blobs.path(file.sha256)
    if damage == "content gone":
        path.unlink()
    elif damage != "file":
        content = path.read_bytes()
        path.write_bytes(content + b"x" if damage == "content longer" else content[:-1])


# What is sent: pure rules


@st.composite
def histories(draw):
    """A history with branches: each commit's parent is an earlier one."""
    size = draw(st.integers(1, 12))
    parents = {"0": None}
    for number in range(1, size):
        parents[str(number)] = draw(st.sampled_from(sorted(parents)))
    return parents


def ancestry(parents, starts, ends=frozenset()):
    found = set()
    for start in starts:
        at = start
        while at is not None and at not in found:
            found.add(at)
            at = None if at in ends else parents[at]
    return found


@given(histories(), st.data())
def test_a_client_ends_up_with_all_that_it_wants(parents, data):
    names = st.sets(st.sampled_from(sorted(parents)))
    wants, common = data.draw(names), data.draw(names)
    selection = history.select(parents, wants, common, frozenset(), None)

    assert set(selection.commits) == ancestry(parents, wants) - ancestry(parents, common)
    assert selection.borders <= ancestry(parents, common)
    assert selection.shallow == selection.unshallow == ()


@given(histories(), st.data(), st.integers(1, 5))
def test_a_shallow_client_ends_up_with_a_history_without_holes(parents, data, depth):
    names = st.sets(st.sampled_from(sorted(parents)), min_size=1)
    wants = data.draw(names)
    first = history.select(parents, wants, [], frozenset(), depth)
    held, shallow = set(first.commits), set(first.shallow)
    later_wants, later_depth = data.draw(names), data.draw(st.none() | st.integers(1, 5))
    later = history.select(parents, later_wants, held, frozenset(shallow), later_depth)
    held |= set(later.commits)
    shallow = (shallow | set(later.shallow)) - set(later.unshallow)

    for sha in held - shallow:
        assert parents[sha] is None or parents[sha] in held
    assert later_wants <= held


@given(histories(), st.data())
def test_wants_are_covered_when_each_descends_from_something_common(parents, data):
    names = st.sets(st.sampled_from(sorted(parents)))
    wants, common = data.draw(names), data.draw(names)

    assert history.covered(parents, wants, common) == all(ancestry(parents, [want]) & common for want in wants)


def test_objects_are_read_a_few_at_a_time():
    assert list(objects.batches([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
    assert list(objects.batches([], 2)) == []
