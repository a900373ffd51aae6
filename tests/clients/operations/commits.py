"""Commits: several changes at once, branches, tags, history."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
from huggingface_hub.errors import RevisionNotFoundError

from clients.operations.context import MIB, Context, noise, operation, refused


def start(api: HfApi, context: Context, *names: str) -> None:
    """Makes the operation's repository, with small files."""
    api.create_repo(context.repository)
    operations = [CommitOperationAdd(name, name.encode()) for name in names]
    if operations:
        api.create_commit(context.repository, operations, commit_message="Start")


def files(api: HfApi, context: Context, **where) -> set[str]:
    return set(api.list_repo_files(context.repository, **where)) - {".gitattributes"}


@operation
def change_several_files(api: HfApi, context: Context):
    """`create_commit` that adds, replaces and deletes."""
    start(api, context, "a.txt", "b.txt", "logs/1.txt", "logs/2.txt")
    changes = [
        CommitOperationAdd("new/c.txt", b"new"),
        CommitOperationAdd("a.txt", b"changed"),
        CommitOperationDelete("b.txt"),
        CommitOperationDelete("logs/"),
    ]
    commit = api.create_commit(context.repository, changes, commit_message="Change", commit_description="All of it.")
    assert files(api, context) == {"a.txt", "new/c.txt"}
    newest = api.list_repo_commits(context.repository)[0]
    assert (newest.commit_id, newest.title, newest.message) == (commit.oid, "Change", "All of it.")


@operation
def copy_a_file(api: HfApi, context: Context):
    """`create_commit` that copies a file, a small and a large one."""
    start(api, context, "a.txt")
    path = context.file("weights.bin", noise(6 * MIB))
    api.upload_file(path_or_fileobj=path, path_in_repo="weights.bin", repo_id=context.repository)
    copies = [CommitOperationCopy("a.txt", "b.txt"), CommitOperationCopy("weights.bin", "best.bin")]
    api.create_commit(context.repository, copies, commit_message="Copy")
    before, after = api.get_paths_info(context.repository, ["weights.bin", "best.bin"])
    assert before.lfs.sha256 == after.lfs.sha256
    assert {"b.txt", "best.bin"} <= files(api, context)


@operation
def delete_files(api: HfApi, context: Context):
    """`delete_file`, `delete_folder` and `delete_files` by pattern."""
    start(api, context, "a.txt", "b.log", "c.log", "logs/1.txt", "kept.md")
    api.delete_file("a.txt", context.repository)
    api.delete_folder("logs", context.repository)
    api.delete_files(context.repository, ["*.log"])
    assert files(api, context) == {"kept.md"}


@operation
def commit_on_an_outdated_parent(api: HfApi, context: Context):
    """`create_commit` with a `parent_commit` that is no longer the newest is refused."""
    start(api, context)
    parent = api.model_info(context.repository).sha
    first, second = ([CommitOperationAdd(name, b"text")] for name in ("a.txt", "b.txt"))
    api.create_commit(context.repository, first, commit_message="First", parent_commit=parent)
    with refused(412):
        api.create_commit(context.repository, second, commit_message="Second", parent_commit=parent)


@operation
def commit_at_the_same_time(api: HfApi, context: Context):
    """Four clients commit at the same time, and nothing is lost."""
    start(api, context)

    def upload(number: int) -> None:
        api.upload_file(path_or_fileobj=b"text", path_in_repo=f"{number}.txt", repo_id=context.repository)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(upload, range(4)))
    assert files(api, context) == {"0.txt", "1.txt", "2.txt", "3.txt"}
    assert len(api.list_repo_commits(context.repository)) == 5


@operation
def open_a_pull_request(api: HfApi, context: Context):
    """A commit as a pull request is refused with a sentence."""
    start(api, context)
    with refused(400, "pull request"):
        api.upload_file(path_or_fileobj=b"a", path_in_repo="a.txt", repo_id=context.repository, create_pr=True)


@operation
def work_on_branches(api: HfApi, context: Context):
    """`create_branch`, with a slash in its name, a commit on it, `delete_branch`."""
    start(api, context, "a.txt")
    api.create_branch(context.repository, branch="try/harder")
    with refused(409):
        api.create_branch(context.repository, branch="try/harder")
    api.create_branch(context.repository, branch="try/harder", exist_ok=True)
    api.upload_file(path_or_fileobj=b"b", path_in_repo="b.txt", repo_id=context.repository, revision="try/harder")
    assert files(api, context, revision="try/harder") == {"a.txt", "b.txt"}
    assert files(api, context) == {"a.txt"}
    path = api.hf_hub_download(context.repository, "b.txt", revision="try/harder", cache_dir=context.folder)
    assert Path(path).read_bytes() == b"b"
    assert {branch.name for branch in api.list_repo_refs(context.repository).branches} == {"main", "try/harder"}
    api.delete_branch(context.repository, branch="try/harder")
    assert not api.revision_exists(context.repository, "try/harder")


@operation
def tag_a_revision(api: HfApi, context: Context):
    """`create_tag`, what it holds after further commits, `delete_tag`."""
    start(api, context, "a.txt")
    tagged = api.model_info(context.repository).sha
    api.create_tag(context.repository, tag="v1/final", tag_message="Handed in")
    with refused(409):
        api.create_tag(context.repository, tag="v1/final")
    api.upload_file(path_or_fileobj=b"b", path_in_repo="b.txt", repo_id=context.repository)
    (tag,) = api.list_repo_refs(context.repository).tags
    assert (tag.name, tag.target_commit) == ("v1/final", tagged)
    assert files(api, context, revision="v1/final") == {"a.txt"}
    api.delete_tag(context.repository, tag="v1/final")
    assert api.list_repo_refs(context.repository).tags == []


@operation
def read_the_history(api: HfApi, context: Context):
    """`list_repo_commits`, newest first, and the files of an older commit."""
    start(api, context)
    for number in range(3):
        api.upload_file(
            path_or_fileobj=b"text",
            path_in_repo=f"{number}.txt",
            repo_id=context.repository,
            commit_message=f"Commit {number}",
        )
    history = api.list_repo_commits(context.repository)
    assert [commit.title for commit in history[:3]] == ["Commit 2", "Commit 1", "Commit 0"]
    assert history[0].authors == [context.user]
    assert history[0].created_at >= history[1].created_at
    assert files(api, context, revision=history[1].commit_id) == {"0.txt", "1.txt"}


@operation
def ask_for_an_unknown_revision(api: HfApi, context: Context):
    """An unknown branch is told apart from an unknown repository."""
    start(api, context, "a.txt")
    for call in (api.model_info, api.list_repo_files):
        try:
            call(context.repository, revision="nowhere")
        except RevisionNotFoundError:
            continue
        raise AssertionError(f"{call.__name__} found an unknown revision")
    assert not api.revision_exists(context.repository, "nowhere")
