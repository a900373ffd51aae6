"""Uploading files of every size, by every way: within the commit, by LFS, by Xet."""

import io
from pathlib import Path

from huggingface_hub import HfApi

from clients.operations.context import MIB, Context, noise, operation, refused

# The Hub's limit: a larger file does not travel within the commit.
REGULAR_BYTES = 5 * MIB


@operation
def upload_folder(api: HfApi, context: Context):
    """`upload_folder`, with subfolders and an ignored file."""
    context.file("agent/README.md", "---\ntags:\n- reinforcement-learning\n---\n# Agent\n")
    context.file("agent/logs/0.monitor.csv", "r,l,t\n")
    context.file("agent/logs/core.tmp", "not for the Hub")
    context.file("agent/weights.bin", noise(REGULAR_BYTES + 1))
    api.create_repo(context.repository)
    commit = api.upload_folder(
        repo_id=context.repository, folder_path=context.folder / "agent", ignore_patterns="*.tmp", commit_message="Push"
    )
    files = set(api.list_repo_files(context.repository))
    assert files - {".gitattributes"} == {"README.md", "logs/0.monitor.csv", "weights.bin"}, files
    assert api.model_info(context.repository).sha == commit.oid
    assert_holds(api, context, {"weights.bin": noise(REGULAR_BYTES + 1)})


@operation
def upload_folder_again(api: HfApi, context: Context):
    """`upload_folder` of an unchanged folder makes no commit."""
    context.file("agent/a.txt", "text")
    context.file("agent/weights.bin", noise(REGULAR_BYTES + 1))
    api.create_repo(context.repository)
    for _ in range(2):
        api.upload_folder(repo_id=context.repository, folder_path=context.folder / "agent")
    assert len(api.list_repo_commits(context.repository)) == 2


@operation
def upload_folder_in_place_of_files(api: HfApi, context: Context):
    """`upload_folder` with `path_in_repo`, `allow_patterns` and `delete_patterns`."""
    api.create_repo(context.repository)
    for name in ("runs/old.log", "runs/kept.txt", "old.log"):
        api.upload_file(path_or_fileobj=b"old", path_in_repo=name, repo_id=context.repository)
    context.file("run/new.log", "new")
    context.file("run/new.txt", "new")
    api.upload_folder(
        repo_id=context.repository,
        folder_path=context.folder / "run",
        path_in_repo="runs",
        allow_patterns="*.log",
        delete_patterns="*.log",
    )
    files = set(api.list_repo_files(context.repository)) - {".gitattributes"}
    assert files == {"old.log", "runs/kept.txt", "runs/new.log"}, files


@operation
def upload_many_files(api: HfApi, context: Context):
    """`upload_large_folder`, or `upload_folder` where it has taken its place: 300 files."""
    # The client sends 250 files or so at once.
    for number in range(300):
        context.file(f"many/{number // 100}/{number:03}.txt", f"file {number}")
    api.create_repo(context.repository)
    if hasattr(api, "upload_large_folder"):
        api.upload_large_folder(
            repo_id=context.repository, folder_path=context.folder / "many", repo_type="model", print_report=False
        )
    else:
        api.upload_folder(repo_id=context.repository, folder_path=context.folder / "many")
    assert len(set(api.list_repo_files(context.repository)) - {".gitattributes"}) == 300


@operation
def upload_an_empty_file(api: HfApi, context: Context):
    """`upload_file` of an empty file."""
    assert_uploads(api, context, b"")


@operation
def upload_5_mib(api: HfApi, context: Context):
    """`upload_file`, 5 MiB."""
    assert_uploads(api, context, noise(REGULAR_BYTES))


@operation
def upload_20_mb(api: HfApi, context: Context):
    """`upload_file`, 20 MB."""
    assert_uploads(api, context, noise(20_000_000))


@operation
def upload_20_mb_from_memory(api: HfApi, context: Context):
    """`upload_file`, 20 MB from a `BytesIO`."""
    assert_uploads(api, context, io.BytesIO(noise(20_000_000)))


@operation
def upload_50_mb(api: HfApi, context: Context):
    """`upload_file`, 50 MB."""
    assert_uploads(api, context, noise(50_000_000))


@operation
def upload_a_changed_file(api: HfApi, context: Context):
    """`upload_file`, 20 MB with a few bytes changed since the last time."""
    api.create_repo(context.repository)
    content = bytearray(noise(20_000_000))
    for change in (b"first", b"second"):
        content[10_000_000 : 10_000_000 + len(change)] = change
        path = context.file("weights.bin", bytes(content))
        api.upload_file(path_or_fileobj=path, path_in_repo="weights.bin", repo_id=context.repository)
    assert_holds(api, context, {"weights.bin": bytes(content)})


@operation
def upload_into_a_dataset(api: HfApi, context: Context):
    """`upload_file` into a dataset repository, 20 MB."""
    api.create_repo(context.repository, repo_type="dataset")
    path = context.file("data.bin", noise(20_000_000))
    api.upload_file(path_or_fileobj=path, path_in_repo="data.bin", repo_id=context.repository, repo_type="dataset")
    downloaded = api.hf_hub_download(context.repository, "data.bin", repo_type="dataset", cache_dir=context.folder)
    assert Path(downloaded).read_bytes() == noise(20_000_000)


@operation
def upload_odd_names(api: HfApi, context: Context):
    """`upload_file` under names with spaces, accents and percent signs."""
    api.create_repo(context.repository)
    names = ["my agent.txt", "élève/naïve.txt", "100%25.txt", "a+b&c=d;e.txt", "#1!.txt"]
    for name in names:
        api.upload_file(path_or_fileobj=name.encode(), path_in_repo=name, repo_id=context.repository)
    assert set(names) <= set(api.list_repo_files(context.repository))
    assert_holds(api, context, {name: name.encode() for name in names})


@operation
def upload_a_name_twice(api: HfApi, context: Context):
    """A file whose name differs from another's by its case only is refused."""
    api.create_repo(context.repository)
    api.upload_file(path_or_fileobj=b"text", path_in_repo="Agent.zip", repo_id=context.repository)
    with refused(400, "Agent.zip", "agent.zip"):
        api.upload_file(path_or_fileobj=b"text", path_in_repo="agent.zip", repo_id=context.repository)
    assert "agent.zip" not in api.list_repo_files(context.repository)


def assert_uploads(api: HfApi, context: Context, content: bytes | io.BytesIO):
    api.create_repo(context.repository)
    body = context.file("weights.bin", content) if isinstance(content, bytes) else content
    commit = api.upload_file(path_or_fileobj=body, path_in_repo="models/weights.bin", repo_id=context.repository)
    assert commit.oid == api.list_repo_commits(context.repository)[0].commit_id
    expected = content if isinstance(content, bytes) else content.getvalue()
    assert_holds(api, context, {"models/weights.bin": expected})


def assert_holds(api: HfApi, context: Context, files: dict[str, bytes]):
    for name, content in files.items():
        path = api.hf_hub_download(context.repository, name, cache_dir=context.folder / "cache")
        assert Path(path).read_bytes() == content, f"{name} came back different"
