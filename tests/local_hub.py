"""A Hub with accounts that are data, and with failures on demand, for tests of whoever talks to a Hub.

    with LocalHub(folder, users=[User("alice", "hf_alice")]) as hub:
        HfApi(endpoint=hub.endpoint, token="hf_alice").create_repo("alice/agent")

The Hub is the embedded one. Two things are put in front of it: a `Fault` says which requests go wrong and how, and a
token with the role "fineGrained", which other Hubs have, is described as theirs is.
"""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from sqlalchemy import insert
from starlette.responses import JSONResponse

from hub_server import served
from rl_hub import clock
from rl_hub.accounts import organisations, users
from rl_hub.database import tables
from rl_hub.hub import Hub
from rl_hub.settings import Settings
from rl_hub.web.app import create_app


@dataclass(frozen=True)
class User:
    """Somebody with a token.

    `role` is the token's: "read", "write" or "fineGrained"; a fine-grained one is said to write to `scopes` only.
    `orgs` maps the name of an organisation to the person's role in it: "admin", "write" or "read".
    """

    name: str
    token: str
    role: str = "write"
    orgs: dict[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()


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


class LocalHub:
    """A running Hub; `faults` may be changed at any time, `requests` are the methods and paths asked for so far."""

    def __init__(self, folder: Path, users: Sequence[User]):
        self.folder = folder
        self.users = list(users)
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.endpoint = ""
        self._running = contextlib.ExitStack()

    def __enter__(self):
        self.hub = Hub.open(Settings(self.folder))
        self._running.callback(self.hub.close)
        for user in self.users:
            self._add(user)
        self.endpoint = self._running.enter_context(served(_Front(self, create_app(self.hub))))
        return self

    def __exit__(self, *exception):
        self._running.close()

    def files(self, repo_id):
        """Content of every file of a repository, by its path."""
        folder = Path(self._api(repo_id).snapshot_download(repo_id, local_dir=self.folder / "snapshots" / repo_id))
        paths = [path for path in folder.rglob("*") if path.is_file()]
        contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        return {path: content for path, content in contents.items() if not path.startswith(".cache/")}

    def commits(self, repo_id):
        """The repository's history, newest first."""
        return self._api(repo_id).list_repo_commits(repo_id)

    def commit(self, repo_id, files: dict[str, bytes], message="Committed behind the client's back"):
        """Replaces the tree of a repository, made if it is missing, by `files`; returns the commit's id."""
        api = self._api(repo_id)
        api.create_repo(repo_id, exist_ok=True)
        gone = set(api.list_repo_files(repo_id)) - files.keys()
        operations = [CommitOperationAdd(path, content) for path, content in files.items()]
        operations += [CommitOperationDelete(path) for path in gone]
        return api.create_commit(repo_id, operations, commit_message=message).oid

    def _api(self, repo_id) -> HfApi:
        """The client as somebody who may write to the repository; its owner gets an account if need be."""
        owner = repo_id.split("/")[0]
        user = next((user for user in self.users if user.name == owner or user.orgs.get(owner) == "write"), None)
        if user is None:
            user = User(owner, f"hf_{owner}")
            self.users.append(user)
            self._add(user)
        return HfApi(self.endpoint, user.token)

    def _add(self, user: User):
        with self.hub.database.write() as connection:
            account = users.find(connection, user.name) or users.create(connection, user.name)
            for name, role in user.orgs.items():
                organisation = organisations.find(connection, name) or organisations.create(connection, name)
                organisations.add_member(connection, organisation.id, account.id, role)
            token = {
                "user_id": account.id,
                "name": user.token,
                "role": "read" if user.role == "read" else "write",
                "digest": hashlib.sha256(user.token.encode()).hexdigest(),
                "created_at": clock.now(),
            }
            connection.execute(insert(tables.tokens).values(token))


class _Front:
    """What stands in front of the Hub: the record of requests, faults, and tokens as other Hubs have them."""

    def __init__(self, local: LocalHub, app):
        self.local, self.app = local, app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        self.local.requests.append((scope["method"], path))
        fault = next((fault for fault in self.local.faults if fault.strikes(path)), None)
        if fault is None:
            await self._answer(scope, receive, send)
        elif fault.status is None:
            send.__self__.transport.abort()
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            headers = {"X-Error-Message": fault.message, **fault.headers}
            await JSONResponse({"error": fault.message}, fault.status, headers)(scope, receive, send)

    async def _answer(self, scope, receive, send):
        sender = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
        fine = next((user for user in self.local.users if (user.token, user.role) == (sender, "fineGrained")), None)
        if fine is None or scope["path"] != "/api/whoami-v2":
            await self.app(scope, receive, send)
            return
        await JSONResponse(_fine_grained(fine))(scope, receive, send)


def _fine_grained(user: User) -> dict:
    scoped = [
        {"entity": {"type": "org" if name in user.orgs else "user", "name": name}, "permissions": ["repo.write"]}
        for name in user.scopes
    ]
    token = {
        "displayName": "local",
        "role": "fineGrained",
        "fineGrained": {"global": [], "scoped": scoped},
    }
    organisations = [{"type": "org", "name": name, "roleInOrg": role} for name, role in user.orgs.items()]
    auth = {"type": "access_token", "accessToken": token}
    return {"type": "user", "name": user.name, "orgs": organisations, "auth": auth}
