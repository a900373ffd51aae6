"""Downloading: the cache, folders, and what happens when the connection breaks."""

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

from clients.operations.context import MIB, Context, noise, operation


def start(api: HfApi, context: Context, files: dict[str, bytes]) -> str:
    api.create_repo(context.repository)
    operations = [CommitOperationAdd(name, content) for name, content in files.items()]
    return api.create_commit(context.repository, operations, commit_message="Start").oid


@operation
def download_a_file(api: HfApi, context: Context):
    """`hf_hub_download`, again from the cache, and of an older commit."""
    first = start(api, context, {"a.txt": b"first"})
    api.upload_file(path_or_fileobj=b"second", path_in_repo="a.txt", repo_id=context.repository)
    cache = context.folder
    path = api.hf_hub_download(context.repository, "a.txt", cache_dir=cache)
    assert Path(path).read_bytes() == b"second"
    assert api.hf_hub_download(context.repository, "a.txt", cache_dir=cache) == path
    assert api.hf_hub_download(context.repository, "a.txt", cache_dir=cache, local_files_only=True) == path
    older = api.hf_hub_download(context.repository, "a.txt", cache_dir=cache, revision=first)
    assert Path(older).read_bytes() == b"first"


@operation
def download_into_a_folder(api: HfApi, context: Context):
    """`hf_hub_download` and `snapshot_download` with `local_dir`."""
    start(api, context, {"a.txt": b"text", "logs/b.txt": b"log"})
    folder = context.folder / "here"
    assert Path(api.hf_hub_download(context.repository, "a.txt", local_dir=folder)) == folder / "a.txt"
    api.snapshot_download(context.repository, local_dir=folder)
    assert (folder / "logs" / "b.txt").read_bytes() == b"log"


@operation
def download_a_snapshot(api: HfApi, context: Context):
    """`snapshot_download`, again from the cache, and after a change."""
    start(api, context, {"README.md": b"# Agent", "a.bin": noise(6 * MIB), "logs/b.txt": b"log"})
    cache = context.folder
    folder = Path(api.snapshot_download(context.repository, cache_dir=cache))
    assert (folder / "a.bin").read_bytes() == noise(6 * MIB)
    assert (folder / "logs" / "b.txt").read_bytes() == b"log"
    assert api.snapshot_download(context.repository, cache_dir=cache) == str(folder)
    api.upload_file(path_or_fileobj=b"new", path_in_repo="logs/b.txt", repo_id=context.repository)
    changed = Path(api.snapshot_download(context.repository, cache_dir=cache))
    assert (changed / "logs" / "b.txt").read_bytes() == b"new"
    assert (changed / "a.bin").resolve() == (folder / "a.bin").resolve()


@operation
def download_some_files(api: HfApi, context: Context):
    """`snapshot_download` with patterns, without signing in."""
    start(api, context, {"README.md": b"# Agent", "agent.zip": b"zip", "logs/b.txt": b"log"})
    folder = Path(snapshot_download(context.repository, cache_dir=context.folder, token=False, allow_patterns="*.zip"))
    assert [path.name for path in folder.rglob("*")] == ["agent.zip"]


@operation
def download_what_is_not_there(api: HfApi, context: Context):
    """A missing file and a missing repository are told apart."""
    start(api, context, {"a.txt": b"text"})
    for repository, expected in ((context.repository, EntryNotFoundError), ("nobody/nothing", RepositoryNotFoundError)):
        try:
            api.hf_hub_download(repository, "b.txt", cache_dir=context.folder)
        except expected:
            continue
        raise AssertionError(f"no {expected.__name__}")


@operation
def resume_a_download(api: HfApi, context: Context):
    """`hf_hub_download` goes on where the connection broke."""
    content = noise(30 * MIB)
    start(api, context, {"weights.bin": content})
    with BreakingConnection(context.endpoint) as connection:

        def download() -> str:
            return hf_hub_download(
                context.repository, "weights.bin", cache_dir=context.folder, endpoint=connection.address
            )

        try:
            path = download()
        except Exception:
            # 0.x gives up at once, and goes on when it is called again.
            path = download()
        assert Path(path).read_bytes() == content
        assert connection.ranges, "the file was fetched from its beginning"


class BreakingConnection(ThreadingHTTPServer):
    """Passes requests on to the Hub, and breaks the first answer with a body after more than half of it.

    Attributes:
        address: What the client uses as its endpoint.
        ranges: The `Range` headers that the client sent after that.
    """

    daemon_threads = True

    def __init__(self, endpoint: str):
        super().__init__(("127.0.0.1", 0), _Relay)
        self.endpoint = endpoint
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.ranges: list[str] = []
        self.broken = False

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.shutdown()
        self.server_close()


class _Relay(BaseHTTPRequestHandler):
    server: BreakingConnection
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        kept = ("Accept-Encoding", "Authorization", "Range", "User-Agent")
        headers = {name: self.headers[name] for name in kept if name in self.headers}
        request = urllib.request.Request(self.server.endpoint + self.path, headers=headers, method=self.command)
        with urllib.request.urlopen(request) as answer:
            body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in ("connection", "date", "server"):
                    self.send_header(name, value)
            self.end_headers()
        if self.server.broken and "Range" in self.headers:
            self.server.ranges.append(self.headers["Range"])
        if body and not self.server.broken:
            self.server.broken = True
            self.wfile.write(body[: len(body) * 2 // 3])
            self.close_connection = True
        else:
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *arguments):
        pass
