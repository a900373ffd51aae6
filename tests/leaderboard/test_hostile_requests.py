"""Requests that nobody sends who only wants to look: what they cannot do."""

import logging
import socket

import pytest
from fastapi.testclient import TestClient

from leaderboard_agents import ASSIGNMENT, push, submit
from leaderboard_process import serving
from rl_leaderboard.people import sessions
from rl_leaderboard.web.bodies import MOST_BYTES

PAGE = f"/boards/{ASSIGNMENT}"


@pytest.fixture
def careless(app):
    """A browser whose failed requests are answered as the server answers them."""
    with TestClient(app, base_url="http://classroom.test", raise_server_exceptions=False) as browser:
        yield browser


# Bodies


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path", ["/api/v1/submissions", "/api/v1/webhooks", "/login"])
def test_a_body_that_is_too_large_is_refused_before_anybody_asks_who_sends_it(client, path):
    answer = client.post(path, content=b" " * (MOST_BYTES + 1), headers=JSON)

    assert answer.status_code == 413


def test_a_body_of_unknown_length_is_counted(client):
    pieces = (b" " * (MOST_BYTES // 4) for _ in range(5))

    answer = client.post("/api/v1/submissions", content=pieces, headers=JSON)

    assert answer.json() == {"error": "A request may have 1024 KiB at most.", "code": "too_large", "status": 413}


def test_a_body_of_just_the_limit_is_read(client):
    answer = client.post("/api/v1/submissions", content=b" " * MOST_BYTES, headers=JSON)

    assert answer.status_code != 413


def test_an_enormous_body_takes_no_memory(tmp_path):
    size, piece = 100 * 2**20, b" " * 2**20
    with serving(tmp_path / "classroom-data", hub=False) as classroom:
        before = classroom.memory
        host, port = classroom.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as sender:
            head = (
                "POST /api/v1/submissions HTTP/1.1",
                "Host: x",
                "Content-Type: application/json",
                f"Content-Length: {size}",
            )
            sender.sendall("\r\n".join((*head, "", "")).encode())
            for _ in range(99):
                sender.sendall(piece)
            after = classroom.memory
            answer = sender.recv(12)

    assert answer == b"HTTP/1.1 413"
    assert after - before < 30 * 2**20


# Host


SOUND = [
    "classroom.test",
    "localhost:7880",
    "10.0.0.7",
    "[::1]:7880",
    "rl_classroom",
    "XN--BCHER-KVA.example.",
    "a" * 253,
]
ODD = [
    *("a" * 254, "x" * 4000 + ".example", "", "a b", "a/b", "a@b", "a?b", "a#b", "a\\b", '"><script>', "a:b", "a:"),
    *("a:99999", "a:123456", "[", "[::1", "[::::]", "[1.2.3.4]", "::1", "a,b", "%41", b"\xfcber.example"),
]


@pytest.mark.parametrize("host", SOUND)
def test_whatever_may_be_a_host_is_answered(client, host):
    assert client.get("/boards", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/boards", PAGE, "/static/style.css", "/nowhere", "/api/v1/boards"])
@pytest.mark.parametrize("host", ODD)
def test_what_no_host_is_called_is_refused_wherever_it_would_go(client, host, path):
    answer = client.get(path, headers={"Host": host})

    assert answer.status_code == 400
    assert "The Host header" in answer.text
    assert "content-security-policy" in answer.headers


def test_two_hosts_are_refused(client):
    assert client.get("/boards", headers=[("Host", "a.example"), ("Host", "b.example")]).status_code == 400


# Kept pages


@pytest.mark.parametrize("value", ["", "false", "TRUE", "true, true", "1"])
def test_no_header_puts_a_part_in_the_place_of_a_whole_page(classroom, client, value):
    submit(classroom, push("ada"))

    asked = client.get(PAGE, headers={"HX-Request": value}).text
    assert "<html" in asked
    assert client.get(PAGE).text == asked


def test_whole_pages_and_parts_are_kept_apart(classroom, client):
    submit(classroom, push("ada"))
    part = {"HX-Request": "true"}
    answers = [client.get(PAGE, headers=headers).text for headers in (part, {}, part, {})]

    assert ["<html" in text for text in answers] == [False, True, False, True]


# Faults


@pytest.mark.parametrize("path", ["/boards", "/api/v1/boards", PAGE])
def test_a_fault_is_answered_with_the_headers_of_every_answer_and_logged_once(
    careless, monkeypatch, caplog, path, classroom
):
    sound = careless.get("/units").headers
    monkeypatch.setattr(type(classroom), "read", None)

    answer = careless.get(path)

    assert answer.status_code == 500
    assert "The site made a mistake here" in answer.text
    assert "NoneType" not in answer.text
    for name in ("content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy"):
        assert answer.headers[name] == sound[name]
    assert "x-request-id" in answer.headers
    assert [record.message for record in caplog.records if hasattr(record, "path") and record.exc_info] == [
        "A request failed."
    ]


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("below", ["/join/", "/certificates/", "/api/v1/certificates/"])
def test_no_log_has_the_code_of_an_invitation_or_a_certificate(careless, classroom, monkeypatch, caplog, below, fails):
    caplog.set_level(logging.WARNING, "httpx2")  # the browser of the test logs as well
    caplog.set_level(logging.INFO)
    if fails:
        # Whose session this is would have to be read.
        careless.cookies.set(sessions.COOKIE, "a session")
        monkeypatch.setattr(type(classroom), "read", None)

    answer = careless.get(f"{below}SECRET-CODE", follow_redirects=False)

    assert (answer.status_code == 500) is fails
    paths = [record.path for record in caplog.records if hasattr(record, "path")]
    assert paths == [f"{below}…"] * (1 + fails)
    assert "SECRET-CODE" not in caplog.text
