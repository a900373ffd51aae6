"""`make run`: a first student goes from nothing to a row on the board."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GAME = "SpaceInvadersNoFrameskip-v4"


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The folder of a finished walk, with what was printed."""
    folder = tmp_path_factory.mktemp("run")
    command = [sys.executable, str(ROOT / "leaderboard" / "first_student.py"), "--leave"]
    command += ["--data", str(folder / "classroom-data"), "--runs", str(folder / "logs"), "--port", "0"]
    command += ["--hub-port", "0", "--algo", "dqn", "--env", GAME, "--steps", "1500", "--episodes", "1"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return folder, finished.stdout


def test_the_walk_ends_with_the_row_on_the_board_and_its_address(walked):
    _, printed = walked

    assert re.search(rf"1\. first-student +first-student/dqn-{GAME} +-?\d+\.\d\d \(claimed\)", printed)
    assert re.search(r"http://localhost:\d+/boards/space-invaders ", printed)
    assert re.search(r"http://localhost:\d+/agents/1 ", printed)


def test_the_walk_shows_the_claimed_score_beside_the_verified_one(walked):
    _, printed = walked

    assert re.search(r"claimed -?\d+\.\d\d   verified -?\d+\.\d\d", printed)


def test_the_classroom_leaves_everything_in_its_folder(walked):
    folder, _ = walked

    assert {"leaderboard.sqlite", "hub", "secret.key"} <= {path.name for path in (folder / "classroom-data").iterdir()}
    log = (folder / "classroom-data" / "classroom.log").read_text().splitlines()
    assert not [line for line in log if json.loads(line)["levelname"] in ("ERROR", "CRITICAL")]
