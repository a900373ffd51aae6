"""Signing in, tokens, passwords and devices, on the pages."""

import re
from datetime import timedelta
from urllib.parse import unquote, urlencode

import pytest
from starlette.requests import Request

from page_visitors import PASSWORD, form_token, member, person, send, visitor
from rl_hub import clock
from rl_hub.accounts import devices, passwords, sessions, throttle, tokens, users
from rl_hub.accounts.identity import Identity
from rl_hub.errors import Forbidden
from rl_hub.web.call import Call
from rl_hub.web.pages import forms


@pytest.fixture
def ada(hub):
    return person(hub, "ada", full_name="Ada L.")


@pytest.fixture(scope="module")
def password_hash():
    """Computed once: a hash is slow on purpose."""
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def ada_with_password(hub, ada, password_hash):
    with hub.database.write() as connection:
        users.set_password(connection, users.get(connection, "ada"), password_hash)
    return ada


def mine(hub, owner):
    with hub.database.read() as connection:
        return tokens.list_tokens(connection, owner.identity.user_id)


# Signing in


def test_name_and_password_sign_in(hub, ada_with_password):
    client = visitor(hub)
    answer = send(client, "/login", name="ada", password=PASSWORD, next="")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert 'href="/settings/tokens"' in client.get("/").text


def test_the_sessions_cookie_is_out_of_reach_of_scripts_and_foreign_forms(hub, ada_with_password):
    answer = send(visitor(hub), "/login", name="ada", password=PASSWORD, next="")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie


def test_behind_https_the_cookie_stays_on_https(hub, ada_with_password):
    client = visitor(hub)
    client.base_url = "https://testserver"
    answer = send(client, "/login", name="ada", password=PASSWORD, next="")
    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_wrong_password_is_told_in_the_form(hub, ada_with_password):
    answer = send(visitor(hub), "/login", name="ada", password="wrong", next="/settings")
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert 'value="ada"' in answer.text
    assert 'value="/settings"' in answer.text
    assert "wrong</" not in answer.text


def test_guessing_is_slowed_down(hub, ada):
    with hub.database.write() as connection:
        for _ in range(throttle.GUESSER.free + 1):
            throttle.reserve(connection, [throttle.guesser("ada", "testclient")])
    answer = send(visitor(hub), "/login", name="ada", password="wrong", next="")
    assert answer.status_code == 429
    assert "too many attempts" in answer.text
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/settings/tokens?a=1", "/settings/tokens?a=1"),
        ("/ada/agent/blob/feat%2Fx/a%20b", "/ada/agent/blob/feat%2Fx/a%20b"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("settings", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("/größe", "/"),
    ],
)
def test_signing_in_leads_to_pages_of_this_hub_only(hub, ada_with_password, target, place):
    answer = send(visitor(hub), "/login", name="ada", password=PASSWORD, next=target)
    assert answer.headers["location"] == place


def test_somebody_who_is_signed_in_is_led_on(hub, ada):
    answer = visitor(hub, ada).get("/login?next=/settings")
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings")


def test_a_sign_in_form_without_its_cookie_is_refused(hub, ada_with_password):
    token = form_token(visitor(hub).get("/login"))
    fields = {"form_token": token, "name": "ada", "password": PASSWORD, "next": ""}
    answer = visitor(hub).post("/login", data=fields)
    assert answer.status_code == 403
    assert "allow cookies" in answer.text


def test_a_sign_in_form_with_somebody_elses_token_is_refused(hub, ada_with_password):
    token = form_token(visitor(hub).get("/login"))
    client = visitor(hub)
    client.get("/login")
    answer = client.post("/login", data={"form_token": token, "name": "ada", "password": PASSWORD, "next": ""})
    assert answer.status_code == 403


def test_a_form_without_a_field_is_refused_with_a_sentence(hub):
    answer = send(visitor(hub), "/login", name="ada")
    assert answer.status_code == 400
    assert "without its field next" in answer.text


def test_a_field_that_no_text_has_is_refused(hub):
    answer = send(visitor(hub), "/login", name="a\0da", password="x", next="")
    assert answer.status_code == 400


def test_a_form_of_any_size_is_refused(hub):
    answer = send(visitor(hub), "/login", name="x" * forms.MAX_BODY, password="x", next="")
    assert answer.status_code == 413


def test_signing_out_ends_the_session(hub, ada):
    client = visitor(hub, ada)
    session = client.cookies[sessions.COOKIE]
    answer = send(client, "/logout", form_at="/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    with hub.database.read() as connection:
        assert sessions.identify(connection, session) is None


def test_signing_out_takes_a_form(hub, ada):
    assert visitor(hub, ada).get("/logout").status_code == 404


# Foreign forms

FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]
FORMS = [
    *("/logout", "/settings/tokens", "/settings/tokens/delete", "/settings/password"),
    *("/device", "/device/approve", "/device/deny"),
]


@pytest.mark.parametrize("path", FORMS)
def test_forms_of_other_sites_are_refused_even_with_the_right_token(hub, ada, path):
    client = visitor(hub, ada)
    fields = {"form_token": form_token(client.get("/settings/tokens")), "name": "x", "role": "write", "days": ""}
    for headers in FOREIGN:
        answer = client.post(path, data=fields, headers=headers)
        assert answer.status_code == 403, headers
        assert "sent from another site" in answer.text


@pytest.mark.parametrize("path", FORMS)
def test_forms_without_the_sessions_token_are_refused(hub, ada, path):
    answer = visitor(hub, ada).post(path, data={"form_token": "0" * 64, "name": "x", "role": "write", "id": "1"})
    assert answer.status_code == 403
    assert "out of date" in answer.text
    assert mine(hub, ada) == []


@pytest.mark.parametrize("path", FORMS)
def test_forms_of_nobody_are_refused(hub, path):
    answer = visitor(hub).post(path, data={"form_token": "x"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", FORMS)
def test_an_access_token_sends_no_forms_whatever_cookie_it_brings(hub, ada, path):
    with hub.database.write() as connection:
        token = tokens.create(connection, ada.identity.user_id, "laptop", "read")
    client = visitor(hub)
    client.cookies.set(sessions.COOKIE, "made up")
    right = sessions.form_token(hub.secret, "session", "made up")
    fields = {"form_token": right, "name": "x", "role": "write", "days": "", "user_code": "", "id": "1"}
    answer = client.post(path, data=fields, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in {401, 403}
    assert [each.name for each in mine(hub, ada)] == ["laptop"]


@pytest.mark.parametrize("role", ["read", "write"])
def test_forms_are_read_for_sessions_only(hub, role):
    request = Request({"type": "http", "headers": [(b"cookie", f"{sessions.COOKIE}=x".encode())]})
    body = urlencode({"form_token": sessions.form_token(hub.secret, "session", "x")}).encode()
    with pytest.raises(Forbidden, match="sign in on this Hub's pages"):
        forms.read_form(Call(hub, request, Identity(1, "ada", role, via="token"), {}, body))


def test_the_form_for_signing_in_gives_away_no_token_of_a_session(hub, ada):
    client, stranger = visitor(hub, ada), visitor(hub)
    stranger.cookies.set("rl_hub_form", client.cookies[sessions.COOKIE])
    fields = {"form_token": form_token(stranger.get("/login")), "name": "x", "role": "write", "days": ""}
    assert client.post("/settings/tokens", data=fields).status_code == 403
    assert mine(hub, ada) == []


def test_our_own_forms_say_where_they_come_from(hub, ada):
    headers = {"origin": "http://testserver", "sec-fetch-site": "same-origin"}
    answer = send(visitor(hub, ada), "/logout", form_at="/", headers=headers)
    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/settings", "/settings/tokens", "/settings/password", "/device?user_code=BCDF-GHJK"])
def test_pages_of_an_account_lead_to_signing_in_and_back(hub, path):
    answer = visitor(hub).get(path)
    assert answer.status_code == 303
    assert unquote(answer.headers["location"]) == f"/login?next={path}"


# Settings


def test_the_profile_shows_who_one_is_and_where_one_belongs(hub, ada):
    member(hub, "rl-2026", ada, "admin")
    page = visitor(hub, ada).get("/settings").text
    assert "Ada L." in page
    assert "rl-2026" in page


def test_a_new_token_is_shown_once_and_works(hub, ada):
    client = visitor(hub, ada)
    answer = send(client, "/settings/tokens", name="laptop", role="write", days="")
    token = re.search(r"hf_[\w-]+", answer.text).group()
    with hub.database.read() as connection:
        assert tokens.identify(connection, token).role == "write"
    assert answer.headers["cache-control"] == "no-store"
    again = client.get("/settings/tokens").text
    assert "laptop" in again
    assert token not in again


def test_a_token_can_end_by_itself(hub, ada):
    send(visitor(hub, ada), "/settings/tokens", name="colab", role="read", days="30")
    [token] = mine(hub, ada)
    assert token.role == "read"
    assert timedelta(days=29) < token.expires_at - clock.now() <= timedelta(days=30)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "", "role": "write", "days": ""}, "1 to 64 printable characters"),
        ({"name": "x", "role": "root", "days": ""}, "what the token may do"),
        ({"name": "x", "role": "write", "days": "9999"}, "how long the token is valid"),
        ({"name": "<b>&", "role": "write", "days": "-1"}, "how long the token is valid"),
    ],
)
def test_a_token_that_cannot_be_is_refused_in_the_form(hub, ada, fields, sentence):
    answer = send(visitor(hub, ada), "/settings/tokens", **fields)
    assert answer.status_code == 400
    assert sentence in answer.text
    assert "<b>&" not in answer.text


def test_too_many_tokens_are_refused_in_the_form(hub, ada, monkeypatch):
    monkeypatch.setattr(tokens, "MOST_PER_USER", 1)
    client = visitor(hub, ada)
    send(client, "/settings/tokens", name="laptop", role="write", days="")
    answer = send(client, "/settings/tokens", name="desktop", role="write", days="")
    assert answer.status_code == 409
    assert "delete some first" in answer.text
    assert 'value="desktop"' in answer.text


def test_a_token_is_deleted(hub, ada):
    client = visitor(hub, ada)
    send(client, "/settings/tokens", name="laptop", role="write", days="")
    answer = send(client, "/settings/tokens/delete", form_at="/settings/tokens", id=str(mine(hub, ada)[0].id))
    assert answer.status_code == 303
    assert mine(hub, ada) == []


@pytest.mark.parametrize(("number", "status"), [("1", 404), ("x", 400), ("²", 400), ("9" * 30, 400)])
def test_nobody_deletes_tokens_of_others(hub, ada, number, status):
    bob = person(hub, "bob")
    send(visitor(hub, bob), "/settings/tokens", name="laptop", role="write", days="")
    answer = send(visitor(hub, ada), "/settings/tokens/delete", form_at="/settings/tokens", id=number)
    assert answer.status_code == status
    assert len(mine(hub, bob)) == 1


def test_a_password_is_changed_and_other_browsers_are_signed_out(hub, ada_with_password):
    here, elsewhere = visitor(hub, ada_with_password), visitor(hub, ada_with_password)
    answer = send(here, "/settings/password", old=PASSWORD, new="another password", again="another password")
    assert answer.status_code == 303
    assert "has been changed" in here.get(answer.headers["location"]).text
    assert elsewhere.get("/settings").status_code == 303
    with hub.database.read() as connection:
        assert passwords.verify(users.find_password_hash(connection, "ada"), "another password")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"old": "wrong", "new": "another password", "again": "another password"}, "old password is wrong"),
        ({"old": PASSWORD, "new": "another password", "again": "another"}, "differ"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "too short"),
    ],
)
def test_a_password_that_cannot_be_is_refused_in_the_form(hub, ada_with_password, fields, sentence):
    answer = send(visitor(hub, ada_with_password), "/settings/password", **fields)
    assert answer.status_code == 400
    assert sentence in answer.text
    with hub.database.read() as connection:
        assert passwords.verify(users.find_password_hash(connection, "ada"), PASSWORD)


# Devices

CLIENT = "26be6b09-91c5-47da-9861-d2d2bb7a7e36"


def start(hub, client_id=CLIENT):
    with hub.database.write() as connection:
        return devices.start(connection, client_id)


def poll(hub, code, client_id=CLIENT):
    return devices.poll(hub.database, code.device_code, client_id)


def test_a_code_in_the_address_is_only_filled_in(hub, ada):
    code = start(hub)
    page = visitor(hub, ada).get(f"/device?user_code={code.user_code}").text
    assert f'value="{code.user_code}"' in page
    assert "Approve" not in page
    assert poll(hub, code) is devices.Refusal.PENDING


def test_a_code_in_the_address_is_text(hub, ada):
    page = visitor(hub, ada).get('/device?user_code="><script>alert(1)</script>').text
    assert "<script>alert" not in page


def test_the_page_says_who_asks_and_for_whom(hub, ada):
    answer = send(visitor(hub, ada), "/device", user_code=start(hub).user_code)
    assert answer.status_code == 200
    assert "huggingface_hub" in answer.text
    assert "<strong>ada</strong>" in answer.text


def test_a_client_that_is_not_known_is_named_by_its_id(hub, ada):
    code = start(hub, "<b>my-client</b>")
    assert (
        "<code>&lt;b&gt;my-client&lt;/b&gt;</code>" in send(visitor(hub, ada), "/device", user_code=code.user_code).text
    )


def test_looking_approves_nothing(hub, ada):
    code = start(hub)
    send(visitor(hub, ada), "/device", user_code=code.user_code)
    assert poll(hub, code) is devices.Refusal.PENDING


@pytest.mark.parametrize("role", ["read", "write"])
def test_approving_gives_the_device_a_token_of_the_chosen_role(hub, ada, role):
    code = start(hub)
    answer = send(visitor(hub, ada), "/device/approve", form_at="/device", user_code=code.user_code, role=role)
    assert "Approved" in answer.text
    with hub.database.read() as connection:
        identity = tokens.identify(connection, poll(hub, code))
    assert (identity.name, identity.role) == ("ada", role)


def test_denying_gives_it_nothing(hub, ada):
    code = start(hub)
    answer = send(visitor(hub, ada), "/device/deny", form_at="/device", user_code=code.user_code)
    assert "Denied" in answer.text
    assert poll(hub, code) is devices.Refusal.DENIED


def test_a_code_is_decided_on_once(hub, ada):
    code = start(hub)
    client = visitor(hub, ada)
    send(client, "/device/approve", form_at="/device", user_code=code.user_code, role="read")
    answer = send(client, "/device/approve", form_at="/device", user_code=code.user_code, role="write")
    assert answer.status_code == 404


def test_opening_the_address_of_the_decision_decides_nothing(hub, ada):
    code = start(hub)
    assert visitor(hub, ada).get(f"/device/approve?user_code={code.user_code}&role=write").status_code == 404
    assert poll(hub, code) is devices.Refusal.PENDING


def test_a_wrong_code_is_told_in_the_form(hub, ada):
    answer = send(visitor(hub, ada), "/device", user_code="BCDF-GHJK")
    assert answer.status_code == 404
    assert "No device waits with this code" in answer.text


@pytest.mark.parametrize("path", ["/device", "/device/approve", "/device/deny"])
def test_guessing_codes_is_slowed_down(hub, ada, path):
    client = visitor(hub, ada)
    fields = {"form_token": form_token(client.get("/device")), "role": "write"}
    answers = [client.post(path, data=fields | {"user_code": f"{n}"}) for n in range(22)]
    assert [answer.status_code for answer in answers[-2:]] == [404, 429]


def test_guesses_count_together_whatever_is_done_with_the_code(hub, ada):
    code, client = start(hub), visitor(hub, ada)
    fields = {"form_token": form_token(client.get("/device")), "role": "write"}
    for n in range(21):
        client.post("/device", data=fields | {"user_code": f"{n}"})
    assert client.post("/device/approve", data=fields | {"user_code": code.user_code}).status_code == 429
    assert poll(hub, code) is devices.Refusal.PENDING


def test_the_right_code_is_no_guess(hub, ada):
    code = start(hub)
    client = visitor(hub, ada)
    token = form_token(client.get("/device"))
    statuses = {
        client.post("/device", data={"form_token": token, "user_code": code.user_code}).status_code for _ in range(25)
    }
    assert statuses == {200}
