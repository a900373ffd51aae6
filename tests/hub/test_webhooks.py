"""Webhooks: who may have them, what they receive, and that they receive it."""

import contextlib
import http.server
import json
import logging
import os
import queue
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import anyio
import httpx2
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from hub_server import served
from rl_hub import cli, clock
from rl_hub.accounts import tokens, users
from rl_hub.database import tables
from rl_hub.errors import BadRequest, NotFound, QuotaExceeded
from rl_hub.events import backoff, deliveries, dispatcher, sender, webhooks
from rl_hub.events.backoff import Backoff
from rl_hub.events.dispatcher import dispatching
from rl_hub.events.feed import record
from rl_hub.events.webhooks import Watched
from rl_hub.hub import Hub
from rl_hub.settings import Settings
from rl_hub.web.app import create_app

SHA = "ab" * 20
ALICE = (Watched("user", "alice"),)


@dataclass(frozen=True)
class Repository:
    id: int = 7
    kind: str = "model"
    owner_id: int = 1
    owner_name: str = "Alice"
    name: str = "ppo"
    private: bool = False
    sha: str = SHA


class Receiver:
    """An address that remembers what it received.

    Attributes:
        received: Headers and parsed bodies, in order.
        answers: Status codes to give, one a request; 200 when they are used up.
    """

    def __init__(self):
        self.received = queue.Queue()
        self.answers = []
        self.headers = {}
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                content = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.put((dict(self.headers), json.loads(content)))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def next(self):
        """The next thing that is received."""
        return self.received.get(timeout=10)


@pytest.fixture
def receiver():
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def admin(hub):
    with hub.database.write() as connection:
        users.ensure_administrator(connection)
        return users.get(connection, users.ADMINISTRATOR)


@pytest.fixture
def quick(monkeypatch):
    """Failures are tried again at once."""
    monkeypatch.setattr(backoff, "WEBHOOKS", Backoff(0.01, 0.01, attempts=3))
    monkeypatch.setattr(dispatcher, "_LOOK_SECONDS", 0.02)


@pytest.fixture
def told(hub):
    """Tells the hub's events in a thread while the test runs."""
    portals = contextlib.ExitStack()
    with portals, anyio.from_thread.start_blocking_portal() as portal:
        portals.enter_context(portal.wrap_async_context_manager(dispatching(hub)))
        yield
        portals.close()


def add_webhook(hub, url, watched=ALICE, secret=None):
    with hub.database.write() as connection:
        users.ensure_administrator(connection)
        return webhooks.create(connection, users.get(connection, "admin").id, url, watched, secret=secret)


def happen(hub, repository=Repository(), action="update", scope="repo.content", **more):
    with hub.database.write() as connection:
        event_id = record(connection, action, scope, repository, **more)
    hub.wake()
    return event_id


def waiting(hub):
    """The ids of webhooks with a delivery each that waits."""
    table = tables.deliveries
    with hub.database.read() as connection:
        return list(connection.scalars(select(table.c.webhook_id).where(table.c.delivered_at.is_(None))))


def wait_until(condition):
    """Waits for what another thread does; in vain for ten seconds at most."""
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it has not happened")


# Who watches what


@pytest.mark.parametrize(
    ("watched", "hears"),
    [
        (Watched("user", "alice"), True),
        (Watched("org", "ALICE"), True),
        (Watched("model", "alice/PPO"), True),
        (Watched("user", "bob"), False),
        (Watched("dataset", "alice/ppo"), False),
        (Watched("model", "alice/dqn"), False),
    ],
)
def test_a_webhook_hears_of_what_it_watches(hub, watched, hears):
    webhook = add_webhook(hub, "http://127.0.0.1/", [watched])
    happen(hub)

    assert waiting(hub) == ([webhook.id] if hears else [])


def test_a_move_is_told_to_those_who_watched_the_old_name(hub):
    webhook = add_webhook(hub, "http://127.0.0.1/", [Watched("model", "bob/ppo")])
    happen(hub, action="move", scope="repo", moved_from="bob/ppo")

    assert waiting(hub) == [webhook.id]


def test_a_webhook_for_discussions_hears_nothing_of_repositories(hub):
    webhook = add_webhook(hub, "http://127.0.0.1/")
    with hub.database.write() as connection:
        webhooks.change(connection, webhook.id, domains=["discussion"])
    happen(hub)

    assert waiting(hub) == []


def test_a_disabled_webhook_hears_nothing_until_it_is_enabled(hub):
    webhook = add_webhook(hub, "http://127.0.0.1/")
    with hub.database.write() as connection:
        webhooks.change(connection, webhook.id, enabled=False)
    happen(hub)
    with hub.database.write() as connection:
        webhooks.change(connection, webhook.id, enabled=True)

    assert waiting(hub) == []


def test_what_waits_is_dropped_when_the_webhook_is_disabled(hub):
    webhook = add_webhook(hub, "http://127.0.0.1/")
    happen(hub)
    with hub.database.write() as connection:
        webhooks.change(connection, webhook.id, enabled=False)
        assert deliveries.claim(connection, webhook.id) is None

    assert waiting(hub) == []


# What is accepted


@pytest.fixture(scope="module")
def create(tmp_path_factory):
    """Asks for a webhook that will be refused, so that all these tests can ask the same Hub."""
    opened = Hub.open(Settings(tmp_path_factory.mktemp("refusing") / "hub-data"))
    with opened.database.write() as connection:
        owner = users.create(connection, "boss", is_admin=True)

    def ask(*arguments, **more):
        with opened.database.write() as connection:
            webhooks.create(connection, owner.id, *arguments, **more)

    yield ask
    opened.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.org/",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
        "http://host:0/",
        "http://host:99999/",
        "//example.org/",
        "http://example.org/a b",
        "http://example.org/\r\nX-Injected: 1",
        "http://exämple.org/",
        "http://example.org/" + "a" * 2048,
        "javascript:alert(1)",
    ],
)
def test_an_address_that_cannot_be_called_is_refused(create, url):
    with pytest.raises(BadRequest, match="http:// or https://"):
        create(url, ALICE)


def test_an_address_with_a_password_is_refused(create):
    with pytest.raises(BadRequest, match="Leave name and password out"):
        create("http://user:password@example.org/", ALICE)


@pytest.mark.parametrize("secret", ["", " a", "a ", "a\r\nb", "ä", "a" * 257])
def test_a_secret_that_no_header_carries_unchanged_is_refused(create, secret):
    with pytest.raises(BadRequest, match="sent in a header"):
        create("http://example.org/", ALICE, secret=secret)


@pytest.mark.parametrize(
    "watched", [("planet", "mars"), ("user", "a/b"), ("model", "ppo"), ("model", "a/b/c"), ("user", "")]
)
def test_what_cannot_be_watched_is_refused(create, watched):
    with pytest.raises(BadRequest):
        create("http://example.org/", [Watched(*watched)])


def test_a_webhook_that_watches_nothing_is_refused(create):
    with pytest.raises(BadRequest, match="has to watch something"):
        create("http://example.org/", [])


def test_a_webhook_that_watches_too_much_is_refused(create):
    with pytest.raises(BadRequest, match="1000 names at most"):
        create("http://example.org/", ALICE * 1001)


@pytest.mark.parametrize("domains", [[], ["everything"]])
def test_an_unknown_domain_is_refused(create, domains):
    with pytest.raises(BadRequest, match='"repo", "discussion", or both'):
        create("http://example.org/", ALICE, domains)


def test_there_are_not_too_many_webhooks(hub, monkeypatch):
    monkeypatch.setattr(webhooks, "MOST_WEBHOOKS", 1)
    add_webhook(hub, "http://example.org/")
    with pytest.raises(QuotaExceeded, match="1 webhooks already"):
        add_webhook(hub, "http://example.org/")


@given(url=st.text(max_size=60), name=st.text(max_size=20), kind=st.sampled_from(["user", "model", "x"]))
def test_whatever_is_sent_is_taken_or_refused_with_a_sentence(url, name, kind):
    for check, value in ((webhooks._check_url, url), (webhooks._check_watched, [Watched(kind, name)])):
        with contextlib.suppress(BadRequest):
            check(value)


# What is received


def test_a_receiver_gets_the_event_with_its_secret(hub, receiver, told):
    webhook = add_webhook(hub, receiver.url, secret="open sesame")
    happen(hub)
    headers, payload = receiver.next()

    assert headers["X-Webhook-Secret"] == "open sesame"
    assert headers["Content-Type"] == "application/json"
    assert payload["event"] == {"action": "update", "scope": "repo.content"}
    assert payload["webhook"] == {"id": webhook.id, "version": 3}


def test_without_a_secret_there_is_no_header_for_it(hub, receiver, told):
    add_webhook(hub, receiver.url)
    happen(hub)

    assert "X-Webhook-Secret" not in receiver.next()[0]


def test_events_arrive_once_and_in_order_when_all_goes_well(hub, receiver, told):
    add_webhook(hub, receiver.url)
    for number in range(20):
        happen(hub, Repository(sha=f"{number:040x}"))

    assert [int(receiver.next()[1]["repo"]["headSha"], 16) for _ in range(20)] == list(range(20))
    assert receiver.received.empty()


def test_what_a_receiver_refuses_comes_again(hub, receiver, quick, told):
    receiver.answers = [500, 302]
    receiver.headers = {"Location": receiver.url}
    add_webhook(hub, receiver.url)
    happen(hub)
    shas = [receiver.next()[1]["repo"]["headSha"] for _ in range(3)]

    assert shas == [SHA] * 3


def test_a_redirection_is_not_followed(hub, receiver, quick, told):
    receiver.answers = [307, 307, 307]
    receiver.headers = {"Location": f"{receiver.url}/elsewhere"}
    add_webhook(hub, receiver.url)
    happen(hub)
    for _ in range(3):
        receiver.next()
    wait_until(lambda: waiting(hub) == [])

    assert receiver.received.empty()


def test_a_delivery_is_given_up_in_the_end_and_the_log_says_so(hub, quick, told, caplog):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        closed = f"http://127.0.0.1:{nobody.getsockname()[1]}/secret-path"
    webhook = add_webhook(hub, closed, secret="open sesame")
    caplog.set_level(logging.DEBUG)
    happen(hub)
    wait_until(lambda: "given up" in caplog.text)

    assert f"Webhook {webhook.id} has not taken event 1 in 3 attempts (not reached: ConnectError)" in caplog.text
    assert "secret-path" not in caplog.text
    assert "sesame" not in caplog.text


def test_a_failure_can_be_looked_up(hub, receiver, monkeypatch, told):
    receiver.answers = [503]
    webhook = add_webhook(hub, receiver.url)
    happen(hub)
    receiver.next()

    def failed():
        with hub.database.read() as connection:
            return deliveries.backlog(connection, webhook.id)

    wait_until(lambda: failed().last_error)

    assert failed() == deliveries.Backlog(1, None, "answered 503")


def test_a_receiver_that_does_not_answer_does_not_hold_the_others_up(hub, receiver, told):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        add_webhook(hub, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        add_webhook(hub, receiver.url)
        happen(hub)
        happen(hub)

        assert [receiver.next()[1]["repo"]["id"] for _ in range(2)] == ["7", "7"]


def test_a_receiver_that_does_not_answer_is_left(hub, quick, told, monkeypatch, caplog):
    monkeypatch.setattr(sender, "SEND_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        add_webhook(hub, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        happen(hub)
        wait_until(lambda: "no answer within 0.05 seconds" in caplog.text)
        wait_until(lambda: waiting(hub) == [])


def test_an_answer_that_never_ends_is_not_read(hub, told):
    with socket.create_server(("127.0.0.1", 0)) as endless:
        add_webhook(hub, f"http://127.0.0.1:{endless.getsockname()[1]}/")
        happen(hub)
        connection, _ = endless.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                wait_until(lambda: connection.send(b"5\r\nagain\r\n") and waiting(hub) == [])
        wait_until(lambda: waiting(hub) == [])


def test_a_webhook_whose_row_cannot_be_read_does_not_stop_the_others(hub, receiver, quick, told, caplog):
    broken = add_webhook(hub, receiver.url)
    event_id = happen(hub)
    receiver.next()
    with hub.database.write() as connection:
        connection.execute(tables.events.update().values(payload="no JSON"))
        row = {"webhook_id": broken.id, "event_id": event_id, "next_attempt_at": clock.now()}
        connection.execute(tables.deliveries.insert().values(row))
    add_webhook(hub, receiver.url, [Watched("user", "bob")])
    happen(hub, Repository(owner_name="bob"))

    assert receiver.next()[1]["repo"]["name"] == "bob/ppo"
    wait_until(lambda: f"Webhook {broken.id} could not be served" in caplog.text)


def test_a_claimed_delivery_is_nobody_elses(hub):
    webhook = add_webhook(hub, "http://127.0.0.1/")
    happen(hub)
    with hub.database.write() as connection:
        assert deliveries.claim(connection, webhook.id).event_id == 1
        assert deliveries.claim(connection, webhook.id) is None


def test_a_delivery_shows_no_secret_in_a_log(hub):
    webhook = add_webhook(hub, "http://127.0.0.1/secret-path", secret="open sesame")
    happen(hub)
    with hub.database.write() as connection:
        shown = repr(deliveries.claim(connection, webhook.id))

    assert shown == f"Delivery(1, webhook {webhook.id}, event 1)"


def test_what_was_delivered_is_forgotten_after_a_while(hub, receiver, told, monkeypatch):
    webhook = add_webhook(hub, receiver.url)
    happen(hub)
    wait_until(lambda: waiting(hub) == [])
    monkeypatch.setattr(deliveries, "_KEPT", -deliveries._KEPT)
    with hub.database.write() as connection:
        deliveries.prune(connection)
    with hub.database.read() as connection:
        assert deliveries.backlog(connection, webhook.id) == deliveries.Backlog(0, None, None)


_KILLED = """
import sys
from pathlib import Path

import anyio
from rl_hub.events import deliveries
from rl_hub.events.dispatcher import dispatching
from rl_hub.hub import Hub
from rl_hub.settings import Settings
from rl_hub.web.app import create_app

deliveries.CLAIM_SECONDS = 0.2

async def run():
    async with dispatching(Hub.open(Settings(Path(sys.argv[1])))):
        await anyio.sleep_forever()

anyio.run(run)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_delivery_that_a_kill_interrupted_is_made_again(hub, monkeypatch):
    monkeypatch.setattr(dispatcher, "_LOOK_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        add_webhook(hub, f"http://127.0.0.1:{server.getsockname()[1]}/")
        happen(hub)
        with subprocess.Popen([sys.executable, "-c", _KILLED, str(hub.settings.data)]) as process:
            first, _ = server.accept()
            assert first.recv(65536)
            process.send_signal(signal.SIGKILL)
        first.close()

        def receive():
            second, _ = server.accept()
            with second:
                assert second.recv(65536)
                second.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                wait_until(lambda: waiting(hub) == [])

        async def run():
            async with dispatching(hub):
                await anyio.to_thread.run_sync(receive)

        anyio.run(run)


# The client


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A served Hub for all tests with the client."""
    opened = Hub.open(Settings(tmp_path_factory.mktemp("live") / "hub-data"))
    with opened.database.write() as connection:
        users.create(connection, "boss", is_admin=True)
        users.create(connection, "alice")
    with served(create_app(opened)) as endpoint:
        yield Live(opened, endpoint)
    opened.close()


@dataclass(frozen=True)
class Live:
    hub: Hub
    endpoint: str

    def client(self, name, role="write"):
        with self.hub.database.write() as connection:
            token = tokens.create(connection, users.get(connection, name).id, secrets.token_hex(4), role)
        return HfApi(endpoint=self.endpoint, token=token)


@pytest.fixture
def api(live):
    client = live.client("boss")
    yield client
    for webhook in client.list_webhooks():
        client.delete_webhook(webhook.id)


def test_an_administrator_manages_webhooks_with_the_client(api):
    watched = [{"type": "user", "name": "alice"}, {"type": "org", "name": "class"}]
    created = api.create_webhook(url="https://example.org/hook", watched=watched, domains=["repo"], secret="sesame")

    assert (created.url, created.domains, created.disabled) == ("https://example.org/hook", ["repo"], False)
    assert [(item.type, item.name) for item in created.watched] == [("user", "alice"), ("org", "class")]
    assert created.secret is None
    assert api.list_webhooks() == [created]
    assert api.get_webhook(created.id) == created
    assert api.disable_webhook(created.id).disabled
    assert not api.enable_webhook(created.id).disabled
    updated = api.update_webhook(created.id, url="https://example.org/other")
    assert (updated.url, updated.watched, updated.domains) == ("https://example.org/other", created.watched, ["repo"])
    api.delete_webhook(created.id)
    assert api.list_webhooks() == []


def test_a_webhook_watches_everything_when_no_domain_is_given(api):
    webhook = api.create_webhook(url="https://example.org/", watched=[{"type": "model", "name": "alice/ppo"}])

    assert webhook.domains == ["repo", "discussion"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda api: api.list_webhooks(),
        lambda api: api.get_webhook("x"),
        lambda api: api.create_webhook(url="http://10.0.0.1/", watched=[{"type": "user", "name": "alice"}]),
        lambda api: api.update_webhook("x"),
        lambda api: api.disable_webhook("x"),
        lambda api: api.delete_webhook("x"),
    ],
)
def test_nobody_but_an_administrator_has_webhooks(live, ask):
    student = live.client("alice")
    with pytest.raises(HfHubHTTPError, match="make its server call addresses that only the server may reach"):
        ask(student)


def test_an_administrators_reading_token_changes_nothing(live):
    reader = live.client("boss", "read")
    assert reader.list_webhooks() == []
    with pytest.raises(HfHubHTTPError, match="This token may only read"):
        reader.create_webhook(url="http://example.org/", watched=[{"type": "user", "name": "alice"}])


@pytest.mark.parametrize("ask", ["get_webhook", "delete_webhook", "enable_webhook"])
def test_a_webhook_that_is_not_there_is_said_not_to_be_there(api, ask):
    with pytest.raises(HfHubHTTPError, match='There is no webhook "nothing"'):
        getattr(api, ask)("nothing")


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"jobSourceId": "job", "watched": []}, "It runs no jobs"),
        ({"url": 5}, "`url` has to be a text"),
        ({"url": "http://a.b/", "secret": ["x"]}, "`secret` has to be a text"),
        ({"url": "http://a.b/", "watched": {"type": "user"}}, "`watched` is not a list"),
        ({"url": "http://a.b/", "watched": ["alice"]}, "`watched` is not a list"),
        ({"url": "http://a.b/", "watched": [{"type": "user"}]}, "has a `type` and a `name`"),
        ({"url": "http://a.b/", "domains": "repo"}, "`domains` is not a list"),
        ({"url": "http://a.b/"}, "has to watch something"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_a_sentence(api, sent, sentence):
    headers = {"Authorization": f"Bearer {api.token}"}
    answer = httpx2.post(f"{api.endpoint}/api/settings/webhooks", json=sent, headers=headers)

    assert answer.status_code == 400
    assert sentence in answer.json()["error"]


def test_nobody_signed_in_is_asked_to_sign_in(client):
    assert client.get("/api/settings/webhooks").status_code == 401


# The command line


def run(hub, *arguments):
    return cli.main(["--data", str(hub.settings.data), "webhook", *arguments])


def test_a_webhook_is_added_listed_switched_and_deleted_from_the_command_line(hub, admin, capsys):
    assert run(hub, "add", "https://example.org/hook", "user:alice", "model:bob/ppo") == 0
    added = capsys.readouterr().out
    webhook_id = added.split("Added webhook ")[1].split(".")[0]
    secret = added.split("shown this once: ")[1].strip()
    happen(hub)

    assert run(hub, "disable", webhook_id) == 0
    assert run(hub, "list") == 0
    listed = capsys.readouterr().out
    assert webhook_id in listed
    assert "user:alice model:bob/ppo" in listed
    assert secret not in listed
    assert run(hub, "enable", webhook_id) == 0
    assert run(hub, "delete", webhook_id) == 0
    with hub.database.read() as connection, pytest.raises(NotFound):
        webhooks.get(connection, webhook_id)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "https://example.org/", "alice"], "Write user:alice"),
        (["add", "https://example.org/", "user:alice", "--owner", "bob"], "bob is no administrator"),
        (["add", "https://example.org/", "user:alice", "--owner", "nobody"], "There is no user"),
        (["delete", "nothing"], "There is no webhook"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(hub, admin, capsys, arguments, sentence):
    with hub.database.write() as connection:
        users.create(connection, "bob")

    assert run(hub, *arguments) == 2
    assert sentence in capsys.readouterr().err
