"""`python -m rl_leaderboard serve`, as an operator starts it."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from sqlalchemy import insert

from hub_process import start as start_hub
from leaderboard_process import serving, start
from rl_hub import clock
from rl_hub.cli import main as hub_main
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.cli import main
from rl_leaderboard.database.tables import activities
from rl_leaderboard.settings import Settings

# What a start has no use for: each of them would cost it time and memory.
LAZY = {"alembic", "authlib", "huggingface_hub", "numpy", "pandas", "prometheus_client", "reportlab", "torch"}
OPEN = """
import json, sys
from pathlib import Path
from rl_leaderboard.cli import main
from rl_leaderboard.commands import serve
from rl_leaderboard.commands.opening import opened
from rl_leaderboard.settings import Settings
from rl_leaderboard.web.app import create_app
with opened(Settings(Path(sys.argv[1]))) as classroom:
    create_app(classroom)
    serve._hub_configuration(classroom).load()
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def ask(address, path="/healthz"):
    with urllib.request.urlopen(address + path, timeout=30) as answer:
        return answer.read().decode()


@pytest.fixture
def data(tmp_path):
    return tmp_path / "classroom-data"


@pytest.fixture
def command(monkeypatch, data):
    """Runs a command of this classroom in the tests' own process; returns its exit code."""
    monkeypatch.setenv("RL_LEADERBOARD_DATA", str(data))

    def run(*arguments):
        return main(list(arguments))

    return run


def test_one_process_serves_the_pages_and_the_hub_and_shows_the_administrator_once(data):
    with serving(data) as classroom:
        assert "password" in classroom.greeting
        assert json.loads(ask(classroom.address))["hub"] is True
        assert json.loads(ask(classroom.endpoint))["healthy"]
    with serving(data) as classroom:
        assert "password" not in classroom.greeting


def test_without_a_hub_the_pages_are_served_alone(data):
    with serving(data, hub=False) as classroom:
        assert "HF_ENDPOINT" not in classroom.greeting
        assert json.loads(ask(classroom.address))["hub"] is None
    assert not (data / "hub").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_both_in_good_order(data, number):
    classroom = start(data, errors=subprocess.PIPE)
    classroom.process.send_signal(number)
    assert classroom.process.wait(timeout=30) == 0
    assert classroom.process.stderr.read() == ""
    classroom.process.stderr.close()
    assert list(data.rglob("*.sqlite-wal")) == []


def test_a_stop_does_not_wait_for_whoever_listens_to_events(data):
    classroom = start(data)
    with urllib.request.urlopen(f"{classroom.address}/live", timeout=30) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        began = time.monotonic()
        assert classroom.stop() == 0
        assert time.monotonic() - began < 8


def test_a_second_ctrl_c_ends_it_at_once(data):
    """Somebody sends a request and never its end, for which the first Ctrl-C would wait."""
    classroom = start(data)
    host, port = classroom.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(b"POST /api/repos/create HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.3)
        classroom.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert classroom.process.poll() is None
        classroom.process.send_signal(signal.SIGINT)
        began = time.monotonic()
        classroom.process.wait(timeout=60)
        assert time.monotonic() - began < 10


def test_a_folder_is_served_once(data, command, capsys):
    with serving(data):
        assert command("serve", "--port", "0", "--hub-port", "0") == 2
    assert "The classroom in" in (told := capsys.readouterr().err)
    assert "is being served already" in told


def test_a_hub_that_is_served_elsewhere_is_told_in_a_sentence(data, command, capsys):
    hub = start_hub(data / "hub")
    try:
        assert command("serve", "--port", "0", "--hub-port", "0") == 2
    finally:
        hub.stop()
    assert "The Hub in" in (told := capsys.readouterr().err)
    assert "is being served already" in told


def test_the_hub_of_a_served_classroom_is_not_served_again(data, capsys):
    with serving(data):
        assert hub_main(["--data", str(data / "hub"), "serve", "--port", "0"]) == 2
    assert "is being served already" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--port", "--hub-port"])
def test_a_taken_port_is_told_in_a_sentence(command, capsys, flag):
    free = {"--port": "0", "--hub-port": "0"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = free | {flag: str(taken.getsockname()[1])}
        assert command("serve", *(part for pair in ports.items() for part in pair)) == 2
    assert f"Choose another {flag}, " in capsys.readouterr().err


def test_the_log_tells_no_query_and_no_invitation(data):
    classroom = start(data, log_level="INFO", errors=subprocess.PIPE)
    ask(classroom.address, "/api/v1/boards?search=private")
    with contextlib.suppress(urllib.error.HTTPError):
        ask(classroom.address, "/join/a-secret-code")
    classroom.process.terminate()
    lines = [json.loads(line) for line in classroom.process.stderr.read().splitlines()]
    classroom.process.wait(timeout=60)
    classroom.process.stderr.close()

    paths = [line["path"] for line in lines if line["name"] == "rl_hub.requests"]
    assert paths[:2] == ["/api/v1/boards", "/join/…"]
    assert not [line for line in lines if "secret-code" in json.dumps(line) or "private" in json.dumps(line)]


def test_what_another_process_writes_is_seen(data):
    with serving(data, hub=False) as classroom:
        other = Classroom.open(Settings(data, hub_embedded=False))
        with other.write() as connection:
            row = {"kind": "received", "payload": "{}", "created_at": clock.now()}
            connection.execute(insert(activities).values(row))
        other.close()
        assert json.loads(ask(classroom.address, "/api/v1/activity"))["items"]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_served_classroom_takes_less_memory_than_promised(data):
    with serving(data) as classroom:
        ask(classroom.address)
        assert classroom.memory < 150 * 10**6


def test_a_start_imports_nothing_that_it_has_no_use_for(data):
    def imported():
        command = [sys.executable, "-c", OPEN, str(data)]
        return set(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))

    imported()

    # The first start has migrated.
    assert imported() & LAZY == set()
