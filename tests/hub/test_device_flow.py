"""Signing in without typing a token: what `huggingface_hub.login()` and `notebook_login()` do."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from huggingface_hub import HfApi
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from hub_clock import moving_clock
from rl_hub.accounts import devices, throttle, tokens, users
from rl_hub.accounts.devices import Refusal
from rl_hub.database import tables
from rl_hub.errors import BadRequest, NotFound, TooManyRequests

CLIENT = "a client"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def alice(hub):
    with hub.database.write() as connection:
        return users.create(connection, "alice")


@pytest.fixture
def code(hub):
    return start(hub)


@pytest.fixture
def sleep(monkeypatch):
    return moving_clock(monkeypatch)


def start(hub, client_id=CLIENT):
    with hub.database.write() as connection:
        return devices.start(connection, client_id)


def approve(hub, user_code, user, role="write"):
    with hub.database.write() as connection:
        devices.approve(connection, user_code, user.id, role)


def deny(hub, user_code):
    with hub.database.write() as connection:
        devices.deny(connection, user_code)


def poll(hub, code, client_id=CLIENT):
    return devices.poll(hub.database, code.device_code, client_id)


def identify(hub, token):
    with hub.database.read() as connection:
        return tokens.identify(connection, token)


# The rules


def test_an_approved_device_gets_a_token_of_the_chosen_role(hub, alice, code):
    assert poll(hub, code) == Refusal.PENDING
    approve(hub, code.user_code, alice, "read")
    identity = identify(hub, poll(hub, code))
    assert (identity.name, identity.role) == ("alice", "read")
    assert identity.token_name.startswith("Device sign-in, ")


def test_a_device_may_write_unless_the_person_says_otherwise(hub, alice, code):
    with hub.database.write() as connection:
        devices.approve(connection, code.user_code, alice.id)
    assert identify(hub, poll(hub, code)).role == "write"


def test_a_code_is_worth_one_token(hub, alice, code):
    approve(hub, code.user_code, alice)
    assert poll(hub, code).startswith("hf_")
    assert poll(hub, code) == Refusal.INVALID


def test_of_many_questions_at_once_one_gets_the_token(hub, alice, code):
    approve(hub, code.user_code, alice)
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: poll(hub, code), range(8)))
    assert answers.count(Refusal.INVALID) == 7


def test_a_denied_device_gets_none(hub, code):
    deny(hub, code.user_code)
    assert poll(hub, code) == Refusal.DENIED


def test_a_code_that_is_decided_on_is_not_decided_on_again(hub, alice, code):
    deny(hub, code.user_code)
    with pytest.raises(NotFound, match="one decision"):
        approve(hub, code.user_code, alice)
    assert poll(hub, code) == Refusal.DENIED


def test_an_approved_code_is_not_denied_or_given_to_somebody_else(hub, alice, code):
    approve(hub, code.user_code, alice)
    with hub.database.write() as connection:
        mallory = users.create(connection, "mallory")
    with pytest.raises(NotFound):
        deny(hub, code.user_code)
    with pytest.raises(NotFound):
        approve(hub, code.user_code, mallory)
    assert identify(hub, poll(hub, code)).name == "alice"


def test_a_code_expires(hub, alice, code, sleep):
    sleep(15 * 60)
    with pytest.raises(NotFound, match="15 minutes"):
        approve(hub, code.user_code, alice)
    assert poll(hub, code) == Refusal.EXPIRED


def test_an_approval_expires_with_its_code(hub, alice, code, sleep):
    approve(hub, code.user_code, alice)
    sleep(15 * 60)
    assert poll(hub, code) == Refusal.EXPIRED


def test_expired_codes_are_removed_after_a_while(hub, code, sleep):
    sleep(15 * 60 + 3601)
    start(hub)
    assert poll(hub, code) == Refusal.INVALID


def test_a_client_that_asks_too_often_is_told_so(hub, code, sleep):
    assert poll(hub, code) == Refusal.PENDING
    assert poll(hub, code) == Refusal.SLOW_DOWN
    sleep(2)
    assert poll(hub, code) == Refusal.PENDING


def test_asking_too_often_does_not_postpone_the_approval(hub, alice, sleep, code):
    assert [poll(hub, code), poll(hub, code)] == [Refusal.PENDING, Refusal.SLOW_DOWN]
    approve(hub, code.user_code, alice)
    assert identify(hub, poll(hub, code)).name == "alice"


def test_another_client_cannot_use_the_code(hub, alice, code):
    approve(hub, code.user_code, alice)
    assert poll(hub, code, "another client") == Refusal.INVALID


@pytest.mark.parametrize("wrong", ["", "guess", "\udc80", "x" * 100_000])
def test_an_unknown_device_code_is_invalid(hub, code, wrong):
    assert devices.poll(hub.database, wrong, CLIENT) == Refusal.INVALID


def test_the_user_code_does_not_sign_in_the_one_who_saw_it(hub, alice, code):
    approve(hub, code.user_code, alice)
    assert devices.poll(hub.database, code.user_code, CLIENT) == Refusal.INVALID


def test_the_database_keeps_nothing_of_a_device_code_but_its_digest(hub, code):
    with hub.database.read() as connection:
        (row,) = connection.execute(select(tables.device_codes))
    assert not any(code.device_code[:8] in str(value) for value in row)
    assert code.device_code not in repr(code)


@pytest.mark.parametrize("client_id", ["", "x" * 129, "two\nlines", "\0"])
def test_a_client_without_a_proper_name_is_refused(hub, client_id):
    with pytest.raises(BadRequest, match="client_id"):
        start(hub, client_id)


def test_only_so_many_devices_wait(hub, code, monkeypatch):
    monkeypatch.setattr(devices, "_MOST_PENDING", 1)
    with pytest.raises(TooManyRequests, match="try again"):
        start(hub)


def test_an_unknown_role_is_not_approved(hub, alice, code):
    with pytest.raises(BadRequest, match="read, write"):
        approve(hub, code.user_code, alice, "admin")


def test_a_removed_user_signs_no_device_in(hub, alice, code):
    approve(hub, code.user_code, alice)
    with hub.database.write() as connection:
        users.remove(connection, alice)
    assert poll(hub, code) == Refusal.INVALID


def test_the_page_shows_what_waits(hub, code):
    with hub.database.read() as connection:
        waiting = devices.pending(connection, code.user_code)
    assert (waiting.user_code, waiting.client_id) == (code.user_code, CLIENT)
    assert waiting.expires_at - waiting.created_at == devices.LIFETIME


@pytest.mark.parametrize("wrong", ["", "AAAA-AAAA", "BCDF-GHJK-LMNP", "'; --", "\0"])
def test_the_page_shows_nothing_for_another_code(hub, code, wrong):
    with hub.database.read() as connection, pytest.raises(NotFound):
        devices.pending(connection, wrong)


@given(letters=st.text(devices.ALPHABET, min_size=8, max_size=8), blank=st.sampled_from(["", " ", "-", "\u2013", "."]))
def test_a_code_is_understood_however_it_is_typed(letters, blank):
    code = f"{letters[:4]}-{letters[4:]}"
    assert devices._spelled(f" {letters[:4].lower()}{blank}{letters[4:]} ") == code
    assert devices._spelled(code) == code


def test_a_code_has_eight_letters_that_make_no_word(code):
    assert len(code.user_code) == 9
    assert code.user_code[4] == "-"
    assert set(code.user_code) - {"-"} <= set("BCDFGHJKLMNPQRSTVWXZ")


# The addresses


def test_the_client_is_given_what_rfc_8628_asks_for(client):
    answer = client.post("/oauth/device", data={"client_id": CLIENT})
    value = answer.json()
    assert set(value) == {
        "device_code",
        "user_code",
        "verification_uri",
        "verification_uri_complete",
        "expires_in",
        "interval",
    }
    assert (value["expires_in"], value["interval"]) == (900, 2)
    assert value["verification_uri"] == "http://testserver/device"
    assert value["verification_uri_complete"] == f"http://testserver/device?user_code={value['user_code']}"
    assert answer.headers["cache-control"] == "no-store"


def test_a_device_without_a_client_id_is_refused(client):
    assert client.post("/oauth/device").status_code == 400


def test_one_address_starts_only_so_many_devices(client, sleep, monkeypatch):
    monkeypatch.setattr(throttle, "DEVICE", throttle.Rule(free=1, longest=60))
    answers = [client.post("/oauth/device", data={"client_id": CLIENT}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "1"


def test_devices_that_were_signed_in_do_not_count(client, hub, alice, sleep, monkeypatch):
    monkeypatch.setattr(throttle, "DEVICE", throttle.Rule(free=1, longest=60))
    for _ in range(4):
        started = client.post("/oauth/device", data={"client_id": CLIENT}).json()
        with hub.database.write() as connection:
            devices.approve(connection, started["user_code"], alice.id, "read")
        assert ask(client, started["device_code"]).status_code == 200


def ask(client, device_code, **fields):
    return client.post(
        "/oauth/token", data={"grant_type": GRANT, "device_code": device_code, "client_id": CLIENT, **fields}
    )


def test_a_refusal_is_an_oauth_error_with_a_sentence(client, code):
    answer = ask(client, code.device_code)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "authorization_pending",
        "error_description": "Nobody has approved this device yet.",
    }
    assert answer.headers["cache-control"] == "no-store"


def test_every_refusal_has_a_sentence(client, hub, sleep, code):
    assert ask(client, code.device_code).json()["error"] == "authorization_pending"
    assert ask(client, code.device_code).json()["error"] == "slow_down"
    deny(hub, code.user_code)
    assert ask(client, code.device_code).json()["error"] == "access_denied"
    assert ask(client, "unknown").json()["error"] == "invalid_grant"


def test_a_late_client_learns_that_its_code_has_expired(client, code, sleep):
    sleep(15 * 60)
    assert ask(client, code.device_code).json()["error"] == "expired_token"


def test_the_token_is_not_kept_by_anybody_on_the_way(client, hub, alice, code):
    approve(hub, code.user_code, alice)
    answer = ask(client, code.device_code)
    assert identify(hub, answer.json()["access_token"]).name == "alice"
    assert answer.json()["token_type"] == "bearer"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("grant", ["refresh_token", "password", ""])
def test_no_other_grant_is_possible(client, code, grant):
    assert ask(client, code.device_code, grant_type=grant).json()["error"] == "unsupported_grant_type"


def test_what_is_no_form_is_no_grant(client):
    assert client.post("/oauth/token", json={"grant_type": GRANT}).json()["error"] == "unsupported_grant_type"


# The client itself


def launch(endpoint, home, program):
    """Runs a program with the real client in a process of its own, whose home is a temporary folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def waiting_code(hub, process):
    while process.poll() is None:
        with hub.database.read() as connection:
            row = connection.execute(select(tables.device_codes.c.user_code)).one_or_none()
        if row:
            return row.user_code
        time.sleep(0.05)
    raise AssertionError(process.communicate()[0])


@pytest.mark.parametrize("function", ["login", "notebook_login"])
def test_the_clients_own_login_ends_with_a_token_that_works(live_hub, tmp_path, function, monkeypatch):
    monkeypatch.setattr(devices, "INTERVAL", timedelta(seconds=1))  # the client really waits so long
    live_hub.user("alice")
    program = f"from huggingface_hub import {function}, whoami; {function}(); print('I am', whoami()['name'])"
    with launch(live_hub.endpoint, tmp_path, program) as process:
        user_code = waiting_code(live_hub.hub, process)
        with live_hub.hub.database.read() as connection:
            alice = users.get(connection, "alice")
        approve(live_hub.hub, user_code, alice)
        output = process.communicate()[0]
    assert process.returncode == 0, output
    assert "I am alice" in output
    me = HfApi(live_hub.endpoint, token=(tmp_path / "token").read_text()).whoami()
    assert me["auth"]["accessToken"]["displayName"].startswith("Device sign-in, ")
    assert me["auth"]["accessToken"]["role"] == "write"


def test_the_clients_own_login_tells_that_it_was_refused(live_hub, tmp_path):
    program = "from huggingface_hub import login; login()"
    with launch(live_hub.endpoint, tmp_path, program) as process:
        user_code = waiting_code(live_hub.hub, process)
        deny(live_hub.hub, user_code)
        output = process.communicate()[0]
    assert user_code in output
    assert f"{live_hub.endpoint}/device?user_code={user_code}" in output
    assert "Authorization was denied" in output
    assert not (tmp_path / "token").exists()


def test_login_with_a_token_keeps_it(live_hub, tmp_path):
    token = live_hub.user("alice", role="read")
    program = f"from huggingface_hub import login; login(token={token!r})"
    with launch(live_hub.endpoint, tmp_path, program) as process:
        output = process.communicate()[0]
    assert process.returncode == 0, output
    assert (tmp_path / "token").read_text() == token


def test_login_with_a_token_of_another_hub_is_refused(live_hub, tmp_path):
    program = "from huggingface_hub import login; login(token='hf_elsewhere')"
    with launch(live_hub.endpoint, tmp_path, program) as process:
        output = process.communicate()[0]
    assert "Invalid user token" in output
    assert not (tmp_path / "token").exists()
