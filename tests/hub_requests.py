"""Requests to a Hub as the client would send them, one at a time."""

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from rl_hub.accounts import tokens, users

PLURALS = {"model": "models", "dataset": "datasets", "space": "spaces"}


def file_line(path, content):
    encoded = base64.b64encode(content).decode()
    return {"key": "file", "value": {"content": encoded, "path": path, "encoding": "base64"}}


def large_file_line(path, sha256, size=None):
    value = {"path": path, "algo": "sha256", "oid": sha256}
    return {"key": "lfsFile", "value": value if size is None else {**value, "size": size}}


def deleted_file_line(path):
    return {"key": "deletedFile", "value": {"path": path}}


def deleted_folder_line(path):
    return {"key": "deletedFolder", "value": {"path": path}}


def header_line(summary="a commit", description="", **more):
    return {"key": "header", "value": {"summary": summary, "description": description, **more}}


def ndjson(*lines):
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@dataclass
class Person:
    """Somebody who asks a Hub; without a token nobody."""

    client: Any
    token: str | None = None

    def ask(self, method, path, **more):
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **more.pop("headers", {})}
        if "json" in more:
            # In ASCII, so that half a surrogate pair can be sent.
            more["content"] = json.dumps(more.pop("json"))
            headers["Content-Type"] = "application/json"
        return self.client.request(method, path, headers=headers, follow_redirects=False, **more)

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, body=None):
        return self.ask("POST", path, **({} if body is None else {"json": body}))

    def create(self, repo_id, kind="model", **more):
        owner, name = repo_id.split("/")
        return self.post("/api/repos/create", {"organization": owner, "name": name, "type": kind, **more})

    def send(self, repo_id, body, revision="main", kind="model", **more):
        path = f"/api/{PLURALS[kind]}/{repo_id}/commit/{quote(revision, safe='')}"
        return self.ask("POST", path, content=body, **more)

    def commit(self, repo_id, *lines, revision="main", kind="model", **header):
        return self.send(repo_id, ndjson(header_line(**header), *lines), revision, kind)

    def push(self, repo_id, files, kind="model"):
        """Commits files, contents by path; the new head."""
        answer = self.commit(repo_id, *(file_line(path, content) for path, content in files.items()), kind=kind)
        assert answer.status_code == 200, answer.text
        return answer.json()["commitOid"]

    def files(self, repo_id, revision="main", kind="model"):
        """The paths at a revision."""
        path = f"/api/{PLURALS[kind]}/{repo_id}/tree/{quote(revision, safe='')}"
        answer = self.get(path, params={"recursive": "true"})
        assert answer.status_code == 200, answer.text
        return [entry["path"] for entry in answer.json() if entry["type"] == "file"]

    def content(self, repo_id, path, revision="main"):
        return self.get(f"/{repo_id}/resolve/{quote(revision, safe='')}/{quote(path)}").content


def person(client, hub, name, role="write", *, is_admin=False):
    """A user with a token, created if need be."""
    with hub.database.write() as connection:
        user = users.find(connection, name) or users.create(connection, name, is_admin=is_admin)
        count = len(tokens.list_tokens(connection, user.id))
        return Person(client, tokens.create(connection, user.id, f"token {count}", role))


def refusal(answer):
    """What a refused request says: status, code and sentence."""
    return answer.status_code, answer.headers.get("X-Error-Code"), answer.json()["error"]
