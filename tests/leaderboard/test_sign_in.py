"""Signing in with an account of the embedded Hub, sessions, and forms that only our own pages can send."""

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from hub_accounts import token_for
from hub_clock import moving_clock
from leaderboard_people import form_token
from page_visitors import PASSWORD
from page_visitors import person as hub_person
from rl_hub.accounts import passwords, users
from rl_hub.accounts import sign_in as hub_sign_in
from rl_hub.database.tables import accounts
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database.tables import sessions as sessions_table
from rl_leaderboard.people import people, sessions, tokens
from rl_leaderboard.settings import Settings
from rl_leaderboard.web.app import create_app

ORIGIN = "http://classroom.test"


@pytest.fixture
def ada(hub):
    """An account of the Hub."""
    return hub_person(hub, "Ada", PASSWORD, full_name="Ada Lovelace")


def enter(browser, name="ada", password=PASSWORD, target="/settings", **options):
    """Fills in the form and sends it, as a browser does."""
    token = form_token(browser.get("/login", params={"next": target}).text)
    form = {"form_token": token, "name": name, "password": password, "next": target}
    return browser.post("/login", data=form, follow_redirects=False, **options)


def session_of(browser):
    return browser.cookies.get(sessions.COOKIE, domain="classroom.test")


def is_signed_in(browser):
    return browser.get("/settings", follow_redirects=False).status_code == 200


def someone(app, session):
    """A browser that has a session's cookie."""
    return TestClient(app, base_url=ORIGIN, cookies={sessions.COOKIE: session})


def test_name_and_password_of_the_hub_sign_in_and_lead_on(client, ada):
    response = enter(client)

    assert (response.status_code, response.headers["location"]) == (303, "/settings")
    assert "Ada Lovelace" in client.get("/settings").text


@pytest.mark.parametrize(("name", "password"), [("ada", "a wrong password"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_name_or_password_is_said_on_the_form_without_telling_which(client, ada, name, password):
    response = enter(client, name, password)

    assert response.status_code == 401
    assert "The name or the password is wrong." in response.text
    assert f'value="{name}"' in response.text
    assert password not in response.text or not password
    assert not is_signed_in(client)


def test_guessing_is_slowed_down_and_the_answer_says_for_how_long(client, ada):
    for _ in range(6):
        enter(client, password="wrong")

    response = enter(client, password=PASSWORD)

    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1
    assert "wait" in response.text
    assert not is_signed_in(client)


def test_the_cookie_is_hidden_from_scripts_and_other_sites(client, ada):
    cookie = next(value for value in enter(client).headers.get_list("set-cookie") if sessions.COOKIE in value)

    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie, "over http a browser would not send it back"


@pytest.mark.parametrize("address", ["https://classroom.test", None])
def test_over_https_the_cookie_is_for_https_only(settings, hub, ada, empty_databases, address):
    public = replace(settings, public_url=None if address else "https://rl.school.example")
    opened = Classroom.open(public, hub=hub)
    with TestClient(create_app(opened), base_url=address or "https://rl.school.example") as browser:
        cookies = enter(browser).headers.get_list("set-cookie")
    opened.close()

    assert cookies
    assert all("Secure" in cookie for cookie in cookies)


def test_a_session_that_was_planted_in_the_browser_is_worth_nothing_afterwards(app, client, ada):
    client.cookies.set(sessions.COOKIE, "planted", domain="classroom.test")

    assert enter(client).status_code == 303

    assert session_of(client) != "planted"
    assert not is_signed_in(someone(app, "planted"))


def test_every_sign_in_has_a_new_session_and_ends_the_one_before(app, client, ada, sign_in):
    """Also somebody else's: an attacker's own session in the victim's browser does not become the victim's."""
    attacker = sign_in("eve")
    planted = attacker.browser.cookies[sessions.COOKIE]
    client.cookies.set(sessions.COOKIE, planted, domain="classroom.test")
    token = form_token(client.get("/settings").text)
    form = {"form_token": token, "name": "ada", "password": PASSWORD, "next": "/settings"}
    client.post("/login", data=form)

    assert session_of(client) != planted
    assert not is_signed_in(attacker.browser)
    assert is_signed_in(client)


def test_somebody_whose_session_is_over_can_sign_in_at_once(client, ada):
    client.cookies.set(sessions.COOKIE, "over", domain="classroom.test")

    assert enter(client).status_code == 303


def test_sessions_end_after_two_weeks_and_are_removed(client, ada, classroom, monkeypatch):
    move = moving_clock(monkeypatch)
    enter(client)
    move(sessions.LIFETIME.total_seconds())
    assert not is_signed_in(client)

    client.cookies.clear()
    enter(client)
    with classroom.read() as connection:
        assert connection.scalar(select(func.count()).select_from(sessions_table)) == 1


def test_the_database_does_not_hold_what_the_cookie_holds(client, ada, classroom):
    enter(client)

    with classroom.read() as connection:
        assert session_of(client) not in repr(connection.execute(select(sessions_table)).all())


def test_signing_out_ends_the_session_on_the_server_too(app, client, ada):
    enter(client)
    session = session_of(client)

    token = form_token(client.get("/settings").text)
    response = client.post("/logout", data={"form_token": token}, follow_redirects=False)

    assert response.headers["location"] == "/"
    assert session_of(client) is None
    assert not is_signed_in(someone(app, session))


def test_somebody_who_is_signed_in_is_led_on_from_the_form(client, ada):
    enter(client)

    response = client.get("/login?next=/settings/tokens", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/settings/tokens")


def test_a_page_that_needs_an_account_leads_to_the_form_and_back(client, ada):
    response = client.get("/settings/tokens", follow_redirects=False)
    assert response.headers["location"] == "/login?next=%2Fsettings%2Ftokens"
    assert 'name="next" value="/settings/tokens"' in client.get(response.headers["location"]).text


FOREIGN = (
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\r\nSet-Cookie: a=b",
    "%2F%2Fevil.example",
    "evil.example",
    "",
)


@pytest.mark.parametrize("target", FOREIGN)
def test_signing_in_leads_to_this_site_only(client, ada, target):
    response = enter(client, target=target)

    assert response.headers["location"] == "/"
    assert "a=b" not in str(response.headers)
    assert client.get("/login", params={"next": target}, follow_redirects=False).headers["location"] == "/"


def test_line_ends_in_the_address_make_no_header(client, ada):
    response = client.get("/login?next=/%0d%0aSet-Cookie:%20a=b", follow_redirects=False)
    assert "a=b" not in str(response.headers)
    enter(client)
    response = client.get("/login?next=/%0d%0aSet-Cookie:%20a=b", follow_redirects=False)
    assert response.headers["location"] == "/"
    assert "set-cookie" not in response.headers


def test_script_in_the_form_is_text(client, ada):
    script = '"><script>alert(1)</script>'

    response = enter(client, name=script, target=script)

    assert response.status_code == 401
    assert "<script>alert" not in response.text


def test_a_form_without_its_token_is_refused(client, ada):
    client.get("/login")

    response = client.post("/login", data={"name": "ada", "password": PASSWORD, "next": "/"})

    assert response.status_code == 400
    assert session_of(client) is None


def test_a_form_with_anothers_token_is_refused(app, client, ada, sign_in):
    bob = sign_in("bob")
    token_of_bob = form_token(bob.get("/settings").text)
    token_of_stranger = form_token(TestClient(app, base_url=ORIGIN).get("/login").text)
    enter(client)

    for token in (token_of_bob, token_of_stranger, "0" * 64, ""):
        assert client.post("/logout", data={"form_token": token}).status_code == 403
    assert is_signed_in(client)


def test_a_form_without_any_cookie_is_refused(app, client, ada):
    token = form_token(client.get("/login").text)
    elsewhere = TestClient(app, base_url=ORIGIN)

    form = {"form_token": token, "name": "ada", "password": PASSWORD, "next": "/"}
    assert elsewhere.post("/login", data=form).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://classroom.test.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_that_a_browser_says_comes_from_elsewhere_is_refused(client, ada, headers):
    response = enter(client, headers=headers)
    assert response.status_code == 403
    assert session_of(client) is None

    enter(client)
    token = form_token(client.get("/settings").text)
    assert client.post("/logout", data={"form_token": token}, headers=headers).status_code == 403
    assert is_signed_in(client)


def test_a_form_that_a_browser_says_is_ours_is_taken(client, ada):
    headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}

    assert enter(client, headers=headers).status_code == 303


def test_an_access_token_opens_no_page_and_sends_no_form(client, classroom, sign_in):
    ada = sign_in("ada")
    with classroom.write() as connection:
        token = tokens.create(connection, ada.person.id, "laptop", "write")
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/settings", headers=headers, follow_redirects=False).status_code == 303

    form = {"form_token": form_token(client.get("/login").text), "pseudonym": "owl"}
    assert client.post("/settings", data=form, headers=headers).status_code == 401


def test_the_hubs_administrators_administer_this_site(client, hub):
    hub_person(hub, "root", PASSWORD, is_admin=True)
    enter(client, "root")

    assert client.get("/admin/people").status_code == 200


def test_names_of_the_operators_list_are_teachers_from_the_start(settings, hub, ada, empty_databases):
    opened = Classroom.open(replace(settings, teachers=("ADA",)), hub=hub)
    with TestClient(create_app(opened), base_url=ORIGIN) as browser:
        enter(browser)
        assert "Teacher" in browser.get("/settings").text
    opened.close()


def test_whoever_is_put_on_the_list_later_is_a_teacher_at_the_next_sign_in(settings, client, hub, ada, classroom):
    enter(client)
    opened = Classroom.open(replace(settings, teachers=("ada",)), hub=hub)
    with TestClient(create_app(opened), base_url=ORIGIN) as browser:
        enter(browser)
        assert browser.get("/teach").status_code == 200
    opened.close()


def test_a_sign_in_on_the_page_and_a_token_of_the_hub_are_the_same_person(client, hub, ada, classroom):
    enter(client)
    token = token_for(hub, "Ada")
    with classroom.read() as connection:
        before = sessions.identify(connection, session_of(client))
    client.cookies.clear()
    client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    enter(client)

    with classroom.read() as connection:
        assert sessions.identify(connection, session_of(client)).id == before.id


def test_a_new_account_of_an_old_name_gets_nothing_of_the_old_one(client, hub, classroom):
    first = bearer_of(client, token_for(hub, "mary"))
    with classroom.write() as connection:
        tokens.create(connection, client.get("/api/v1/me", headers=first).json()["id"], "mine", "read")
    with hub.database.write() as connection:
        users.remove(connection, users.get(connection, "mary"))

    second = bearer_of(client, token_for(hub, "mary"))

    assert client.get("/api/v1/me/tokens", headers=second).json()["items"] == []


def bearer_of(client, token):
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/me", headers=headers).json()["name"] == "mary"
    return headers


def test_an_account_that_was_made_anew_is_somebody_else_by_token_as_well(client, hub, sign_in, classroom):
    hub_person(hub, "grace", PASSWORD)
    enter(client, "grace")
    with classroom.write() as connection:
        grace = sessions.identify(connection, session_of(client))
        people.change_role(connection, grace.id, "teacher")
    with hub.database.write() as connection:
        users.remove(connection, users.get(connection, "grace"))
    token = token_for(hub, "grace")

    found = client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).json()

    assert found["role"] == "student"
    assert found["id"] != grace.id


def test_without_a_hub_and_a_provider_the_page_says_what_to_set(tmp_path):
    alone = Classroom.open(Settings(tmp_path / "alone", hub_embedded=False))
    with TestClient(create_app(alone), base_url=ORIGIN) as browser:
        text = browser.get("/login").text
        token = browser.cookies.get("rl_classroom_form")
        sent = browser.post("/login", data={"form_token": "", "name": "a", "password": "b", "next": "/"})
        asked = browser.get("/login/openid")
    alone.close()

    assert "RL_LEADERBOARD_OIDC_ISSUER" in text
    assert "RL_LEADERBOARD_HUB" in text
    assert 'type="password"' not in text
    assert token
    assert sent.status_code == 403
    assert asked.status_code == 404


def test_the_password_is_checked_by_the_hubs_own_rules(client, ada, hub, monkeypatch):
    """The address that attempts are counted for is the client's."""
    addresses = []
    real = hub_sign_in.sign_in
    monkeypatch.setattr(hub_sign_in, "sign_in", lambda *args: addresses.append(args[3]) or real(*args))

    enter(client)

    assert addresses == ["testclient"]


def test_whoever_is_removed_from_the_hub_is_signed_out_here_and_their_tokens_with_them(client, hub, ada, classroom):
    enter(client)
    with classroom.write() as connection:
        person = sessions.identify(connection, session_of(client))
        token = tokens.create(connection, person.id, "mine", "read")
    with hub.database.write() as connection:
        users.remove(connection, users.get(connection, person.name))

    assert client.get("/settings", follow_redirects=False).status_code == 303
    client.cookies.clear()
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_new_password_on_the_hub_ends_the_sessions_here(app, client, hub, ada):
    enter(client)
    stolen = someone(app, session_of(client))
    assert is_signed_in(stolen)

    with hub.database.write() as connection:
        user = users.get(connection, "ada")
        users.set_password(connection, user, passwords.hash_password("another password"))

    assert not is_signed_in(stolen)
    assert stolen.get("/api/v1/me").status_code == 401
    enter(client, password="another password")
    assert is_signed_in(client)


def test_an_administrator_whom_the_hub_demotes_is_none_at_the_next_click(client, hub):
    hub_person(hub, "root", PASSWORD, is_admin=True)
    bearer = {"Authorization": f"Bearer {token_for(hub, 'root')}"}
    enter(client, "root")
    assert client.get("/api/v1/me", headers=bearer).json()["role"] == "admin"

    with hub.database.write() as connection:
        connection.execute(update(accounts).where(accounts.c.key == "root").values(is_admin=False))

    assert client.get("/admin/people").status_code == 403
    assert client.get("/api/v1/me", headers=bearer).json()["role"] == "student"


def test_names_of_the_operators_list_are_administrators(settings, hub, ada, empty_databases):
    opened = Classroom.open(replace(settings, admins=("ada",)), hub=hub)
    with TestClient(create_app(opened), base_url=ORIGIN) as browser:
        enter(browser)
        assert browser.get("/admin/people").status_code == 200
    opened.close()
