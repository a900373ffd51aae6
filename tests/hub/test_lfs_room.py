"""Uploads that together have no room, though each alone had when it was asked for."""

import hashlib
import os
import threading
from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from filled_hub import count, hub_on, owner
from rl_hub import clock
from rl_hub.accounts import tokens
from rl_hub.database import tables
from rl_hub.errors import QuotaExceeded, TooManyRequests
from rl_hub.hub import Hub
from rl_hub.repositories import quotas
from rl_hub.settings import Limits, Settings
from rl_hub.uploads import arrivals
from rl_hub.uploads.arrivals import MOST_TRANSFERS, Arrival
from rl_hub.uploads.tallies import Tally
from rl_hub.web.app import create_app

LIMITS = Limits(file_bytes=40_000, repository_bytes=60_000, user_bytes=60_000)


@pytest.fixture
def small(tmp_path):
    """A Hub with room for 60 kB."""
    hub = Hub.open(Settings(tmp_path / "small", limits=LIMITS))
    yield hub
    hub.close()


@pytest.fixture
def ada(small):
    return owner(small, "ada")


@pytest.fixture
def repository(ada):
    return ada.repository("agent")


@pytest.fixture
def client(small):
    with TestClient(create_app(small)) as asked:
        yield asked


@pytest.fixture
def arrival(small, ada, repository):
    """Makes arrivals of ada's, all ended after the test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Arrival(small, ada.identity.user_id, repository.id))


def keep(ada, arrival, content):
    with ada.staged(content) as staged, ada.hub.database.write() as connection:
        arrival.keep(connection, staged)


def address(ada, client, content):
    with ada.hub.database.write() as connection:
        token = tokens.create(connection, ada.identity.user_id, "laptop", "write")
    objects = [{"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}]
    answer = client.post(
        "/ada/agent.git/info/lfs/objects/batch",
        json={"operation": "upload", "objects": objects},
        headers={"Authorization": f"Bearer {token}"},
    )
    return urlsplit(answer.json()["objects"][0]["actions"]["upload"]["href"])._replace(scheme="", netloc="").geturl()


def test_addresses_that_were_asked_for_before_anything_was_sent_pass_no_quota(ada, repository, client):
    contents = [os.urandom(40_000) for _ in range(3)]
    addresses = [address(ada, client, content) for content in contents]

    answers = [client.put(each, content=content) for each, content in zip(addresses, contents, strict=True)]

    assert [answer.status_code for answer in answers] == [200, 413, 413]
    assert "more would exceed the 58.6 kB" in answers[1].json()["error"]
    assert count(ada.hub, tables.blobs) == 1
    assert list(ada.hub.blobs.staging.iterdir()) == []


def test_what_is_arriving_takes_room(arrival):
    arrival().reserve(40_000)

    with pytest.raises(QuotaExceeded, match="more would exceed"):
        arrival().reserve(30_000)


def test_what_is_arriving_in_the_owners_other_repository_takes_room(small, ada, arrival):
    arrival().reserve(40_000)

    with Arrival(small, ada.identity.user_id, ada.repository("second").id) as other, pytest.raises(QuotaExceeded):
        other.reserve(30_000)


def test_what_ends_leaves_its_room_to_others(arrival):
    first = arrival()
    first.reserve(40_000)
    with first:
        pass

    arrival().reserve(60_000)


def test_what_was_refused_takes_no_room(arrival):
    with arrival() as refused, pytest.raises(QuotaExceeded):
        refused.reserve(60_001)

    arrival().reserve(60_000)


def test_what_has_just_been_kept_counts_once(ada, arrival):
    first = arrival()
    first.reserve(30_000)
    keep(ada, first, os.urandom(30_000))

    arrival().reserve(30_000)


def test_the_room_is_looked_at_again_when_a_content_is_kept(ada, arrival):
    late = arrival()
    keep(ada, arrival(), os.urandom(40_000))

    with pytest.raises(QuotaExceeded):
        keep(ada, late, os.urandom(30_000))

    assert count(ada.hub, tables.blobs) == 1


def test_what_is_there_already_needs_no_room_again(ada, arrival):
    content = os.urandom(40_000)
    keep(ada, arrival(), content)

    arrival().reserve(40_000, hashlib.sha256(content).hexdigest())
    keep(ada, arrival(), content)


def test_a_user_sends_some_files_at_a_time(small):
    with ExitStack() as stack:
        for _ in range(MOST_TRANSFERS):
            stack.enter_context(arrivals.transfer(small, 1))
        with pytest.raises(TooManyRequests, match="Try again when some have arrived"), arrivals.transfer(small, 1):
            pass
        with arrivals.transfer(small, 2):
            pass
    with arrivals.transfer(small, 1):
        pass


def test_a_file_too_many_is_refused_before_it_is_read(small, ada, repository, client):
    content = os.urandom(1000)
    where = address(ada, client, content)
    with ExitStack() as stack:
        for _ in range(MOST_TRANSFERS):
            stack.enter_context(arrivals.transfer(small, ada.identity.user_id))

        answer = client.put(where, content=content)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert client.put(where, content=content).status_code == 200


def test_a_tally_forgets_what_has_ended():
    tally = Tally()
    with tally.adding("a", 3), tally.adding("a", 4) as total, tally.adding("b", 1) as other:
        assert (total, other) == (7, 1)

    assert not tally._sums


# Two commits to two repositories of one owner


def waits(database):
    """Whether a transaction waits for another one."""
    with database.read() as connection:
        return connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")) > 0


def test_two_commits_of_an_owner_do_not_pass_the_limit_together(tmp_path):
    with hub_on("postgresql", tmp_path / "data") as hub:
        ada = owner(hub, "ada")
        first, second = ada.repository("first"), ada.repository("second")
        limits = replace(LIMITS, repository_bytes=40_000)
        refused = []

        def add(connection, repository, name):
            quotas.check(connection, limits, repository, 40_000)
            blob = {"sha256": name * 64, "size": 40_000, "created_at": clock.now()}
            connection.execute(tables.blobs.insert().values(blob))
            row = {"git_oid": name * 40, "sha256": name * 64, "size": 40_000, "lfs": False}
            connection.execute(tables.files.insert().values(row))
            held = {"repository_id": repository.id, "git_oid": name * 40}
            connection.execute(tables.repository_files.insert().values(held))

        def add_second():
            try:
                with hub.database.write() as connection:
                    add(connection, second, "b")
            except QuotaExceeded as error:
                refused.append(error.message)

        other = threading.Thread(target=add_second)
        with hub.database.write() as connection:
            add(connection, first, "a")
            other.start()
            while other.is_alive() and not waits(hub.database):
                pass
        other.join()

        assert "The repositories of ada hold" in refused[0]
