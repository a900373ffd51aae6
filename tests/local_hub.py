"""The smallest Hub that the real, unmodified huggingface_hub client pushes models to and pulls them from.

A stand-in for tests, notebooks and trying things by hand until the classroom's own embedded Hub exists: one process,
model repositories only, one branch, every file small enough to travel inside its commit. Users are data, and failures
are data too: a `Fault` says which requests go wrong and how.

    with LocalHub(folder, users=[User("alice", "hf_alice")]) as hub:
        HfApi(endpoint=hub.endpoint, token="hf_alice").create_repo("alice/agent")

By hand: `python tests/local_hub.py --port 8000 --folder hub-data`.
"""

import argparse
import base64
import contextlib
import json
import re
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from local_hub_store import Refusal, Store, card_error


@dataclass(frozen=True)
class User:
    """Somebody with a token.

    `role` is the token's: "read", "write" or "fineGrained"; a fine-grained one writes to `scopes` only. `orgs` maps
    the name of an organisation to the person's role in it: "admin", "write", "contributor" or "read".
    """

    name: str
    token: str
    role: str = "write"
    orgs: dict[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()

    def writes_to(self, namespace: str) -> bool:
        own = namespace == self.name or self.orgs.get(namespace) in ("admin", "write", "contributor")
        return own and (self.role == "write" or (self.role == "fineGrained" and namespace in self.scopes))


@dataclass
class Fault:
    """Makes requests whose path contains `path` fail.

    The first `after` of them pass, the next `times` fail (None: all that follow). A failing request is answered with
    `status`; without one the connection is closed in its face, as by a Hub that has gone away.
    """

    path: str = ""
    status: int | None = None
    after: int = 0
    times: int | None = None
    message: str = "This failure was asked for."
    headers: dict[str, str] = field(default_factory=dict)

    def strikes(self, path: str) -> bool:
        if self.path not in path:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
            return self.times >= 0
        return True


@dataclass
class Answer:
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def as_json(document):
    return Answer(json.dumps(document).encode())


class LocalHub:
    """A running Hub; `faults` may be changed at any time, `requests` are the methods and paths asked for so far."""

    def __init__(self, folder: Path, users: Sequence[User], port: int = 0):
        self.store = Store(folder)
        self.users = {user.token: user for user in users}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def files(self, repo_id, revision="main"):
        """Content of every file of a repository, by its path."""
        files = self.store.commit_at(repo_id, revision)["files"]
        return {path: self.store.blob(entry["oid"]).read_bytes() for path, entry in files.items()}

    def commit(self, repo_id, files: dict[str, bytes], message="Committed behind the client's back"):
        """Replaces the tree of a repository, made if it is missing, by `files`; returns the commit's id."""
        tree = {path: self.store.add_blob(content) for path, content in files.items()}
        with self.store.lock:
            try:
                parent = self.store.commits(repo_id)[-1]["sha"]
            except Refusal:
                parent = ""
            return self.store.add_commit(repo_id, message, tree, parent)

    # What follows answers requests. Each takes the request and the groups of its route.

    def whoami(self, request):
        user = request.user()
        token = {"displayName": "local", "role": user.role}
        if user.role == "fineGrained":
            scoped = [
                {
                    "entity": {"type": "org" if name in user.orgs else "user", "name": name},
                    "permissions": ["repo.write"],
                }
                for name in user.scopes
            ]
            token["fineGrained"] = {"global": [], "scoped": scoped}
        orgs = [{"type": "org", "name": name, "roleInOrg": role} for name, role in user.orgs.items()]
        auth = {"type": "access_token", "accessToken": token}
        return as_json({"type": "user", "name": user.name, "fullname": user.name, "orgs": orgs, "auth": auth})

    def create(self, request):
        user = request.user()
        wanted = request.json()
        repo_id = f"{wanted.get('organization') or user.name}/{wanted['name']}"
        self._require_write(request, repo_id)
        url = f"{self.endpoint}/{repo_id}"
        with self.store.lock:
            if repo_id in self.store.repositories():
                raise Refusal(409, "You already created this model repo", url=url)
            self.store.add_commit(repo_id, "initial commit", {})
        return as_json({"url": url, "name": repo_id})

    def preupload(self, request, repo_id, revision):
        self._require_write(request, repo_id)
        files = self.store.commit_at(repo_id, revision)["files"]
        modes = []
        for file in request.json()["files"]:
            mode = {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
            if file["path"] in files:
                mode["oid"] = files[file["path"]]["oid"]
            modes.append(mode)
        return as_json({"files": modes})

    def apply_commit(self, request, repo_id, revision):
        self._require_write(request, repo_id)
        lines = [json.loads(line) for line in request.body.splitlines()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        with self.store.lock:
            head = self.store.commit_at(repo_id, revision)
            if header.get("parentCommit", head["sha"]) != head["sha"]:
                raise Refusal(412, "A commit has happened since. Please refresh and try again.")
            files = dict(head["files"])
            for line in lines:
                path = line["value"].get("path")
                if line["key"] == "file":
                    files[path] = self.store.add_blob(base64.b64decode(line["value"]["content"]))
                elif line["key"] == "deletedFile":
                    files.pop(path, None)
                elif line["key"] == "deletedFolder":
                    files = {name: entry for name, entry in files.items() if not name.startswith(path)}
            sha = self.store.add_commit(repo_id, header["summary"], files, head["sha"])
        return as_json({"commitUrl": f"{self.endpoint}/{repo_id}/commit/{sha}", "commitOid": sha, "success": True})

    def validate_card(self, request):
        error = card_error(request.json()["content"])
        if error and "text/plain" in request.headers.get("Accept", ""):
            raise Refusal(400, error)
        if error:
            raise Refusal(400, error, errors=[{"message": error}], warnings=[])
        return as_json({"errors": [], "warnings": []})

    def info(self, request, repo_id, revision="main"):
        commit = self.store.commit_at(repo_id, revision)
        blobs = "blobs" in request.query
        siblings = [
            {"rfilename": path, **({"size": entry["size"], "blobId": entry["oid"]} if blobs else {})}
            for path, entry in sorted(commit["files"].items())
        ]
        return as_json({"id": repo_id, "author": repo_id.split("/")[0], "sha": commit["sha"], "siblings": siblings})

    def tree(self, _request, repo_id, revision):
        files = self.store.commit_at(repo_id, revision)["files"]
        return as_json([{"type": "file", "path": path, **entry} for path, entry in sorted(files.items())])

    def paths_info(self, request, repo_id, revision):
        files = self.store.commit_at(repo_id, revision)["files"]
        paths = parse_qs(request.body.decode()).get("paths", [])
        return as_json([{"type": "file", "path": path, **files[path]} for path in paths if path in files])

    def resolve(self, _request, repo_id, revision, path):
        commit = self.store.commit_at(repo_id, revision)
        if path not in commit["files"]:
            raise Refusal(404, f"{repo_id} has no file {path}.", "EntryNotFound")
        oid = commit["files"][path]["oid"]
        headers = {"X-Repo-Commit": commit["sha"], "ETag": f'"{oid}"'}
        return Answer(self.store.blob(oid).read_bytes(), headers, "application/octet-stream")

    def page(self, _request, repo_id):
        return Answer("\n".join(self.store.commit_at(repo_id, "main")["files"]).encode(), content_type="text/plain")

    def _require_write(self, request, repo_id):
        user = request.user()
        if not user.writes_to(repo_id.split("/")[0]):
            raise Refusal(403, f"You don't have write access to {repo_id}")


_REPO, _REVISION = r"([^/]+/[^/]+)", r"([^/]+)"
_ROUTES = [
    ("GET", r"/api/whoami-v2", LocalHub.whoami),
    ("POST", r"/api/repos/create", LocalHub.create),
    ("POST", r"/api/validate-yaml", LocalHub.validate_card),
    ("POST", rf"/api/models/{_REPO}/preupload/{_REVISION}", LocalHub.preupload),
    ("POST", rf"/api/models/{_REPO}/commit/{_REVISION}", LocalHub.apply_commit),
    ("POST", rf"/api/models/{_REPO}/paths-info/{_REVISION}", LocalHub.paths_info),
    ("GET", rf"/api/models/{_REPO}/tree/{_REVISION}", LocalHub.tree),
    ("GET", rf"/api/models/{_REPO}/revision/{_REVISION}", LocalHub.info),
    ("GET", rf"/api/models/{_REPO}", LocalHub.info),
    ("GET", rf"/{_REPO}/resolve/{_REVISION}/(.+)", LocalHub.resolve),
    ("GET", rf"/{_REPO}", LocalHub.page),
]


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        self.query = parse_qs(parts.query)
        self.hub.requests.append((self.command, parts.path))
        self.close_connection = True
        struck = next((fault for fault in self.hub.faults if fault.strikes(parts.path)), None)
        if struck is not None:
            if struck.status is not None:
                self._refuse(Refusal(struck.status, struck.message), struck.headers)
            return
        try:
            self._send(200, self._answer(parts.path))
        except Refusal as refusal:
            self._refuse(refusal)

    do_HEAD = do_POST = do_GET

    def user(self) -> User:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.hub.users:
            raise Refusal(401, "Invalid credentials in Authorization header")
        return self.hub.users[token]

    def json(self):
        return json.loads(self.body)

    def _answer(self, path) -> Answer:
        method = "GET" if self.command == "HEAD" else self.command
        for wanted, pattern, answer in _ROUTES:
            match = re.fullmatch(pattern, path)
            if wanted == method and match:
                return answer(self.hub, self, *map(unquote, match.groups()))
        raise Refusal(404, "Not found")

    def _refuse(self, refusal, headers=()):
        extra = {"X-Error-Code": refusal.code} if refusal.code else {}
        answer = as_json(refusal.body)
        answer.headers = {"X-Error-Message": refusal.body["error"], **extra, **dict(headers)}
        if "text/plain" in self.headers.get("Accept", ""):
            answer.body = refusal.body["error"].encode()
        self._send(refusal.status, answer)

    def _send(self, status, answer: Answer):
        self.send_response(status)
        for name, value in {"Content-Type": answer.content_type, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, *arguments):
        pass


def main():
    parser = argparse.ArgumentParser(description="A small local Hub for trying things.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--folder", type=Path, default=None, help="where repositories are kept (default: temporary)")
    parser.add_argument("--user", action="append", metavar="NAME:TOKEN", help="may be repeated")
    options = parser.parse_args()
    accounts = [account.split(":", 1) for account in options.user or ["student:hf_local_student"]]
    users = [User(name, token) for name, token in accounts]
    with (
        tempfile.TemporaryDirectory() as temporary,
        LocalHub(options.folder or Path(temporary), users, options.port) as hub,
    ):
        print(f"export HF_ENDPOINT={hub.endpoint}")
        for user in users:
            print(f"export HF_TOKEN={user.token}  # {user.name}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
