"""Kills a Hub without warning, again and again, while real clients push to it and clean-ups run.

Started by `benchmarks.hub_crashes` in a process of its own, because the client reads its settings once.

After each kill: the Hub is sound, every commit that a client was told of is there, and once the Hub is back the
client's retry succeeds. At the end nothing but what the repositories hold is on the disk. The exit code is 1 if any of
this fails. A seed makes the same contents and pauses again.
"""

import contextlib
import hashlib
import io
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

from hub_process import start
from rl_hub.accounts import tokens, users
from rl_hub.accounts.identity import Identity
from rl_hub.database import tables
from rl_hub.errors import HubError
from rl_hub.hub import Hub
from rl_hub.maintenance import fsck, gc
from rl_hub.repositories import catalog, history, trees
from rl_hub.settings import Settings

CLEANER = """
import sys, time
from datetime import timedelta
from pathlib import Path
from rl_hub.hub import Hub
from rl_hub.maintenance import gc
from rl_hub.settings import Settings
hub = Hub.open(Settings(Path(sys.argv[1])))
while True:
    gc.collect(hub, timedelta(seconds=3))
    time.sleep(0.02)
"""
ATTRIBUTES = b"*.bin filter=lfs diff=lfs merge=lfs -text\n"
MODES = ("regular", "several files", "LFS", "Xet")
COMMITS_OF_A_REPOSITORY = 8
# Seconds for which the Hub is up between two kills, and in which it starts.
SHORTEST, LONGEST, START = 0.05, 1.5, 1.0
# Each fifth start is killed too.
STARTS = 5
PATIENCE = 60


@dataclass
class Campaign:
    """What the killer and the clients share.

    Attributes:
        data: The Hub's folder.
        seed: Of everything that is random.
        endpoint: Where the Hub is served.
        up: Set while the Hub is being served.
        generation: How often it was started.
        over: Set when the clients are to end.
        acknowledged: What clients were told is there: repositories, their commits, the SHA-256 of what these brought.
        counts: What has happened, for the report.
        faults: What must not happen.
    """

    data: Path
    seed: int
    endpoint: str
    up: threading.Event = field(default_factory=threading.Event)
    generation: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    acknowledged: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def fault(self, text):
        self.faults.append(text)
        self.over.set()


class Client(threading.Thread):
    """One student, who pushes in one way, and again when the Hub was gone."""

    def __init__(self, campaign, mode, user, folder):
        super().__init__(daemon=True)
        self.campaign, self.mode, self.folder = campaign, mode, folder
        self.user, token = user
        self.random = random.Random(f"{campaign.seed} {mode}")
        # A common beginning, so that Xet refers to what it has sent in earlier pushes.
        self.base = self.random.randbytes(300_000)
        self.api = HfApi(endpoint=campaign.endpoint, token=token)

    def run(self):
        number = 0
        while not self.campaign.over.is_set():
            number += 1
            self.use_repository(f"{self.user}/agent-{number}")

    def use_repository(self, repository):
        """Makes a repository, commits to it a few times, and deletes it."""
        if self.until_done(lambda: self.api.create_repo(repository, exist_ok=True)):
            self.campaign.acknowledged[repository] = {}
        self.push(repository, {".gitattributes": ATTRIBUTES})
        for number in range(COMMITS_OF_A_REPOSITORY):
            self.push(repository, self.contents(number))
        if not self.campaign.over.is_set():
            del self.campaign.acknowledged[repository]
            self.until_done(lambda: self.api.delete_repo(repository, missing_ok=True))

    def contents(self, number):
        """The files of the next commit."""
        if self.mode in ("LFS", "Xet"):
            return {f"{number % 3}.bin": self.base + self.random.randbytes(self.random.randrange(1, 300_000))}
        names = [f"{folder}/{number}.txt" for folder in ("a", "b/c")] if self.mode == "several files" else ["one.txt"]
        return {name: self.random.randbytes(self.random.randrange(100_000)) for name in names}

    def push(self, repository, files):
        """Commits files, as often as it takes, and notes that they are there."""

        def commit():
            operations = [CommitOperationAdd(path, self.source(path, content)) for path, content in files.items()]
            return self.api.create_commit(repository, operations, commit_message="Push")

        done = self.until_done(commit)
        if done:
            digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
            self.campaign.acknowledged[repository][done.oid] = digests
            self.campaign.counts[f"commits, {self.mode}"] += 1

    def source(self, path, content):
        """The content as the client takes it: what is no file on the disk is not sent by Xet."""
        if self.mode == "LFS":
            return io.BytesIO(content)
        place = self.folder / f"{self.user}-{path.replace('/', '-')}"
        place.write_bytes(content)
        return place

    def until_done(self, action):
        """Tries until it succeeds; a try may fail only if the Hub was killed meanwhile."""
        while not self.campaign.over.is_set():
            generation = self.campaign.generation
            if not self.campaign.up.wait(0.1):
                continue
            try:
                return action()
            except Exception as error:
                if self.campaign.generation == generation:
                    self.campaign.fault(f"{self.mode}: refused although nothing was killed: {told(error)}")
                self.campaign.counts["tries that a kill ended"] += 1
        return None


def told(error):
    """What an exception says, with those that it was made from."""
    texts = []
    while error is not None:
        texts.append(f"{type(error).__name__}: {error}")
        error = error.__cause__ or error.__context__
    return " <- ".join(texts)


def check(campaign):
    """Looks at the Hub while nobody serves it: is it sound, and is everything there that a client was told of?"""
    with contextlib.closing(Hub.open(Settings(campaign.data))) as hub:
        for problem in fsck.check(hub).problems:
            campaign.fault(f"After kill {campaign.generation}: {problem}")
        with hub.database.read() as connection:
            for repo_id, commits in list(campaign.acknowledged.items()):
                check_repository(campaign, connection, repo_id, dict(commits))


def check_repository(campaign, connection, repo_id, commits):
    administrator = Identity(0, "admin", "read", is_admin=True)
    try:
        repository = catalog.find(connection, administrator, "model", repo_id)
        reached = {commit.sha for commit in history.walk(connection, repository.id, repository.sha)}
        for sha, files in commits.items():
            there = {file.path: file.sha256 for file in trees.all_files(connection, repository, sha)}
            if sha not in reached or any(there.get(path) != sha256 for path, sha256 in files.items()):
                campaign.fault(f"After kill {campaign.generation}: {repo_id} has lost {sha}: {files}, there is {there}")
            campaign.counts["commits looked at"] += 1
    except HubError as error:
        campaign.fault(f"After kill {campaign.generation}: {repo_id}: {error}")


def check_download(campaign, chance):
    """Downloads one file of an acknowledged commit and compares it."""
    known = [
        (repo_id, sha, path, sha256)
        for repo_id, commits in list(campaign.acknowledged.items())
        for sha, files in list(commits.items())
        for path, sha256 in files.items()
    ]
    if not known:
        return
    repo_id, sha, path, sha256 = chance.choice(known)
    try:
        with urllib.request.urlopen(f"{campaign.endpoint}/{repo_id}/resolve/{sha}/{path}", timeout=PATIENCE) as answer:
            content = answer.read()
    except OSError as error:
        if repo_id in campaign.acknowledged:  # and not deleted meanwhile
            campaign.fault(f"{repo_id} {path} at {sha} cannot be downloaded: {error}")
        return
    if hashlib.sha256(content).hexdigest() != sha256:
        campaign.fault(f"{repo_id} {path} at {sha} is downloaded with another content")
    campaign.counts["files downloaded"] += 1


class Server:
    """The Hub and its clean-up, in processes of their own."""

    def __init__(self, data, port=0):
        self.hub = start(data, port=port)
        self.endpoint = self.hub.endpoint.replace("localhost", "127.0.0.1")
        self.port = int(self.endpoint.rpartition(":")[2])
        self.cleaner = subprocess.Popen([sys.executable, "-c", CLEANER, str(data)])

    def kill(self):
        """Kills both; says whether the clean-up was running until then."""
        cleaned = self.cleaner.poll() is None
        self.hub.kill()
        self.cleaner.kill()
        self.cleaner.wait()
        return cleaned


def kill_a_start(data, port, chance):
    """Starts a Hub and kills it before, or as soon as, it is there."""
    command = [sys.executable, "-m", "rl_hub", "--data", str(data), "serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(chance.uniform(0, START))
        process.kill()


def run(folder, kills, seed):
    """The whole campaign; returns what has happened."""
    chance = random.Random(seed)
    with contextlib.ExitStack() as stack:
        kill_a_start(folder / "hub", 0, chance)
        server = Server(folder / "hub")
        stack.callback(lambda: server.kill())
        campaign = Campaign(folder / "hub", seed, server.endpoint)
        clients = [Client(campaign, mode, new_user(campaign.data, mode), folder) for mode in MODES]
        for client in clients:
            client.start()
        while campaign.generation < kills and not campaign.over.is_set():
            campaign.up.set()
            check_download(campaign, chance)
            campaign.over.wait(chance.uniform(SHORTEST, LONGEST))
            campaign.up.clear()
            campaign.generation += 1
            if not server.kill():
                campaign.fault("The clean-up ended by itself.")
            check(campaign)
            if campaign.generation % STARTS == 0:
                kill_a_start(campaign.data, server.port, chance)
                campaign.counts["kills during a start"] += 1
            server = Server(campaign.data, server.port)
        campaign.up.set()
        campaign.over.set()
        for client in clients:
            client.join(PATIENCE)
            if client.is_alive():
                campaign.fault(f"{client.mode}: a client hangs.")
    check(campaign)
    check_rest(campaign)
    return campaign


def new_user(data, mode):
    """A new user of the Hub, named after the mode; returns the name and a token."""
    name = "student-" + mode.replace(" ", "-")
    with contextlib.closing(Hub.open(Settings(data))) as hub, hub.database.write() as connection:
        return name, tokens.create(connection, users.create(connection, name).id, "push", "write")


def check_rest(campaign):
    """A clean-up leaves nothing but what repositories hold."""
    with contextlib.closing(Hub.open(Settings(campaign.data))) as hub:
        with hub.database.write() as connection:
            connection.execute(tables.upload_grants.delete())
        gc.collect(hub, timedelta())
        if rest := fsck.check(hub).garbage:
            campaign.fault(f"After the last clean-up there is left: {rest}")


def main(kills, seed):
    """Runs the campaign and prints what has happened; returns the exit code."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        campaign = run(Path(folder), kills, seed)
    print(f"seed {seed}: {campaign.generation} kills in {time.monotonic() - began:.0f} s")
    for what, number in sorted(campaign.counts.items()):
        print(f"{number:8} {what}")
    for fault in campaign.faults[:20]:
        print(f"FAULT {fault}")
    print("nothing was lost" if not campaign.faults else f"{len(campaign.faults)} faults")
    return 1 if campaign.faults else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
