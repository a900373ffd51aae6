"""Access tokens: made once, kept as digests, known until they expire or are deleted."""

from datetime import timedelta

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from sqlalchemy import select

from hub_clock import moving_clock
from rl_hub import clock
from rl_hub.accounts import organisations, tokens, users
from rl_hub.database import tables
from rl_hub.errors import BadRequest, Conflict, NotFound


@pytest.fixture
def connection(hub):
    with hub.database.write() as connection:
        yield connection


@pytest.fixture
def alice(connection):
    return users.create(connection, "Alice")


def test_a_token_tells_whose_it_is_and_what_it_allows(connection, alice):
    class_ = organisations.create(connection, "RL-2026")
    organisations.add_member(connection, class_.id, alice.id, "write")
    identity = tokens.identify(connection, tokens.create(connection, alice.id, "laptop", "read"))
    assert (identity.user_id, identity.name, identity.role) == (alice.id, "Alice", "read")
    assert (identity.token_name, identity.via, identity.is_admin) == ("laptop", "token", False)
    assert identity.organisations == {"rl-2026": "write"}


def test_the_database_keeps_nothing_of_a_token_but_its_digest(connection, alice):
    token = tokens.create(connection, alice.id, "laptop", "write")
    (row,) = connection.execute(select(tables.tokens))
    assert token.startswith("hf_")
    assert len(row.digest) == 64
    assert not any(token[3:11] in str(value) for value in row)


@pytest.mark.parametrize("wrong", ["", "hf_", "hf_wrong", "\udc80", "x" * 100_000])
def test_an_unknown_token_is_nobodys(connection, alice, wrong):
    tokens.create(connection, alice.id, "laptop", "write")
    assert tokens.identify(connection, wrong) is None


def test_a_token_ends_when_it_expires(connection, alice, monkeypatch):
    sleep = moving_clock(monkeypatch)
    token = tokens.create(connection, alice.id, "exam", "read", clock.now() + timedelta(hours=1))
    assert tokens.identify(connection, token) is not None
    sleep(3601)
    assert tokens.identify(connection, token) is None
    assert tokens.list_tokens(connection, alice.id) == []


def test_an_expired_token_is_in_nobodys_way(connection, alice, monkeypatch):
    sleep = moving_clock(monkeypatch)
    tokens.create(connection, alice.id, "exam", "read", clock.now() + timedelta(hours=1))
    sleep(3601)
    tokens.create(connection, alice.id, "exam", "read")
    assert [row.name for row in connection.execute(select(tables.tokens))] == ["exam"]


def test_tokens_are_listed_newest_first(connection, alice):
    for name in ("first", "second"):
        tokens.create(connection, alice.id, name, "read")
    assert [token.name for token in tokens.list_tokens(connection, alice.id)] == ["second", "first"]


def test_a_name_that_is_taken_gets_a_number(connection, alice):
    for _ in range(3):
        tokens.create(connection, alice.id, " laptop ", "write")
    names = [token.name for token in tokens.list_tokens(connection, alice.id)]
    assert names == ["laptop (3)", "laptop (2)", "laptop"]


def test_a_deleted_token_is_refused(connection, alice):
    token = tokens.create(connection, alice.id, "laptop", "write")
    tokens.remove(connection, alice.id, tokens.list_tokens(connection, alice.id)[0].id)
    assert tokens.identify(connection, token) is None


def test_nobody_deletes_somebody_elses_token(connection, alice):
    token, bob = tokens.create(connection, alice.id, "laptop", "write"), users.create(connection, "bob")
    with pytest.raises(NotFound, match="no such token"):
        tokens.remove(connection, bob.id, tokens.list_tokens(connection, alice.id)[0].id)
    assert tokens.identify(connection, token) is not None


@pytest.mark.parametrize("name", ["", " ", "DEFAULT", "two\nlines", "x" * 65, "\u202e"])
def test_a_name_that_the_client_cannot_keep_is_refused(connection, alice, name):
    with pytest.raises(BadRequest, match="printable"):
        tokens.create(connection, alice.id, name, "write")


def test_an_unknown_role_is_refused(connection, alice):
    with pytest.raises(BadRequest, match="read, write"):
        tokens.create(connection, alice.id, "laptop", "admin")


def test_a_token_that_has_expired_already_is_refused(connection, alice):
    with pytest.raises(BadRequest, match="later time"):
        tokens.create(connection, alice.id, "laptop", "write", clock.now())


def test_a_person_has_only_so_many_tokens(connection, alice):
    for _ in range(tokens.MOST_PER_USER):
        tokens.create(connection, alice.id, "laptop", "write")
    with pytest.raises(Conflict, match="delete some first"):
        tokens.create(connection, alice.id, "laptop", "write")


def test_whoami_tells_the_client_the_tokens_name_and_role(live_hub):
    live_hub.user("alice")
    with live_hub.hub.database.write() as connection:
        token = tokens.create(connection, users.get(connection, "alice").id, "laptop", "read")
    me = HfApi(live_hub.endpoint, token=token).whoami()
    assert me["name"] == "alice"
    assert me["auth"]["accessToken"] == {"displayName": "laptop", "role": "read"}


def test_whoami_refuses_an_unknown_token(live_hub):
    with pytest.raises(HfHubHTTPError) as refusal:
        HfApi(live_hub.endpoint, token="hf_unknown").whoami()
    assert refusal.value.response.status_code == 401


def test_whoami_refuses_nobody(client):
    assert client.get("/api/whoami-v2").status_code == 401
