"""`python -m rl_hub serve`, as an operator starts it."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from hub_process import serving, start
from rl_hub.cli import main


def ask(endpoint, path="/healthz"):
    with urllib.request.urlopen(endpoint + path) as answer:
        return answer.read().decode()


def test_the_first_start_shows_an_administrator_once(tmp_path):
    with serving(tmp_path / "hub") as hub:
        assert "password" in hub.greeting
        assert json.loads(ask(hub.endpoint))["healthy"]
    with serving(tmp_path / "hub") as hub:
        assert "password" not in hub.greeting


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_graceful(tmp_path, number):
    hub = start(tmp_path / "hub", errors=subprocess.PIPE)
    hub.process.send_signal(number)
    assert hub.process.wait(timeout=60) == 0
    assert hub.process.stderr.read() == ""
    hub.process.stderr.close()
    assert not (tmp_path / "hub" / "hub.sqlite-wal").exists()


def test_a_folder_is_served_once(tmp_path, capsys):
    with serving(tmp_path / "hub"):
        assert main(["--data", str(tmp_path / "hub"), "serve", "--port", "0"]) == 2
    assert "is being served already" in capsys.readouterr().err


def test_a_taken_port_is_told_in_a_sentence(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--data", str(tmp_path / "hub"), "serve", "--port", str(port)]) == 2
    assert "Choose another --port" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_port_that_is_none_is_refused(tmp_path, capsys, port):
    with pytest.raises(SystemExit) as left:
        main(["--data", str(tmp_path / "hub"), "serve", f"--port={port}"])
    assert left.value.code == 2
    assert "from 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["nonsense", "postgresql+psycopg://hub:secret@127.0.0.1:1/hub", "oracle://x/y"])
def test_a_database_that_cannot_be_used_is_told_in_a_sentence(tmp_path, capsys, url):
    assert main(["--data", str(tmp_path / "hub"), "--database", url, "fsck"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("rl_hub: ")
    assert "secret" not in told


def test_the_log_has_a_json_object_a_line(tmp_path):
    hub = start(tmp_path / "hub", log_level="INFO", errors=subprocess.PIPE)
    ask(hub.endpoint, "/api/models?search=private")
    hub.process.terminate()
    lines = [json.loads(line) for line in hub.process.stderr.read().splitlines()]
    hub.process.wait(timeout=60)
    hub.process.stderr.close()
    requests = [line for line in lines if line["name"] == "rl_hub.requests"]
    assert [(line["path"], line["status"]) for line in requests] == [("/api/models", 200)]


@pytest.mark.parametrize("arguments", [["user", "list"], ["fsck"]])
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path, arguments):
    command = [sys.executable, "-m", "rl_hub", "--data", str(tmp_path / "hub"), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert "Broken pipe" not in process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
