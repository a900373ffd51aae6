"""What `local_hub` keeps, on disk: repositories, their commits, and the content of their files."""

import hashlib
import json
import re
import threading
from pathlib import Path

import yaml


class Refusal(Exception):
    """An answer that is not 200; `code` is what the client tells not-found errors apart by."""

    def __init__(self, status, message, code="", **extra):
        super().__init__(message)
        self.status, self.code, self.body = status, code, {"error": message, **extra}


class Store:
    """Repositories on disk: `blobs/<git oid>` and `repos/<namespace>/<name>.json`, the list of commits."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.lock = threading.Lock()

    def commits(self, repo_id):
        try:
            return json.loads(self._file(repo_id).read_text())
        except FileNotFoundError:
            raise Refusal(404, f"There is no repository {repo_id}.", "RepoNotFound") from None

    def commit_at(self, repo_id, revision):
        commits = self.commits(repo_id)
        for commit in reversed(commits):
            if revision in ("main", commit["sha"]):
                return commit
        raise Refusal(404, f"{repo_id} has no revision {revision}.", "RevisionNotFound")

    def add_commit(self, repo_id, message, files, parent=""):
        """Commits `files`, the whole tree as path to `{oid, size}`."""
        sha = hashlib.sha1(json.dumps([parent, message, files], sort_keys=True).encode()).hexdigest()
        earlier = self.commits(repo_id) if parent else []
        path = self._file(repo_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps([*earlier, {"sha": sha, "message": message, "files": files}]))
        temporary.replace(path)
        return sha

    def add_blob(self, content: bytes):
        oid = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        path = self.blob(oid)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return {"oid": oid, "size": len(content)}

    def blob(self, oid) -> Path:
        return self.folder / "blobs" / oid

    def repositories(self):
        return sorted(f"{path.parent.name}/{path.stem}" for path in (self.folder / "repos").glob("*/*.json"))

    def _file(self, repo_id):
        return self.folder / "repos" / f"{repo_id}.json"


def card_error(text: str) -> str:
    """What is wrong with a model card's metadata; empty if nothing."""
    match = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    try:
        metadata = yaml.safe_load(match.group(1)) if match else {}
    except yaml.YAMLError:
        return "The YAML of the card cannot be parsed."
    for model in metadata.get("model-index", []):
        if not isinstance(model, dict) or not {"name", "results"} <= model.keys():
            return '"model-index[].name/results" is required'
    return ""
