"""Agents to judge, and sandboxed processes without a sandbox: the tests of one say nothing about the other."""

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from contextlib import contextmanager
from pathlib import Path

from rl_leaderboard.judge.players import PlayerLimits, PlayerPool

ROOT = Path(__file__).resolve().parents[1]

PRELUDE = """
import hashlib, json, os, struct, sys, time
def read(n):
    content = b""
    while len(content) < n:
        piece = os.read(0, n - len(content))
        if not piece:
            os._exit(0)
        content += piece
    return content
def receive():
    length, kind = struct.unpack(">IB", read(5))
    return kind, read(length - 1)
def send(kind, body):
    content = struct.pack(">IB", len(body) + 1, kind) + body
    while content:
        content = content[os.write(1, content):]
def say(kind, **document):
    send(kind, json.dumps(document).encode())
def be_born():
    say(101, versions={"python": "3"})
    kind, body = receive()
    opening = json.loads(body)
    secret = "s"
    say(102, nonce=opening["nonce"], commitment=hashlib.sha256(secret.encode()).hexdigest())
    for _ in opening["files"]:
        receive()
    return opening
def load():
    opening = be_born()
    say(103, algo="dqn", sha256="0" * 64, files=[])
    return opening
"""
"""For programs that stand in for `inside`, and do what it never would."""


class Launched:
    """Starts processes as a sandbox does, and remembers them.

    Args:
        code: Python to run instead of the module.
    """

    def __init__(self, code=None):
        self.code = code
        self.processes, self.folders = [], []

    def remove(self):
        """Removes the scratch folders."""
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)

    def __call__(self, module, arguments):
        """One more process, in a group of its own."""
        scratch = tempfile.mkdtemp(prefix="judge-players-")
        self.folders.append(scratch)
        program = ["-m", module, *arguments] if self.code is None else ["-c", self.code]
        process = subprocess.Popen(
            [sys.executable, *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=scratch,
            env={"TMPDIR": scratch, "HOME": scratch, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,
        )
        self.processes.append(process)
        return process


def instead_of_inside(body):
    """A launcher of programs that speak the protocol as far as `body` wants them to."""
    return Launched(PRELUDE + textwrap.dedent(body))


def inside_with(body):
    """A launcher of the real `inside`, whose forks do what `play(pipe, opening, folder)` in `body` does."""
    start = """
    from rl_leaderboard.judge.players import inside
    inside.serve(inside.take_over_standard_streams(), play, {})
    """
    helpers = """
    import json, os, time
    from rl_leaderboard.judge.players.messages import *
    def load(pipe, opening):
        for _ in opening["files"]:
            pipe.body(pipe.header()[1])
        pipe.send(json_frame(Kind.LOADED, {"algo": "dqn", "sha256": "0" * 64, "files": []}))
    """
    return Launched("\n".join(textwrap.dedent(part) for part in (helpers, body, start)))


@contextmanager
def pool_of(launcher, **limits):
    """A pool of one process, after which nothing runs."""
    try:
        with PlayerPool(launcher, 1, PlayerLimits(**limits)) as pool:
            yield pool
    finally:
        launcher.remove()
    assert [process.poll() is None for process in launcher.processes] == [False] * len(launcher.processes)
