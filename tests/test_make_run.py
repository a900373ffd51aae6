"""`make run`: a first student goes from nothing to a row on the board."""

import contextlib
import importlib.util
import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "leaderboard" / "first_student.py"
GAME = "SpaceInvadersNoFrameskip-v4"
REFUSAL = "No sandbox of at least the configured minimum works here."
FAULT = {"levelname": "ERROR", "message": "Worker 1 has ended with 1 and is started again."}


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The folder of a finished walk, with what was printed."""
    folder = tmp_path_factory.mktemp("run")
    command = [sys.executable, str(SCRIPT), "--leave"]
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


@pytest.fixture
def walk(monkeypatch):
    """The script, imported."""
    spec = importlib.util.spec_from_file_location("first_student", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    return module


@contextlib.contextmanager
def answering(*, judges, states=("queued",), status=200):
    """The address of a classroom in which so many judges work; the last state of the submission stays."""
    left = list(states)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            is_health = self.path == "/healthz"
            body = {"judges": judges} if is_health else {"state": left.pop(0) if len(left) > 1 else left[0]}
            self.send_response(status if is_health else 200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def log(tmp_path):
    """A log in which nothing is wrong, and whose last line is not whole yet."""
    path = tmp_path / "classroom.log"
    path.write_text(json.dumps({"levelname": "INFO", "message": "request"}) + "\n" + '{"levelname": "ERR')
    return path


def test_a_judge_that_could_not_start_ends_the_wait_at_once_with_its_reason(walk, log):
    log.write_text(f"rl_leaderboard: {REFUSAL}\n")
    with answering(judges=0) as address, pytest.raises(walk.NoVerdict) as ended:
        walk.wait_for_verdict(address, 1, log, 0)

    assert f"No judge is at work, so the score stays a claim. Its last words: {REFUSAL}" in str(ended.value)
    assert "RL_LEADERBOARD_JUDGE_ISOLATION" in str(ended.value)


def test_what_an_earlier_run_has_left_in_the_log_is_not_this_ones_reason(walk, log, monkeypatch):
    monkeypatch.setattr(walk, "_JUDGE_SECONDS", 0)
    log.write_text(f"rl_leaderboard: {REFUSAL}\n")
    with answering(judges=0) as address, pytest.raises(walk.NoVerdict) as ended:
        walk.wait_for_verdict(address, 1, log, log.stat().st_size)

    assert f"{log} does not say why." in str(ended.value)


def test_where_no_judge_has_come_after_a_while_the_last_error_of_the_log_is_told(walk, log, monkeypatch):
    monkeypatch.setattr(walk, "_JUDGE_SECONDS", 0)
    log.write_text(json.dumps(FAULT) + "\n" + log.read_text())
    with answering(judges=0, status=503) as address, pytest.raises(walk.NoVerdict) as ended:
        walk.wait_for_verdict(address, 1, log, 0)

    assert f"Its last words: {FAULT['message']}" in str(ended.value)


def test_while_a_judge_is_at_work_the_verdict_is_waited_for(walk, log, monkeypatch):
    monkeypatch.setattr(walk, "_JUDGE_SECONDS", 0)
    with answering(judges=1, states=("queued", "running", "scored")) as address:
        assert walk.wait_for_verdict(address, 1, log, 0)["state"] == "scored"
