"""Events: what they say, who in this process is told, and that none is lost."""

import itertools
import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass

import anyio
import pytest
from huggingface_hub import HfApi
from hypothesis import given
from hypothesis import strategies as st

from hub_server import served
from rl_hub.accounts import tokens, users
from rl_hub.events import backoff, dispatcher, feed
from rl_hub.events.backoff import Backoff
from rl_hub.events.dispatcher import dispatching
from rl_hub.events.feed import Subscriber, record
from rl_hub.events.payloads import UpdatedRef, addressed, body
from rl_hub.web.app import create_app

SHA = "ab" * 20


@dataclass(frozen=True)
class Repository:
    id: int = 7
    kind: str = "model"
    owner_id: int = 3
    owner_name: str = "Alice"
    name: str = "ppo"
    private: bool = False
    sha: str = SHA


@pytest.fixture
def quick(monkeypatch):
    """Failed handlers are asked again at once."""
    monkeypatch.setattr(backoff, "SUBSCRIBERS", Backoff(0.01, 0.01))


def write_events(hub, number, repository=Repository()):
    with hub.database.write() as connection:
        for _ in range(number):
            record(connection, "update", "repo.content", repository)
    hub.wake()


def tell(hub, *subscribers, until):
    """Tells events until `until` is set."""

    async def run():
        async with dispatching(hub, subscribers):
            with anyio.fail_after(60):
                await anyio.to_thread.run_sync(until.wait)

    anyio.run(run)


class Collector:
    """A handler that remembers what it was told, and says when it has heard enough."""

    def __init__(self, enough):
        self.heard = []
        self.done = threading.Event()
        self._enough = enough

    def __call__(self, event):
        self.heard.append(event.id)
        if len(self.heard) >= self._enough:
            self.done.set()


# What an event says


def test_a_body_has_the_members_of_the_hubs_third_version():
    payload = body("update", "repo.content", Repository(), [UpdatedRef("refs/heads/main", None, SHA)])

    assert addressed(payload, "webhook1", "https://hub.example") == {
        "event": {"action": "update", "scope": "repo.content"},
        "repo": {
            "type": "model",
            "name": "Alice/ppo",
            "id": "7",
            "private": False,
            "headSha": SHA,
            "url": {"web": "https://hub.example/Alice/ppo", "api": "https://hub.example/api/models/Alice/ppo"},
            "owner": {"id": "3"},
        },
        "updatedRefs": [{"ref": "refs/heads/main", "oldSha": None, "newSha": SHA}],
        "webhook": {"id": "webhook1", "version": 3},
    }


def test_a_datasets_address_is_under_datasets():
    url = body("create", "repo", Repository(kind="dataset"))["repo"]["url"]

    assert url == {"web": "/datasets/Alice/ppo", "api": "/api/datasets/Alice/ppo"}


def test_a_changed_setting_is_told():
    assert body("update", "repo.config", Repository(private=True))["updatedConfig"] == {"private": True}


def test_a_body_is_what_the_client_parses():
    pydantic = pytest.importorskip("pydantic")
    from huggingface_hub import WebhookPayload

    assert issubclass(WebhookPayload, pydantic.BaseModel)
    payload = addressed(body("move", "repo", Repository(), moved_from="Alice/old"), "webhook1", "")

    parsed = WebhookPayload.model_validate(payload)

    assert (parsed.repo.name, parsed.movedTo.name) == ("Alice/old", "Alice/ppo")


def test_an_event_is_read_as_it_was_written(hub):
    refs = (UpdatedRef("refs/heads/main", None, SHA), UpdatedRef("refs/tags/v1", SHA, None))
    with hub.database.write() as connection:
        event_id = record(connection, "move", "repo", Repository(private=True), refs, moved_from="Alice/old")
    with hub.database.read() as connection:
        (event,) = feed.after(connection, 0, 10)

    assert (event.id, event.repository_id, event.action, event.scope) == (event_id, 7, "move", "repo")
    assert (event.kind, event.repo_id, event.moved_to) == ("model", "Alice/old", "Alice/ppo")
    assert (event.private, event.head_sha, event.updated_refs) == (True, SHA, refs)


def test_an_event_that_is_no_move_has_moved_nowhere(hub):
    write_events(hub, 1)
    with hub.database.read() as connection:
        assert feed.after(connection, 0, 10)[0].moved_to is None


def test_an_event_exists_only_if_its_transaction_does(hub):
    with pytest.raises(RuntimeError), hub.database.write() as connection:
        record(connection, "create", "repo", Repository())
        raise RuntimeError
    with hub.database.read() as connection:
        assert feed.after(connection, 0, 10) == []


# When to try again


@given(st.integers(1, 10**9), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_longer_than_the_longest_nor_shorter_than_half_the_first(failures, chance):
    pause = Backoff(first_seconds=2, longest_seconds=600).pause(failures, chance)

    assert 1 <= pause <= 600


@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_pauses_do_not_get_shorter(failures, chance):
    rule = Backoff(first_seconds=2, longest_seconds=600)

    assert rule.pause(failures, chance) <= rule.pause(failures + 1, chance)


def test_a_delivery_is_given_up_after_about_a_day():
    rule = backoff.WEBHOOKS
    pauses = [rule.pause(failures, chance=0.5) for failures in range(1, rule.attempts)]

    assert 20 < sum(pauses) / 3600 < 30
    assert rule.pause(rule.attempts, chance=0.5) is None


# Subscribers


@pytest.mark.parametrize("early", [True, False])
def test_a_subscriber_hears_every_event_in_order(hub, early):
    heard = Collector(enough=150)
    if not early:
        write_events(hub, 150)

    async def run():
        async with dispatching(hub, [Subscriber("leaderboard", heard)]):
            if early:
                await anyio.to_thread.run_sync(write_events, hub, 150)
            with anyio.fail_after(60):
                await anyio.to_thread.run_sync(heard.done.wait)

    anyio.run(run)
    assert heard.heard == list(range(1, 151))


def test_an_event_is_told_at_once(hub, monkeypatch):
    monkeypatch.setattr(dispatcher, "_LOOK_SECONDS", 3600)
    heard = Collector(enough=1)

    async def run():
        async with dispatching(hub, [Subscriber("leaderboard", heard)]):
            await anyio.sleep(0.1)
            await anyio.to_thread.run_sync(write_events, hub, 1)
            with anyio.fail_after(60):
                await anyio.to_thread.run_sync(heard.done.wait)

    anyio.run(run)


def test_events_of_another_process_are_found_soon(hub, monkeypatch):
    monkeypatch.setattr(dispatcher, "_LOOK_SECONDS", 0.05)
    heard = Collector(enough=1)

    async def run():
        async with dispatching(hub, [Subscriber("leaderboard", heard)]):
            await anyio.sleep(0.1)
            with hub.database.write() as connection:
                record(connection, "update", "repo.content", Repository())
            with anyio.fail_after(60):
                await anyio.to_thread.run_sync(heard.done.wait)

    anyio.run(run)


@pytest.mark.parametrize("style", ["coroutine", "returns an awaitable"])
def test_a_subscriber_may_be_asynchronous(hub, style):
    heard = Collector(enough=2)

    async def handle(event):
        heard(event)

    write_events(hub, 2)
    tell(hub, Subscriber("a", handle if style == "coroutine" else lambda event: handle(event)), until=heard.done)

    assert heard.heard == [1, 2]


def test_a_subscriber_continues_where_it_stopped(hub):
    first, second = Collector(enough=3), Collector(enough=1)
    write_events(hub, 3)
    tell(hub, Subscriber("leaderboard", first), until=first.done)
    write_events(hub, 1)
    tell(hub, Subscriber("leaderboard", second), until=second.done)

    assert second.heard == [4]


def test_a_new_subscriber_hears_what_happened_before(hub):
    first, second = Collector(enough=3), Collector(enough=3)
    write_events(hub, 3)
    tell(hub, Subscriber("leaderboard", first), until=first.done)
    tell(hub, Subscriber("statistics", second), until=second.done)

    assert second.heard == [1, 2, 3]


def test_a_handler_that_raises_is_told_the_same_event_again(hub, quick, caplog):
    heard = Collector(enough=4)

    def handle(event):
        heard(event)
        if len(heard.heard) == 2:
            raise ValueError("not now")

    write_events(hub, 3)
    tell(hub, Subscriber("leaderboard", handle), until=heard.done)

    assert heard.heard == [1, 2, 2, 3]
    assert "Subscriber leaderboard failed" in caplog.text


def test_a_handler_that_fails_does_not_stop_the_others(hub, quick):
    heard = Collector(enough=3)

    def fail(event):
        raise ValueError

    write_events(hub, 3)
    tell(hub, Subscriber("broken", fail), Subscriber("fine", heard), until=heard.done)

    assert heard.heard == [1, 2, 3]


def test_a_handler_that_hangs_does_not_stop_the_others_nor_the_hub(hub, monkeypatch):
    monkeypatch.setattr(dispatcher, "_GRACE_SECONDS", 0.05)
    heard, released = Collector(enough=3), threading.Event()
    write_events(hub, 3)
    try:
        tell(
            hub,
            Subscriber("hanging", lambda _: released.wait() and None),
            Subscriber("fine", heard),
            until=heard.done,
        )
    finally:
        released.set()

    with hub.database.read() as connection:
        assert feed.position(connection, "hanging") == 0


def test_what_a_handler_is_doing_may_end_when_the_hub_stops(hub):
    started = threading.Event()

    async def handle(event):
        started.set()
        await anyio.sleep(0.1)

    write_events(hub, 2)
    tell(hub, Subscriber("leaderboard", handle), until=started)

    with hub.database.read() as connection:
        assert feed.position(connection, "leaderboard") == 1


def test_two_subscribers_of_one_name_are_refused(hub):
    heard = Collector(enough=1)
    with pytest.raises(ExceptionGroup) as refused:
        tell(hub, Subscriber("same", heard), Subscriber("same", heard), until=heard.done)

    assert refused.group_contains(ValueError, match="same name")


def test_a_database_that_fails_for_a_while_is_asked_again(hub, monkeypatch, quick, caplog):
    monkeypatch.setattr(dispatcher, "_LOOK_SECONDS", 0.01)
    heard = Collector(enough=1)
    failures = iter(range(2))
    read = type(hub.database).read

    def fail_at_first(database):
        if next(failures, None) is not None:
            raise RuntimeError("the database is away")
        return read(database)

    monkeypatch.setattr(type(hub.database), "read", fail_at_first)
    write_events(hub, 1)
    tell(hub, Subscriber("leaderboard", heard), until=heard.done)

    assert heard.heard == [1]


def test_what_the_client_does_is_told(hub):
    told = queue.Queue()
    app = create_app(hub, subscribers=[Subscriber("leaderboard", told.put)])
    with hub.database.write() as connection:
        token = tokens.create(connection, users.create(connection, "alice").id, "test", "write")
    with served(app) as endpoint:
        api = HfApi(endpoint=endpoint, token=token)
        api.create_repo("alice/ppo")
        first = api.model_info("alice/ppo").sha
        second = api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id="alice/ppo").oid
        api.create_tag("alice/ppo", tag="v1")
        api.update_repo_settings("alice/ppo", private=True)
        api.move_repo("alice/ppo", "alice/best")
        api.delete_repo("alice/best")
        events = [told.get(timeout=10) for _ in range(6)]

    assert [(event.action, event.scope, event.repo_id) for event in events] == [
        ("create", "repo", "alice/ppo"),
        ("update", "repo.content", "alice/ppo"),
        ("update", "repo.content", "alice/ppo"),
        ("update", "repo.config", "alice/ppo"),
        ("move", "repo", "alice/ppo"),
        ("delete", "repo", "alice/best"),
    ]
    assert [event.head_sha for event in events] == [first] + [second] * 5
    assert [event.updated_refs for event in events[:3]] == [
        (UpdatedRef("refs/heads/main", None, first),),
        (UpdatedRef("refs/heads/main", first, second),),
        (UpdatedRef("refs/tags/v1", None, second),),
    ]


_KILLED = """
import sys
import time
from pathlib import Path

import anyio
from rl_hub.events.dispatcher import dispatching
from rl_hub.events.feed import Subscriber
from rl_hub.hub import Hub
from rl_hub.settings import Settings

def handle(event):
    print(event.id, flush=True)
    time.sleep(0.002)

async def run():
    async with dispatching(Hub.open(Settings(Path(sys.argv[1]))), [Subscriber("leaderboard", handle)]):
        await anyio.sleep_forever()

anyio.run(run)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_no_event_is_lost_when_the_process_is_killed(hub):
    write_events(hub, 60)
    heard = []
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(hub.settings.data)], stdout=subprocess.PIPE, text=True
        )
        with process:
            heard += [int(line) for _, line in zip(range(15), process.stdout, strict=False)]
            process.send_signal(signal.SIGKILL)
            heard += [int(line) for line in process.stdout]
    ended = threading.Event()

    def handle(event):
        heard.append(event.id)
        if event.id == 60:
            ended.set()

    tell(hub, Subscriber("leaderboard", handle), until=ended)

    assert sorted(set(heard)) == list(range(1, 61))
    # In order, and nothing twice but the event at which a process was killed.
    assert all(0 <= later - earlier <= 1 for earlier, later in itertools.pairwise(heard))
