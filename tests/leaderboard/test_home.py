"""The home page, and the page of a teacher's webhooks."""

import re

import pytest
from fastapi.testclient import TestClient

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_people import add_person, form_token
from rl_leaderboard.activity import feed, webhooks
from rl_leaderboard.audit import log
from rl_leaderboard.boards import assignments
from rl_leaderboard.people import people
from rl_leaderboard.settings import Settings
from rl_leaderboard.web.app import create_app
from rl_units.course import load_course


@pytest.fixture
def settings(tmp_path):
    """The addresses of these webhooks are on this machine."""
    return Settings(tmp_path / "classroom-data", private_webhooks=True)


def rows(html):
    found = re.search(r'<ol class="happenings".*?</ol>', html, re.DOTALL)[0]
    return re.findall(r'<li class="happening (\w+)">\s*<(?:a href="([^"]+)"|span)>([^<]+)<', found)


def test_the_home_page_leads_to_every_unit(client):
    html = client.get("/").text

    for unit in load_course().units:
        assert f'<a href="/units/{unit.id}">Unit {unit.number}: {unit.title}</a>' in html


def test_what_happened_last_comes_first(classroom, client):
    (number,) = submit(classroom, push("ada", mean=300, std=50))
    measure(classroom, number, [10.0, 14.0])
    person = add_person(classroom, "ada")
    with classroom.write() as connection:
        people.change_privacy(connection, person, pseudonym="", is_public=True)
        feed.record(connection, "certified", {"student": "ada", "level": "completion"}, person_id=person.id)

    assert rows(client.get("/").text) == [
        ("certified", "", "ada earned a certificate of completion."),
        ("scored", f"/agents/{number}", "invader by ada was measured in Space Invaders, score 10.00."),
        (
            "received",
            f"/agents/{number}",
            "ada handed in invader for Space Invaders, score 250.00 by its card.",
        ),
    ]


def test_twenty_things_are_shown_and_the_script_goes_on_from_the_newest(classroom, client):
    submit(classroom, *(push(f"s{number}") for number in range(30)))

    html = client.get("/").text

    assert len(rows(html)) == 20
    assert 'data-live="30" aria-live="off"' in html


def test_nothing_is_shown_where_nothing_happened(client):
    html = client.get("/").text

    assert rows(html) == []
    assert 'aria-labelledby="live"></ol>' in html  # :empty, in the style sheet, counts spaces
    assert "Nothing yet." in html


def test_what_is_over_the_quota_is_not_said_to_have_no_score(classroom, client):
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="best", quota_per_day=1)
    submit(classroom, push("ada", sha="1" * 40), push("ada", sha="2" * 40))

    assert rows(client.get("/").text)[0][2] == (
        "invader by ada came to Space Invaders when the day&#39;s quota was used up."
    )


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}"])
def test_names_are_text(classroom, client, name):
    submit(classroom, push(name.replace("/", "|"), name=name.replace("/", "|")))

    html = client.get("/").text

    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "handed in" in html


def test_a_long_name_is_cut(classroom, client):
    submit(classroom, push("ada", name="x" * 190))

    ((_, _, sentence),) = rows(client.get("/").text)

    assert "x" * 75 + "…" in sentence
    assert len(sentence) < 200


def test_who_is_signed_in_is_led_to_their_progress(sign_in, client):
    assert 'href="/me">My progress</a>' in sign_in("ada").get("/").text
    assert 'href="/me">My progress</a>' not in client.get("/").text


def test_a_teacher_makes_a_webhook_and_sees_its_secret_once(sign_in, classroom):
    grace = sign_in("grace", role="teacher")

    made = grace.send("/teach/webhooks", {"url": "http://127.0.0.1:4321/hook", "kinds": ["scored", "failed"]})

    with classroom.read() as connection:
        (webhook,) = webhooks.list_of_person(connection, grace.person.id)
    secret = re.search(r"rlcs_[\w-]{43}", made.text)[0]
    page = grace.get("/teach/webhooks").text
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    assert (webhook.url, webhook.kinds) == ("http://127.0.0.1:4321/hook", ("scored", "failed"))
    assert secret not in page
    assert "http://127.0.0.1:4321/hook" in page


@pytest.mark.parametrize(
    "form",
    [{"url": "http://169.254.169.254/", "kinds": "scored"}, {"url": "http://127.0.0.1/"}, {"url": "", "kinds": "x"}],
)
def test_a_webhook_that_cannot_be_is_explained_on_the_form(sign_in, form):
    answer = sign_in("grace", role="teacher").send("/teach/webhooks", form)

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert f'value="{form["url"]}"' in answer.text


def test_webhooks_are_deleted_by_their_owner_and_nobody_else(sign_in, classroom):
    grace, alan = sign_in("grace", role="teacher"), sign_in("alan", role="teacher")
    with classroom.write() as connection:
        number, _ = webhooks.create(connection, grace.person.id, "http://127.0.0.1:4321/", ["scored"])
    path = f"/teach/webhooks/{number}/delete"

    assert alan.send(path, {}, page="/teach/webhooks").status_code == 404
    assert (
        grace.browser.post(path, data={"form_token": form_token(alan.get("/teach/webhooks").text)}).status_code == 403
    )
    assert grace.send(path, {}, page="/teach/webhooks", follow_redirects=False).status_code == 303
    with classroom.read() as connection:
        assert webhooks.list_of_person(connection, grace.person.id) == []


def test_webhooks_are_in_the_audit_log_without_what_may_be_secret(sign_in, classroom):
    grace = sign_in("grace", role="teacher")
    url = "http://127.0.0.1:4321/services/T0/secret"
    made = grace.send("/teach/webhooks", {"url": url, "kinds": ["scored"]}).text
    number = int(re.search(r"/teach/webhooks/(\d+)/delete", made)[1])
    grace.send(f"/teach/webhooks/{number}/delete", {}, page="/teach/webhooks")

    with classroom.read() as connection:
        removed, created = log.latest(connection, 9)
    assert [(one.actor_name, one.action) for one in (created, removed)] == [
        ("grace", "webhook.create"),
        ("grace", "webhook.delete"),
    ]
    assert created.subject == removed.subject == "http://127.0.0.1:4321"
    assert created.details == {"webhook": number, "kinds": "scored"}


def test_the_page_is_for_teachers(sign_in, client):
    assert sign_in("ada").get("/teach/webhooks").status_code == 403
    assert (
        client.get("/teach/webhooks", follow_redirects=False).headers["location"] == "/login?next=%2Fteach%2Fwebhooks"
    )


@pytest.mark.parametrize(
    ("host", "address"), [("10.1.2.3:7880", "http://10.1.2.3:7870"), ("[fd00::1]:7880", "http://[fd00::1]:7870")]
)
def test_the_hub_is_on_the_host_that_the_classroom_was_asked_for(classroom, host, address):
    page = TestClient(create_app(classroom, hub_port=7870)).get("/boards", headers={"Host": host}).text

    assert f'href="{address}"' in page


def test_the_operators_address_of_the_hub_comes_first(classroom):
    app = create_app(classroom, hub_url="https://hub.example.org", hub_port=7870)

    assert 'href="https://hub.example.org"' in TestClient(app).get("/boards").text
