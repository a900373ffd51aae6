"""What a student sees: the unmodified client against a Hub that is really served."""

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi, HfFileSystem
from huggingface_hub.errors import HfHubHTTPError, RemoteEntryNotFoundError, RepositoryNotFoundError

from hub_requests import file_line, header_line, ndjson

CARD = "---\ntags: [CartPole-v1]\n---\n# An agent\n"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def alice(live_hub):
    api = HfApi(live_hub.endpoint, live_hub.user("alice"))
    api.create_repo("alice/m")
    return api


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "agent"
    (folder / "logs").mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    (folder / "logs" / "a b.txt").write_text("ünï")
    return folder


def test_a_folder_comes_back_as_it_was(alice, folder):
    alice.upload_folder(repo_id="alice/m", folder_path=folder)
    (snapshot,) = {alice.snapshot_download("alice/m") for _ in range(2)}
    assert {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")} == {
        path.relative_to(snapshot): path.read_bytes() for path in type(folder)(snapshot).rglob("*.*")
    }


def test_a_file_replaces_another_and_is_found_by_its_tag(alice, folder):
    alice.upload_folder(repo_id="alice/m", folder_path=folder)
    alice.upload_folder(repo_id="alice/m", folder_path=folder / "logs", delete_patterns="*.md", path_in_repo="")
    assert alice.list_repo_files("alice/m") == ["a b.txt", "logs/a b.txt"]
    assert list(alice.list_models(filter="CartPole-v1")) == []


def test_files_are_copied_moved_and_deleted(alice):
    operations = [CommitOperationAdd("a.txt", b"1"), CommitOperationAdd("dir/b.txt", b"2")]
    alice.create_commit("alice/m", operations, commit_message="add")
    operations = [CommitOperationCopy("a.txt", "c.txt"), CommitOperationDelete("a.txt"), CommitOperationDelete("dir/")]
    alice.create_commit("alice/m", operations, commit_message="move")
    assert alice.list_repo_files("alice/m") == ["c.txt"]


def test_a_file_system_reads_and_writes(alice):
    files = HfFileSystem(endpoint=alice.endpoint, token=alice.token)
    with files.open("alice/m/dir/a.txt", "wb") as file:
        file.write(b"hello")
    assert files.ls("alice/m/dir", detail=False) == ["alice/m/dir/a.txt"]
    assert files.cat("alice/m/dir/a.txt") == b"hello"
    assert files.info("alice/m/dir/a.txt", expand_info=True)["last_commit"].title.startswith("Upload dir/a.txt")
    files.rm("alice/m/dir/a.txt")
    assert not files.exists("alice/m/dir")


@pytest.mark.parametrize("name", ["nul.txt", "a:b", "x" * 300])
def test_a_name_that_cannot_be_kept_is_refused_with_the_reason(alice, name):
    with pytest.raises(HfHubHTTPError, match="Rename the file"):
        alice.upload_file(path_or_fileobj=b"x", path_in_repo=name, repo_id="alice/m")


def test_names_that_differ_by_case_are_refused_with_both(alice):
    alice.upload_file(path_or_fileobj=b"x", path_in_repo="Readme.txt", repo_id="alice/m")
    with pytest.raises(HfHubHTTPError, match=r'"README\.txt" and "Readme.txt" are the same name'):
        alice.upload_file(path_or_fileobj=b"y", path_in_repo="README.txt", repo_id="alice/m")


def test_whoever_pushes_to_somebody_else_hears_whose_namespace_is_whose(alice, live_hub):
    bob = HfApi(live_hub.endpoint, live_hub.user("bob"))
    with pytest.raises(HfHubHTTPError, match=r"bob may not write to alice/m.*Your own begins with bob/"):
        bob.upload_file(path_or_fileobj=b"x", path_in_repo="a", repo_id="alice/m")


def test_an_invalid_card_is_refused_with_the_place_of_the_error(alice):
    with pytest.raises(ValueError, match=r'"model-index\[0\].results" is required'):
        alice.upload_file(
            path_or_fileobj=b"---\nmodel-index: [{name: x}]\n---\n", path_in_repo="README.md", repo_id="alice/m"
        )


def test_missing_things_are_the_clients_own_errors(alice, live_hub):
    with pytest.raises(RepositoryNotFoundError):
        HfApi(live_hub.endpoint, token=False).model_info("alice/x")
    with pytest.raises(RemoteEntryNotFoundError, match="trailing '/'"):
        alice.create_commit("alice/m", [CommitOperationDelete("dir")], commit_message="x")
    with pytest.raises(RemoteEntryNotFoundError):
        alice.hf_hub_download("alice/m", "x")


@pytest.mark.parametrize(
    ("path", "status"), [("/api/models/alice/m/commit/main", 403), ("/api/models/a/b/commit/main", 404)]
)
def test_a_refusal_is_heard_though_the_body_is_still_being_sent(alice, live_hub, path, status):
    body = ndjson(header_line(), *[file_line(f"f{number}", bytes(2**20)) for number in range(30)])
    headers = {"Authorization": f"Bearer {live_hub.user('bob')}"}
    # As the client does: the body in pieces, on a connection that stays open.
    pieces = (body[start : start + 2**20] for start in range(0, len(body), 2**20))
    answer = httpx2.post(live_hub.endpoint + path, content=pieces, headers=headers)
    assert (answer.status_code, "error" in answer.json()) == (status, True)
