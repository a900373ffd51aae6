"""Sessions of a browser, and the tokens of their forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from hub_clock import moving_clock
from rl_hub.accounts import organisations, passwords, sessions, users
from rl_hub.database import tables
from rl_hub.errors import Forbidden


@pytest.fixture
def connection(hub):
    with hub.database.write() as connection:
        yield connection


@pytest.fixture
def alice(connection):
    return users.create(connection, "Alice", is_admin=True)


def test_a_session_tells_who_is_signed_in(connection, alice):
    class_ = organisations.create(connection, "Class")
    organisations.add_member(connection, class_.id, alice.id, "admin")
    identity = sessions.identify(connection, sessions.create(connection, alice.id).id)
    assert (identity.user_id, identity.name, identity.role, identity.is_admin) == (alice.id, "Alice", "write", True)
    assert (identity.via, identity.token_name, identity.organisations) == ("session", "", {"class": "admin"})


def test_the_database_keeps_nothing_of_a_session_but_its_digest(connection, alice):
    session = sessions.create(connection, alice.id)
    (row,) = connection.execute(select(tables.sessions))
    assert not any(session.id[:8] in str(value) for value in row)
    assert session.id not in repr(session)


@pytest.mark.parametrize("wrong", ["", "guess", "\udc80", "x" * 100_000])
def test_another_cookie_signs_nobody_in(connection, alice, wrong):
    sessions.create(connection, alice.id)
    assert sessions.identify(connection, wrong) is None


def test_a_session_ends_after_two_weeks(connection, alice, monkeypatch):
    sleep = moving_clock(monkeypatch)
    session = sessions.create(connection, alice.id)
    sleep(14 * 24 * 3600 - 1)
    assert sessions.identify(connection, session.id) is not None
    sleep(1)
    assert sessions.identify(connection, session.id) is None


def test_sessions_that_are_over_are_removed(connection, alice, monkeypatch):
    sleep = moving_clock(monkeypatch)
    sessions.create(connection, alice.id)
    sleep(14 * 24 * 3600)
    sessions.create(connection, alice.id)
    assert len(connection.execute(select(tables.sessions)).all()) == 1


def test_signing_out_ends_this_session_only(connection, alice):
    here, there = sessions.create(connection, alice.id), sessions.create(connection, alice.id)
    sessions.remove(connection, here.id)
    assert sessions.identify(connection, here.id) is None
    assert sessions.identify(connection, there.id) is not None


def test_a_new_password_ends_every_session(connection, alice):
    session = sessions.create(connection, alice.id)
    users.set_password(connection, alice, passwords.hash_password("correct horse"))
    assert sessions.identify(connection, session.id) is None


def test_whoami_knows_a_browser_too(hub, client):
    with hub.database.write() as connection:
        session = sessions.create(connection, users.create(connection, "alice").id)
    answer = client.get("/api/whoami-v2", headers={"Cookie": f"{sessions.COOKIE}={session.id}"})
    assert answer.json()["auth"] == {"type": "session"}


@given(secret=st.binary(min_size=32, max_size=32), session=st.text())
def test_a_form_of_the_session_is_accepted(secret, session):
    sessions.check_form_token(secret, "session", session, sessions.form_token(secret, "session", session))


@given(secret=st.binary(min_size=32, max_size=32), value=st.text())
def test_a_form_for_signing_in_is_none_of_a_session(secret, value):
    with pytest.raises(Forbidden):
        sessions.check_form_token(secret, "session", value, sessions.form_token(secret, "anonymous", value))


@given(
    secret=st.binary(min_size=32, max_size=32),
    session=st.text(),
    other_secret=st.binary(min_size=32, max_size=32),
    other_session=st.text(),
    token=st.text(),
)
def test_any_other_form_is_refused(secret, session, other_secret, other_session, token):
    others = [(other_secret, session), (secret, other_session)]
    forged = [token, "", *(sessions.form_token(key, "session", value) for key, value in others)]
    right = sessions.form_token(secret, "session", session)
    for wrong in forged:
        if wrong != right:
            with pytest.raises(Forbidden, match="reload the page"):
                sessions.check_form_token(secret, "session", session, wrong)
