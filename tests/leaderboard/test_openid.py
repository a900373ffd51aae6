"""Signing in with an OpenID provider: what is believed, and everything that is not."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from hub_clock import moving_clock
from leaderboard_agents import push, submit
from openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, new_key
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database.tables import people as people_table
from rl_leaderboard.database.tables import sign_ins as sign_ins_table
from rl_leaderboard.errors import TooManyRequests
from rl_leaderboard.people import people, sessions, sign_ins
from rl_leaderboard.settings import Settings
from rl_leaderboard.web.app import create_app


@pytest.fixture(scope="module")
def key():
    return new_key()


@pytest.fixture
def provider(key):
    with OpenIdProvider(key).serve() as running:
        yield running


@pytest.fixture
def settings(tmp_path, provider):
    return Settings(
        tmp_path / "classroom-data",
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        oidc_label="the university",
        oidc_source="https://huggingface.co",
        teachers=("grace",),
    )


def another_browser(app):
    return TestClient(app, base_url="http://classroom.test")


def depart(browser, target="/settings"):
    """The address at the provider that a browser is sent to."""
    response = browser.get("/login/openid", params={"next": target}, follow_redirects=False)
    assert response.status_code == 303, response.text
    return response.headers["location"]


def come_back(browser, query):
    return browser.get("/login/openid/callback", params=query, follow_redirects=False)


def sign_in(browser, provider, target="/settings"):
    return come_back(browser, provider.consent(depart(browser, target)))


def is_signed_in(browser):
    return browser.get("/settings", follow_redirects=False).status_code == 200


def everybody(classroom):
    with classroom.read() as connection:
        return [people.to_person(row) for row in connection.execute(select(people_table))]


def pending(classroom):
    with classroom.read() as connection:
        return connection.scalar(select(func.count()).select_from(sign_ins_table))


def test_whoever_the_provider_vouches_for_is_signed_in_and_led_on(client, provider, classroom):
    response = sign_in(client, provider)

    assert (response.status_code, response.headers["location"]) == (303, "/settings")
    assert "Ada Lovelace" in client.get("/settings").text
    (ada,) = everybody(classroom)
    assert (ada.issuer, ada.name, ada.full_name, ada.role) == (provider.issuer, "ada", "Ada Lovelace", "student")
    assert ada.source == "huggingface.co"
    assert "rl_classroom_sign_in" not in client.cookies


def test_signing_in_again_finds_the_same_person_under_a_new_name(app, client, provider, classroom):
    sign_in(client, provider)
    provider.who["preferred_username"] = "countess"
    sign_in(another_browser(app), provider)

    assert [(person.id, person.name) for person in everybody(classroom)] == [(1, "countess")]


def test_the_browser_is_sent_with_pkce_state_and_nonce_that_nobody_can_guess(app, client, provider):
    first, second = (parse_qs(urlsplit(depart(browser)).query) for browser in (client, another_browser(app)))

    assert first["redirect_uri"] == ["http://classroom.test/login/openid/callback"]
    assert first["code_challenge_method"] == ["S256"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]
    assert "code_verifier" not in first


def test_the_cookie_of_a_sign_in_on_its_way_is_for_this_site_only(client, provider):
    response = client.get("/login/openid", follow_redirects=False)

    cookie = response.headers["set-cookie"]
    assert "rl_classroom_sign_in=" in cookie
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Max-Age=600"))


def test_a_public_address_is_what_the_provider_sends_people_back_to(settings, hub, provider, empty_databases):
    public = replace(settings, public_url="https://rl.school.example")
    with_proxy = Classroom.open(public, hub=hub)
    with TestClient(create_app(with_proxy), base_url="http://10.0.0.7:7880") as browser:
        response = browser.get("/login/openid", follow_redirects=False)
    with_proxy.close()

    query = parse_qs(urlsplit(response.headers["location"]).query)
    assert query["redirect_uri"] == ["https://rl.school.example/login/openid/callback"]
    assert "Secure" in response.headers["set-cookie"]


REFUSED = (
    "wrong nonce",
    "no nonce",
    "wrong audience",
    "wrong audience, our azp",
    "two audiences, another's azp",
    "no aud",
    "other issuer",
    "no iss",
    "expired",
    "from the future",
    "no exp",
    "wrong at_hash",
    "bad signature",
    "no signature",
    "signed with the public key",
    "signed with the client's secret",
    "userinfo of somebody else",
)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # the provider at fault signs insecurely
@pytest.mark.parametrize("fault", REFUSED)
def test_an_answer_that_does_not_hold_signs_nobody_in(client, provider, classroom, fault):
    address = depart(client)
    provider.fault = fault
    if fault == "userinfo of somebody else":
        del provider.who["preferred_username"]

    response = come_back(client, provider.consent(address))

    assert response.status_code == 403
    assert "does not hold" in response.text
    assert not is_signed_in(client)
    assert everybody(classroom) == []


@pytest.mark.parametrize(
    "fault", ["down", "babble", "calls itself by another name", "no token endpoint", "script as an address"]
)
def test_a_provider_that_is_down_is_a_sentence_on_the_form(client, provider, fault):
    provider.fault = fault

    response = client.get("/login/openid", follow_redirects=False)

    assert response.status_code == 503
    assert "does not answer as it should" in response.text
    assert "Sign in with the university" in response.text


@pytest.mark.parametrize("fault", ["down", "babble", "no ID token"])
def test_a_provider_that_goes_down_on_the_way_is_a_sentence_too(client, provider, fault):
    query = provider.consent(depart(client))
    provider.fault = fault

    response = come_back(client, query)

    assert response.status_code == 503
    assert not is_signed_in(client)


def test_nobody_listens_at_the_providers_address(settings, hub, empty_databases):
    nowhere = Classroom.open(replace(settings, oidc_issuer="http://127.0.0.1:9"), hub=hub)
    with TestClient(create_app(nowhere)) as browser:
        response = browser.get("/login/openid")
    nowhere.close()

    assert response.status_code == 503


def test_a_provider_that_comes_back_is_used_again(client, provider):
    provider.fault = "down"
    client.get("/login/openid")
    provider.fault = ""

    assert sign_in(client, provider).status_code == 303


def test_no_page_asks_the_provider_before_somebody_signs_in(client, provider):
    client.get("/login")

    assert provider.asked == []


def test_what_the_provider_publishes_is_asked_for_once(app, client, provider):
    sign_in(client, provider)
    sign_in(another_browser(app), provider)

    assert provider.asked.count("/.well-known/openid-configuration") == 1
    assert provider.asked.count("/keys") == 1


def test_the_provider_may_change_its_keys(app, client, provider):
    sign_in(client, provider)
    provider.key = new_key("second")
    browser = another_browser(app)

    assert sign_in(browser, provider).status_code == 303
    assert is_signed_in(browser)


def test_a_provider_that_takes_the_secret_in_the_form_only_gets_it_there(client, provider):
    provider.auth_methods = ["client_secret_post"]

    assert sign_in(client, provider).status_code == 303


def test_a_callback_works_once(client, provider, classroom):
    query = provider.consent(depart(client))
    cookie = client.cookies["rl_classroom_sign_in"]
    assert come_back(client, query).status_code == 303
    client.cookies.clear()
    client.cookies.set("rl_classroom_sign_in", cookie)

    response = come_back(client, query)

    assert response.status_code == 403
    assert "please start again" in response.text
    assert not is_signed_in(client)
    assert pending(classroom) == 0


def test_a_callback_in_another_browser_signs_nobody_in_there(app, client, provider):
    query = provider.consent(depart(client))
    victim = another_browser(app)
    depart(victim)

    assert come_back(victim, query).status_code == 403
    assert come_back(another_browser(app), query).status_code == 403
    assert not is_signed_in(victim)
    assert come_back(client, query).status_code == 303, "the attempt must not keep the real one from going on"


def test_a_made_up_state_is_refused_and_nobody_is_asked(client, provider):
    depart(client)
    asked = len(provider.asked)

    assert come_back(client, {"state": "made-up", "code": "x"}).status_code == 403
    assert come_back(client, {}).status_code == 403
    assert len(provider.asked) == asked


def test_a_code_of_another_sign_in_is_no_good(app, client, provider):
    """PKCE: whoever steals a code cannot use it."""
    stolen = provider.consent(depart(another_browser(app)))["code"]
    state = provider.consent(depart(client))["state"]

    assert come_back(client, {"state": state, "code": stolen}).status_code == 403
    assert not is_signed_in(client)


def test_an_answer_of_another_provider_is_refused_before_its_code_is_sent_anywhere(client, provider):
    query = provider.consent(depart(client))

    assert come_back(client, query | {"iss": "https://elsewhere.example"}).status_code == 403
    assert "/token" not in provider.asked


def test_ten_minutes_are_enough(client, provider, monkeypatch):
    move = moving_clock(monkeypatch)
    query = provider.consent(depart(client))
    move(timedelta(minutes=10).total_seconds())

    assert come_back(client, query).status_code == 403


def test_sign_ins_that_were_given_up_are_removed_and_never_too_many(client, provider, classroom, monkeypatch):
    move = moving_clock(monkeypatch)
    monkeypatch.setattr(sign_ins, "MOST_PENDING", 4)
    depart(client)
    depart(client)

    response = client.get("/login/openid", follow_redirects=False)
    assert (response.status_code, response.headers["retry-after"]) == (429, "60")

    move(601)
    depart(client)
    assert pending(classroom) == 1


def test_whoever_begins_many_sign_ins_keeps_nobody_elsewhere_from_signing_in(classroom, monkeypatch):
    monkeypatch.setattr(sign_ins, "MOST_PENDING", 8)

    def begin(network):
        with classroom.write() as connection:
            sign_ins.begin(connection, "state", {}, network)

    for _ in range(4):
        begin("192.0.2.7")
    with pytest.raises(TooManyRequests, match="wait a minute"):
        begin("192.0.2.7")
    begin("198.51.100.1")
    assert pending(classroom) == 5


def test_the_database_holds_neither_the_cookie_nor_the_state(client, provider, classroom):
    state = parse_qs(urlsplit(depart(client)).query)["state"][0]

    with classroom.read() as connection:
        kept = repr(connection.execute(select(sign_ins_table)).all())
    assert state not in kept
    assert client.cookies["rl_classroom_sign_in"] not in kept


def test_somebody_who_declines_reads_that_and_no_words_of_a_stranger(client, provider):
    address = depart(client)
    provider.fault = "declined"
    response = come_back(client, provider.consent(address))
    assert response.status_code == 403
    assert "declined" in response.text

    state = parse_qs(urlsplit(depart(client)).query)["state"][0]
    response = come_back(client, {"state": state, "error": "call 0123 456", "error_description": "call 0123 456"})
    assert response.status_code == 400
    assert "0123" not in response.text


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "/\r\nSet-Cookie: a=b"]
)
def test_the_way_back_leads_to_this_site_only(client, provider, target):
    assert sign_in(client, provider, target).headers["location"] == "/"


def test_the_session_is_a_new_one_whatever_the_browser_came_with(client, provider, classroom):
    client.cookies.set(sessions.COOKIE, "planted")
    sign_in(client, provider)
    first = client.cookies.get(sessions.COOKIE, domain="classroom.test")
    assert first != "planted"
    client.cookies.delete(sessions.COOKIE, domain="")

    sign_in(client, provider)

    with classroom.read() as connection:
        assert sessions.identify(connection, first) is None, "the old session is over"
        assert sessions.count(connection, 1) == 1


def test_without_a_user_name_a_person_is_shown_by_name_and_owns_no_account(client, provider, classroom):
    submit(classroom, push("ada", source="huggingface.co"))
    provider.who = {"sub": "u-9", "name": "ada"}
    sign_in(client, provider)

    (person,) = everybody(classroom)
    assert (person.name, person.source) == ("ada", None)


def test_what_the_id_token_leaves_out_the_userinfo_endpoint_may_tell(client, provider, classroom):
    provider.who = {"sub": "u-9"}
    provider.in_userinfo = {"preferred_username": "lin", "name": "Lin Yutang"}
    sign_in(client, provider)

    (person,) = everybody(classroom)
    assert (person.name, person.full_name, person.source) == ("lin", "Lin Yutang", "huggingface.co")


@pytest.mark.parametrize("verified", [True, False])
def test_an_email_address_is_a_name_to_show_and_nothing_else(client, provider, classroom, verified):
    with classroom.write() as connection:
        people.welcome(connection, people.Arrival(people.HUB, "1", "ada", people.HUB, is_admin=True))
    provider.who = {"sub": "u-9", "email": "ada@school.example", "email_verified": verified}
    sign_in(client, provider)

    hub_ada, stranger = everybody(classroom)
    assert (stranger.name, stranger.source, stranger.role) == ("ada", None, "student")
    assert stranger.id != hub_ada.id


@pytest.mark.parametrize(
    "who",
    [
        {"sub": "u-9"},
        {"sub": "", "name": "x"},
        {"sub": 7, "name": "x"},
        {"sub": "u" * 300, "name": "x"},
        {"sub": "u-9", "preferred_username": "a/b"},
        {"sub": "u-9", "preferred_username": "a" * 97},
        {"sub": "u-9", "preferred_username": "a\0b"},
        {"sub": "u-9", "preferred_username": ["ada"]},
    ],
)
def test_a_person_without_a_name_that_can_be_shown_is_told_so(client, provider, classroom, who):
    provider.who = who

    response = sign_in(client, provider)

    assert response.status_code in (400, 403)
    assert 'role="alert"' in response.text
    assert everybody(classroom) == []


def test_script_in_a_name_is_text(client, provider):
    provider.who["preferred_username"] = "<script>alert(1)<script>"
    sign_in(client, provider)

    page = client.get("/settings").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_a_hidden_character_in_a_full_name_is_dropped_with_it(client, provider, classroom):
    provider.who["name"] = "Ada\N{RIGHT-TO-LEFT OVERRIDE}"
    sign_in(client, provider)

    assert everybody(classroom)[0].full_name == ""


def test_the_list_of_teachers_is_of_the_hubs_accounts_where_there_is_one(client, provider, classroom):
    provider.who["preferred_username"] = "grace"
    sign_in(client, provider)

    assert everybody(classroom)[0].role == "student"


@pytest.mark.parametrize(
    ("who", "role"), [({"preferred_username": "Grace"}, "teacher"), ({"name": "grace"}, "student")]
)
def test_without_a_hub_it_is_of_the_providers_user_names(settings, provider, who, role):
    alone = Classroom.open(settings)
    provider.who = {"sub": "u-9", **who}
    with TestClient(create_app(alone), base_url="http://classroom.test") as browser:
        assert "Password" not in browser.get("/login").text
        sign_in(browser, provider)
        found = everybody(alone)
    alone.close()

    assert [person.role for person in found] == [role]
