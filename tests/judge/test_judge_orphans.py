"""What a judge's processes do when the one that looks after them is killed: they end, too."""

import os
import re
import subprocess
import sys
import time

import psutil
import pytest

from hub_process import launch
from rl_leaderboard.judge import sandbox

PATIENCE = 120


@pytest.fixture
def environment(tmp_path):
    """A classroom's settings; the test is skipped where the judge plays nobody."""
    try:
        sandbox.available(sandbox.Tier.LANDLOCK)
    except sandbox.NoSandbox as error:
        pytest.skip(f"no sandbox works here: {error}")
    return {"RL_LEADERBOARD_DATA": str(tmp_path / "classroom-data")}


def command(*options):
    return [sys.executable, "-m", "rl_leaderboard", *options, "--log-level", "ERROR"]


def command_of(process):
    """Its command; empty if it ended a moment ago."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def wait_for(process, part, count=1):
    """The children of a process that have this in their command, once there are so many."""
    until = time.monotonic() + PATIENCE
    while True:
        found = [child for child in psutil.Process(process.pid).children() if part in command_of(child)]
        if len(found) == count:
            return found
        assert time.monotonic() < until
        time.sleep(0.1)


def test_workers_end_when_their_judge_is_killed(environment):
    given = {**os.environ, **environment, "RL_LEADERBOARD_HUB": "no"}
    with subprocess.Popen(command("judge", "--workers", "2"), env=given, stdout=subprocess.DEVNULL) as judge:
        try:
            workers = wait_for(judge, "spawn_main", 2)
        finally:
            judge.kill()

    assert psutil.wait_procs(workers, PATIENCE)[1] == []


def test_a_judge_ends_when_the_server_that_has_started_it_is_killed(environment):
    serve = command("serve", "--port", "0", "--hub-port", "0", "--workers", "1")
    server, _ = launch(serve, re.compile("HF_ENDPOINT"), environment)
    (judge,) = wait_for(server, "judge")
    (worker,) = wait_for(judge, "spawn_main")
    server.kill()
    server.wait()

    assert psutil.wait_procs([judge, worker], PATIENCE)[1] == []


def test_a_judge_that_is_killed_is_started_again_by_its_server(environment):
    serve = command("serve", "--port", "0", "--hub-port", "0", "--workers", "1")
    server, _ = launch(serve, re.compile("HF_ENDPOINT"), environment)
    try:
        (first,) = wait_for(server, "judge")
        first.kill()
        psutil.wait_procs([first], PATIENCE)
        (second,) = wait_for(server, "judge")
    finally:
        server.terminate()
        server.wait()

    assert second.pid != first.pid
    assert psutil.wait_procs([second], PATIENCE)[1] == []
