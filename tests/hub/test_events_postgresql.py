"""Events on PostgreSQL, where several write at the same time."""

import threading
from dataclasses import dataclass

import anyio
import pytest

from postgresql import NoPostgreSQL, running_server
from rl_hub.accounts import users
from rl_hub.events import deliveries, feed, webhooks
from rl_hub.events.dispatcher import dispatching
from rl_hub.events.feed import Subscriber, record
from rl_hub.events.webhooks import Watched
from rl_hub.hub import Hub
from rl_hub.settings import Settings


@dataclass(frozen=True)
class Repository:
    id: int = 7
    kind: str = "model"
    owner_id: int = 1
    owner_name: str = "alice"
    name: str = "ppo"
    private: bool = False
    sha: str = "ab" * 20


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    try:
        with running_server() as server:
            opened = Hub.open(Settings(tmp_path_factory.mktemp("hub"), database_url=server.create_database()))
            yield opened
            opened.close()
    except NoPostgreSQL as error:
        pytest.skip(str(error))


def happen(hub):
    with hub.database.write() as connection:
        return record(connection, "update", "repo.content", Repository())


def test_an_event_waits_until_the_one_before_it_is_there(hub):
    seen = threading.Event()

    def second():
        happen(hub)
        seen.set()

    other = threading.Thread(target=second)
    with hub.database.write() as connection:
        first = record(connection, "create", "repo", Repository())
        other.start()
        assert not seen.wait(0.2)
    other.join()

    with hub.database.read() as connection:
        assert [event.id for event in feed.after(connection, first - 1, 10)] == [first, first + 1]


def test_an_event_that_is_rolled_back_leaves_no_hole_in_what_is_told(hub):
    before = happen(hub)
    with pytest.raises(RuntimeError), hub.database.write() as connection:
        record(connection, "create", "repo", Repository())
        raise RuntimeError
    after = happen(hub)
    heard, done = [], threading.Event()

    def handle(event):
        heard.append(event.id)
        if event.id == after:
            done.set()

    async def run():
        async with dispatching(hub, [Subscriber("leaderboard", handle)]):
            with anyio.fail_after(60):
                await anyio.to_thread.run_sync(done.wait)

    anyio.run(run)
    assert heard[-2:] == [before, after]


def test_two_who_claim_at_the_same_time_do_not_claim_the_same(hub):
    with hub.database.write() as connection:
        owner = users.create(connection, "boss", is_admin=True)
        webhook = webhooks.create(connection, owner.id, "http://127.0.0.1:9/", [Watched("user", "alice")])
    events = [happen(hub), happen(hub)]
    with hub.database.write() as one, hub.database.write() as two:
        claimed = [deliveries.claim(connection, webhook.id).event_id for connection in (one, two)]
        assert deliveries.claim(two, webhook.id) is None

    assert claimed == events
