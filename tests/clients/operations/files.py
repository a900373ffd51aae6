"""Looking at the files of a repository without downloading them."""

import json
import struct

from huggingface_hub import CommitOperationAdd, HfApi, HfFileSystem, get_hf_file_metadata, hf_hub_url

from clients.operations.context import MIB, Context, noise, operation


def start(api: HfApi, context: Context) -> str:
    """A repository with a small file, one in a folder, and one that is too large for the commit."""
    api.create_repo(context.repository)
    contents = {"a.txt": b"text", "logs/b.txt": b"log", "weights.bin": noise(6 * MIB)}
    operations = [CommitOperationAdd(name, content) for name, content in contents.items()]
    return api.create_commit(context.repository, operations, commit_message="Start").oid


@operation
def list_the_files(api: HfApi, context: Context):
    """`list_repo_tree`, one level and all of them, and a subfolder."""
    start(api, context)
    top = {entry.path: entry for entry in api.list_repo_tree(context.repository)}
    assert set(top) - {".gitattributes"} == {"a.txt", "logs", "weights.bin"}
    assert (top["a.txt"].size, top["weights.bin"].size) == (4, 6 * MIB)
    assert top["weights.bin"].lfs.size == 6 * MIB
    everything = {entry.path for entry in api.list_repo_tree(context.repository, recursive=True, expand=True)}
    assert everything - {".gitattributes"} == {"a.txt", "logs", "logs/b.txt", "weights.bin"}
    assert [entry.path for entry in api.list_repo_tree(context.repository, "logs")] == ["logs/b.txt"]


@operation
def look_at_some_files(api: HfApi, context: Context):
    """`get_paths_info` and `file_exists`."""
    start(api, context)
    found = {entry.path: entry for entry in api.get_paths_info(context.repository, ["a.txt", "logs", "no.txt"])}
    assert set(found) == {"a.txt", "logs"}
    # git's own id of a file that contains "text".
    assert found["a.txt"].blob_id == "f3a34851d44d6b97c90fbb99dd3d18c261b9a237"
    assert api.file_exists(context.repository, "logs/b.txt")
    assert not api.file_exists(context.repository, "no.txt")


@operation
def look_at_a_file(api: HfApi, context: Context):
    """`get_hf_file_metadata`: commit, size and ETag."""
    commit = start(api, context)
    for name, size in (("a.txt", 4), ("weights.bin", 6 * MIB)):
        metadata = get_hf_file_metadata(hf_hub_url(context.repository, name), token=context.token)
        assert (metadata.commit_hash, metadata.size) == (commit, size)
        assert metadata.etag


@operation
def look_at_a_model(api: HfApi, context: Context):
    """`model_info`, also with `files_metadata` and `expand`."""
    commit = start(api, context)
    model = api.model_info(context.repository)
    assert (model.id, model.author, model.sha, model.private) == (context.repository, context.user, commit, False)
    assert model.last_modified >= model.created_at
    assert "logs/b.txt" in [file.rfilename for file in model.siblings]
    sizes = {file.rfilename: file.size for file in api.model_info(context.repository, files_metadata=True).siblings}
    assert sizes["weights.bin"] == 6 * MIB
    expanded = api.model_info(context.repository, expand=["sha", "lastModified"])
    assert (expanded.sha, expanded.siblings) == (commit, None)


@operation
def use_the_file_system(api: HfApi, context: Context):
    """`HfFileSystem`: list, glob, read a part, write, remove."""
    start(api, context)
    files = HfFileSystem(endpoint=context.endpoint, token=context.token)
    root = context.repository
    assert {f"{root}/a.txt", f"{root}/logs"} <= set(files.ls(root, detail=False))
    assert files.glob(f"{root}/**/*.txt") == [f"{root}/a.txt", f"{root}/logs/b.txt"]
    with files.open(f"{root}/weights.bin", block_size=MIB) as file:
        file.seek(3 * MIB + 5)
        assert file.read(100) == noise(6 * MIB)[3 * MIB + 5 : 3 * MIB + 105]
    with files.open(f"{root}/new.txt", "w") as file:
        file.write("new")
    assert files.cat(f"{root}/new.txt") == b"new"
    files.rm(f"{root}/new.txt")
    assert "new.txt" not in api.list_repo_files(context.repository)


@operation
def read_the_head_of_safetensors(api: HfApi, context: Context):
    """`get_safetensors_metadata`, which asks for a part of a file."""
    header = json.dumps({"weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    content = struct.pack("<Q", len(header)) + header + bytes(24)
    api.create_repo(context.repository)
    api.upload_file(path_or_fileobj=content, path_in_repo="model.safetensors", repo_id=context.repository)
    metadata = api.get_safetensors_metadata(context.repository)
    assert metadata.parameter_count == {"F32": 6}
