"""Outgoing webhooks: told at least once, signed, and never where only the server may reach."""

import datetime
import json
import logging
import socket
import threading
import time

import anyio
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import update

from hub_clock import moving_clock
from leaderboard_agents import measure, push, submit
from leaderboard_api import Program
from leaderboard_receiver import Receiver, is_signed
from rl_hub import clock
from rl_hub.events import backoff
from rl_leaderboard.activity import addresses, deliveries, webhooks
from rl_leaderboard.activity.deliveries import Delivery
from rl_leaderboard.activity.feed import Activity
from rl_leaderboard.activity.sender import Sender
from rl_leaderboard.audit import log
from rl_leaderboard.database import tables
from rl_leaderboard.errors import BadRequest
from rl_leaderboard.people import people
from rl_leaderboard.settings import Settings
from rl_leaderboard.submissions import reception

PUBLIC = "93.184.215.14"


@pytest.fixture
def settings(tmp_path):
    """A school's network: its own addresses may be called."""
    return Settings(tmp_path / "classroom-data", private_webhooks=True)


@pytest.fixture
def receiver():
    with Receiver().running() as running:
        yield running


@pytest.fixture
def teacher(client, classroom):
    return Program.of(client, classroom, "grace", "teacher")


def register(teacher, url, kinds=("received", "scored")):
    answer = teacher.ask("POST", "/webhooks", json={"url": url, "kinds": list(kinds)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def waiting(teacher):
    return [webhook["waiting"] for webhook in teacher.get("/webhooks")["items"]]


@pytest.fixture
def nobody():
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def eventually(question, expected, seconds=30):
    until = time.monotonic() + seconds
    while (found := question()) != expected and time.monotonic() < until:
        time.sleep(0.02)
    assert found == expected


# What is told


def test_a_webhook_is_told_what_it_asked_for(classroom, teacher, receiver):
    secret = register(teacher, f"{receiver.address}/hook?key=1", ["scored"])["secret"]
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number, [10.0, 14.0])

    (told,) = receiver.wait_for(1)

    ((path, headers, body),) = receiver.requests
    assert path == "/hook"
    assert (told["kind"], told["assignment"]) == ("scored", "space-invaders")
    assert (told["payload"]["student"], told["payload"]["score"]) == ("ada", 10.0)
    assert datetime.datetime.fromisoformat(told["created_at"]).tzinfo is not None
    assert headers["content-type"] == "application/json"
    assert is_signed(secret, headers, body)
    assert not is_signed("another secret", headers, body)
    assert not is_signed(secret, headers, body + b" ")
    eventually(lambda: waiting(teacher), [0])


def test_everything_arrives_in_order(classroom, teacher, receiver):
    register(teacher, receiver.address)
    submit(classroom, *(push(f"s{number}") for number in range(8)))

    assert [told["payload"]["student"] for told in receiver.wait_for(8)] == [f"s{number}" for number in range(8)]


def test_what_fails_comes_again_under_the_same_number(classroom, teacher, receiver, monkeypatch):
    move = moving_clock(monkeypatch)
    receiver.status = 500
    register(teacher, receiver.address)
    submit(classroom, push("ada"))
    receiver.wait_for(1)
    eventually(lambda: teacher.get("/webhooks")["items"][0]["last_error"], "answered 500")

    receiver.status = 200
    move(60)
    receiver.wait_for(2)

    first, second = receiver.requests
    assert first[1]["X-RL-Classroom-Delivery"] == second[1]["X-RL-Classroom-Delivery"]
    assert first[2] == second[2]
    eventually(lambda: waiting(teacher), [0])


def test_what_a_killed_process_had_claimed_comes_again(classroom, teacher, receiver, monkeypatch):
    move = moving_clock(monkeypatch)
    webhook = register(teacher, receiver.address)
    with classroom.write() as connection:
        reception.receive(connection, classroom.course, [push("ada")])
        assert deliveries.claim(connection, webhook["id"]) is not None
        assert deliveries.claim(connection, webhook["id"]) is None
    assert receiver.wait_for(1, seconds=0.5) == []

    move(deliveries.CLAIM_SECONDS + 1)

    assert [told["payload"]["student"] for told in receiver.wait_for(1)] == ["ada"]


def test_one_that_fails_for_a_day_is_given_up(classroom, teacher, receiver, caplog):
    receiver.status = 500
    register(teacher, receiver.address)
    with classroom.write() as connection:
        reception.receive(connection, classroom.course, [push("ada")])
        connection.execute(update(tables.deliveries).values(attempts=backoff.WEBHOOKS.attempts - 1))

    receiver.wait_for(1)

    eventually(lambda: waiting(teacher), [0])
    assert "is given up" in caplog.text


def test_what_was_delivered_is_forgotten_after_a_week(classroom, teacher, receiver, monkeypatch):
    move = moving_clock(monkeypatch)
    register(teacher, receiver.address)
    submit(classroom, push("ada"))
    eventually(lambda: teacher.get("/webhooks")["items"][0]["last_delivered_at"] is not None, True)

    move(8 * 24 * 3600)
    with classroom.write() as connection:
        deliveries.prune(connection)

    assert teacher.get("/webhooks")["items"][0]["last_delivered_at"] is None


def test_a_teacher_who_is_none_any_more_hears_nothing(classroom, teacher, receiver):
    register(teacher, receiver.address)
    with classroom.write() as connection:
        people.change_role(connection, teacher.person.id, "student")
    submit(classroom, push("ada"))

    assert receiver.wait_for(1, seconds=0.5) == []


def test_a_name_is_told_as_it_is_shown_when_it_is_told(classroom, teacher, receiver, client, monkeypatch):
    move = moving_clock(monkeypatch)
    ada = Program.of(client, classroom, "ada")
    receiver.status = 503
    register(teacher, receiver.address)
    submit(classroom, push("ada"))
    eventually(lambda: teacher.get("/webhooks")["items"][0]["last_error"], "answered 503")
    with classroom.write() as connection:
        people.change_privacy(connection, ada.person, pseudonym="Countess", is_public=False)

    receiver.status = 200
    move(60)
    receiver.wait_for(2)

    assert b"ada" not in receiver.requests[1][2]


# Whose they are


def test_the_secret_is_shown_once(teacher, receiver):
    made = register(teacher, receiver.address)

    assert len(made["secret"]) > 40
    for path in ("/webhooks", f"/webhooks/{made['id']}"):
        assert made["secret"] not in teacher.ask("GET", path).text


def test_webhooks_are_for_teachers(client, classroom):
    student = Program.of(client, classroom, "ada")
    body = {"url": "https://example.org", "kinds": ["scored"]}

    assert student.ask("GET", "/webhooks").status_code == 403
    assert student.ask("POST", "/webhooks", json=body).status_code == 403
    assert client.post("/api/v1/webhooks", json=body).status_code == 401


def test_a_teacher_neither_sees_nor_deletes_somebody_elses(client, classroom, teacher, receiver):
    made = register(teacher, receiver.address)
    other = Program.of(client, classroom, "alan", "teacher")

    assert other.get("/webhooks")["items"] == []
    assert other.ask("GET", f"/webhooks/{made['id']}").status_code == 404
    assert other.ask("DELETE", f"/webhooks/{made['id']}").status_code == 404
    assert teacher.ask("DELETE", f"/webhooks/{made['id']}").status_code == 204
    assert teacher.get("/webhooks")["items"] == []
    with classroom.read() as connection:
        assert [(entry.actor_name, entry.action) for entry in log.latest(connection, 9)] == [
            ("grace", "webhook.delete"),
            ("grace", "webhook.create"),
        ]


def test_a_teacher_has_so_many_at_most(teacher, monkeypatch, receiver):
    monkeypatch.setattr(webhooks, "MOST_PER_PERSON", 1)
    register(teacher, receiver.address)

    answer = teacher.ask("POST", "/webhooks", json={"url": receiver.address, "kinds": ["scored"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("kinds", [[], ["everything"], ["scored", "x"], "scored", None])
def test_a_kind_that_nothing_is_of_is_refused(teacher, receiver, kinds):
    assert teacher.ask("POST", "/webhooks", json={"url": receiver.address, "kinds": kinds}).status_code == 400


# Where they lead

REFUSED = [
    "http://127.0.0.1/",
    "http://127.8.9.1/",
    "http://localhost/",
    "http://localhost:8080/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[feff:1::1]/",
    "http://192.88.99.1/",
    "http://[fc00::1]/",
    "http://[ff02::1]/",
    "http://0.0.0.0/",
    "http://0/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.1/",
]
UNREADABLE = [
    "",
    "example.org",
    "//example.org",
    "ftp://example.org/",
    "file:///etc/passwd",
    "gopher://example.org/",
    "http://",
    "http:///path",
    "http://user@example.org/",
    "http://user:secret@example.org/",
    "http://example.org:22/",
    "http://example.org:0/",
    "http://example.org:99999/",
    "http://example.org:x/",
    "http://exa mple.org/",
    "http://example.org/\r\nHost: x",
    "http://example.org\\@127.0.0.1/",
    "http://127.0.0.1%2eexample.org/",
    "http://ex\u00e4mple.org/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://[::1",
    "http://[fe80::1%25eth0]/",
    "http://example.org/" + "x" * 3000,
]


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_inside_is_refused(url):
    with pytest.raises(BadRequest, match=r"private or special|cannot be found|begins with"):
        addresses.check(url, allow_private=False)


@pytest.mark.parametrize("url", UNREADABLE)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(BadRequest):
        addresses.check(url, allow_private=True, resolver=lambda *_: [PUBLIC])


@pytest.mark.parametrize(
    "found", [["10.0.0.1"], ["::1"], [PUBLIC, "127.0.0.1"], ["::ffff:192.168.0.1"], ["not an address"], []]
)
def test_a_name_that_leads_inside_is_refused(found):
    with pytest.raises(BadRequest):
        addresses.check("https://hooks.example.org/", allow_private=False, resolver=lambda *_: found)


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_name_that_leads_outside_is_accepted(address):
    target = addresses.check("https://hooks.example.org:8443/a?b=c", allow_private=False, resolver=lambda *_: [address])

    assert target.addresses == (address,)
    assert (target.authority, target.port, target.path) == ("hooks.example.org:8443", 8443, "/a?b=c")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "fd00::1", "::ffff:10.0.0.1", "::1"])
def test_a_school_can_allow_its_own_network(address):
    assert addresses.check("http://hooks/", allow_private=True, resolver=lambda *_: [address])


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "240.0.0.1", "64:ff9b::1", "fec0::1"]
)
def test_what_is_nobodys_network_is_refused_even_then(address):
    with pytest.raises(BadRequest):
        addresses.check("http://hooks/", allow_private=True, resolver=lambda *_: [address])


def test_the_api_refuses_an_address_inside(client, classroom, teacher):
    inside = {"url": "http://169.254.169.254/latest", "kinds": ["scored"]}

    answer = teacher.ask("POST", "/webhooks", json=inside)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "169.254" not in answer.text


def delivery(url, secret="secret"):
    activity = Activity(7, "scored", "space-invaders", 1, {"student": "ada"}, clock.now())
    return Delivery(3, 1, activity, url, secret, 0)


def send(url, *, allow_private=True, resolver=addresses.resolve, secret="secret"):
    async def run():
        return await Sender(allow_private=allow_private, resolver=resolver).send(delivery(url, secret))

    return anyio.run(run)


def test_an_address_that_leads_inside_meanwhile_is_not_called(receiver):
    error = send(receiver.address.replace("127.0.0.1", "hooks.example.org"), allow_private=False, resolver=inside)

    assert error == "the address leads nowhere, or where nothing may be sent"
    assert receiver.requests == []


def inside(_host, _port):
    return ["127.0.0.1"]


def test_the_address_that_was_checked_is_the_one_that_is_called(receiver):
    asked = []

    def resolver(host, port):
        asked.append(host)
        # Whoever resolves the name again gets another answer.
        return ["127.0.0.1"] if len(asked) == 1 else [PUBLIC]

    url = receiver.address.replace("127.0.0.1", "hooks.example.org")

    assert send(url, resolver=resolver) is None
    assert asked == ["hooks.example.org"]
    assert receiver.requests[0][1]["host"] == url.removeprefix("http://")


def test_the_next_address_is_tried_where_the_first_does_not_answer(receiver):
    url = receiver.address.replace("127.0.0.1", "hooks.example.org")

    assert send(url, resolver=lambda *_: ["::1", "127.0.0.1"]) is None


def test_a_redirect_is_not_followed(receiver):
    receiver.status, receiver.headers = 307, {"Location": f"{receiver.address}/inside"}

    assert send(f"{receiver.address}/hook") == "answered 307"
    assert [path for path, _, _ in receiver.requests] == ["/hook"]


def test_no_proxy_of_the_environment_comes_between(receiver, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert send(receiver.address) is None


def test_neither_address_nor_secret_is_in_the_log(classroom, teacher, nobody, caplog):
    with caplog.at_level(logging.DEBUG):
        made = register(teacher, f"{nobody}/hook-key-1234")
        submit(classroom, push("ada"))
        eventually(lambda: teacher.get("/webhooks")["items"][0]["last_error"], "not reached: ConnectError")

    shown = caplog.text + repr(delivery(f"{nobody}/hook-key-1234", made["secret"]))
    assert "hook-key-1234" not in shown
    assert made["secret"] not in shown


def test_tls_is_checked_against_the_name_and_not_the_number(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path, "hooks.example.org")))
    receiver = Receiver()
    config = uvicorn.Config(
        receiver.app(),
        port=0,
        log_config=None,
        ssl_certfile=tmp_path / "certificate.pem",
        ssl_keyfile=tmp_path / "key.pem",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started, True)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        assert send(f"https://hooks.example.org:{port}/", resolver=inside) is None
        assert send(f"https://evil.example.org:{port}/", resolver=inside) == "not reached: ConnectError"
    finally:
        server.should_exit = True
        thread.join()
    assert len(receiver.requests) == 1
    assert json.loads(receiver.requests[0][2])["id"] == 7


def certificate(folder, name):
    """A self-signed certificate for a name, with its key beside it; the path of the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
