"""Kills a Hub without warning, again and again, while real clients push to it and clean-ups run.

    python tests/hub_kills.py 200 [seed]

After each kill: the Hub is sound, every commit that a client was told of is there, and once the Hub is back the
client's retry succeeds. At the end nothing but what the repositories hold is on the disk. The exit code is 1 if any of
this fails; the same seed makes the same contents and pauses.
"""

import argparse
import contextlib
import hashlib
import io
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hub_process import start

# The client goes on by itself for minutes; here a try that fails is over, and what it says is looked at.
CLIENT = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_VERBOSITY": "error",
    "HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "1",
    "HF_XET_CLIENT_RETRY_BASE_DELAY": "10ms",
}
# Cleans up all the time. A second of grace instead of an hour, so that there is something to remove.
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
# Seconds between two kills, of which a start takes about one.
SHORTEST, LONGEST = 0.05, 1.5
PATIENCE = 60


@dataclass
class Campaign:
    """What the killer and the clients share.

    Attributes:
        data: The Hub's folder.
        seed: Of everything that is random.
        up: Set while the Hub is being served.
        generation: How often it was started.
        over: Set when the clients are to end.
        acknowledged: What clients were told is there: repositories, and the SHA-256 of each of their files.
        counts: What has happened, for the report.
        faults: What must not happen.
    """

    data: Path
    seed: int
    endpoint: str = ""
    up: threading.Event = field(default_factory=threading.Event)
    generation: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    acknowledged: dict[str, dict[str, str]] = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def fault(self, text):
        self.faults.append(text)
        self.over.set()


class Client(threading.Thread):
    """One student, who pushes in one way, and again when the Hub was gone."""

    def __init__(self, campaign, mode, name, token, folder):
        super().__init__(name=f"client-{name}", daemon=True)
        self.campaign, self.mode, self.name_, self.folder = campaign, mode, name, folder
        self.random = random.Random(f"{campaign.seed} {mode}")
        # A common beginning, so that Xet refers to what it has sent in earlier pushes.
        self.base = self.random.randbytes(300_000)
        from huggingface_hub import HfApi

        self.api = HfApi(endpoint=campaign.endpoint, token=token)

    def run(self):
        number = 0
        while not self.campaign.over.is_set():
            number += 1
            self.use_repository(f"{self.name_}/agent-{number}")

    def use_repository(self, repository):
        """Makes a repository, commits to it a few times, and deletes it."""
        files = {}
        self.until_done(lambda: self.api.create_repo(repository, exist_ok=True))
        self.campaign.acknowledged[repository] = files
        self.push(repository, {".gitattributes": ATTRIBUTES})
        for number in range(COMMITS_OF_A_REPOSITORY):
            if self.campaign.over.is_set():
                return
            self.push(repository, self.contents(number))
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
        from huggingface_hub import CommitOperationAdd

        def commit():
            operations = [CommitOperationAdd(path, self.source(path, content)) for path, content in files.items()]
            self.api.create_commit(repository, operations, commit_message="Push")

        if self.until_done(commit):
            known = self.campaign.acknowledged[repository]
            known |= {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
            self.campaign.counts[f"commits, {self.mode}"] += 1

    def source(self, path, content):
        """The content as the client takes it: what is no file on the disk is not sent by Xet."""
        if self.mode == "LFS":
            return io.BytesIO(content)
        place = self.folder / f"{self.name_}-{Path(path).name}"
        place.write_bytes(content)
        return place

    def until_done(self, action):
        """Tries until it succeeds; a try may fail only if the Hub was killed meanwhile."""
        while not self.campaign.over.is_set():
            if not self.campaign.up.wait(0.1):
                continue
            generation = self.campaign.generation
            try:
                action()
                return True
            except Exception as error:
                if self.campaign.generation == generation:
                    self.campaign.fault(f"{self.mode}: refused although nothing was killed: {told(error)}")
                self.campaign.counts["interrupted"] += 1
        return False


def told(error):
    """What an exception says, with those that it was made from."""
    texts = []
    while error is not None:
        texts.append(f"{type(error).__name__}: {error}")
        error = error.__cause__ or error.__context__
    return " <- ".join(texts)


def check(campaign):
    """Looks at the Hub while nobody serves it: is it sound, and is everything there that a client was told of?"""
    from rl_hub.accounts.identity import Identity
    from rl_hub.hub import Hub
    from rl_hub.maintenance import fsck
    from rl_hub.repositories import catalog, trees
    from rl_hub.settings import Settings

    with contextlib.closing(Hub.open(Settings(campaign.data))) as hub:
        for problem in fsck.check(hub).problems:
            campaign.fault(f"after kill {campaign.generation}: {problem}")
        with hub.database.read() as connection:
            for repository, files in list(campaign.acknowledged.items()):
                try:
                    found = catalog.find(connection, Identity(0, "admin", "read", True), "model", repository)
                except Exception as error:
                    campaign.fault(f"{repository} is gone: {error}")
                    continue
                there = {file.path: file.sha256 for file in trees.all_files(connection, found, found.sha)}
                for path, sha256 in list(files.items()):
                    if there.get(path) != sha256:
                        campaign.fault(f"{repository}: {path} has {there.get(path)} and not {sha256}")
                campaign.counts["files looked at"] += len(files)
