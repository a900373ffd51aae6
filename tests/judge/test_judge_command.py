"""`python -m rl_leaderboard judge`: what it says, what it refuses, and how it ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from rl_leaderboard.classroom import Classroom
from rl_leaderboard.cli import main
from rl_leaderboard.judge import sandbox
from rl_leaderboard.settings import Settings
from rl_leaderboard.submissions import presence

PATIENCE = 120


@pytest.fixture
def data(tmp_path):
    """A classroom that has been opened once."""
    folder = tmp_path / "classroom-data"
    Classroom.open(Settings(folder)).close()
    return folder


@contextlib.contextmanager
def judging(data, **settings):
    """A judge in a process of its own, which is gone afterwards."""
    command = [sys.executable, "-m", "rl_leaderboard", "judge", "--workers", "2", "--log-level", "ERROR"]
    given = {f"RL_LEADERBOARD_{name}": value for name, value in {"DATA": str(data), "HUB": "no", **settings}.items()}
    environment = {**os.environ, **given}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def judges(data):
    """The sandboxes of the judges that say that they work."""
    classroom = Classroom.open(Settings(data))
    try:
        with classroom.read() as connection:
            return presence.isolations(connection)
    finally:
        classroom.close()


def wait_for(number, data, process):
    until = time.monotonic() + PATIENCE
    while len(judges(data)) != number:
        assert process.poll() is None or number == 0, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.mark.parametrize("number", ["0", "65", "-1", "two"])
def test_a_number_of_workers_that_cannot_be_is_refused(number, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["judge", "--workers", number])

    assert ended.value.code == 2
    assert "1 to 64" in capsys.readouterr().err


def test_without_the_sandbox_that_was_asked_for_nothing_is_played(data, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with judging(data, JUDGE_ISOLATION="A") as process:
        printed, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode == 2
    assert "No sandbox of at least the configured minimum" in errors
    assert "Traceback" not in errors
    assert printed == ""


def test_a_judge_says_how_well_it_fences_in_and_ends_in_good_order(data):
    try:
        tier = sandbox.available(sandbox.Tier.LANDLOCK)
    except sandbox.NoSandbox as error:
        pytest.skip(f"no sandbox works here: {error}")
    with judging(data) as process:
        assert process.stdout.readline() == f"The judge measures 2 at a time, in the sandbox {tier.value}.\n"
        wait_for(2, data, process)
        assert judges(data) == [tier.value] * 2
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0
    assert errors == ""
    assert judges(data) == []


def test_a_worker_that_is_killed_is_started_again(data):
    try:
        sandbox.available(sandbox.Tier.LANDLOCK)
    except sandbox.NoSandbox as error:
        pytest.skip(f"no sandbox works here: {error}")
    with judging(data) as process:
        wait_for(2, data, process)
        for child in _workers(process.pid):
            os.kill(child, signal.SIGKILL)
        wait_for(4, data, process)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0
    assert errors.count("is started again") == 2


def _workers(pid):
    """The processes of a judge's workers."""
    return [child.pid for child in psutil.Process(pid).children() if "spawn_main" in " ".join(child.cmdline())]
