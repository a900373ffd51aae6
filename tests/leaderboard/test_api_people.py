"""The API: the caller, their progress, tokens and certificates."""

from datetime import timedelta

import pytest

from hub_accounts import token_for
from hub_clock import moving_clock
from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_api import Program
from rl_hub import clock
from rl_leaderboard.certificates import issuing
from rl_leaderboard.people import tokens
from rl_leaderboard.progress.progress import read_progress
from rl_units.course import load_course


@pytest.fixture
def ada(client, classroom):
    return Program.of(client, classroom, "ada")


@pytest.fixture
def bob(client, classroom):
    return Program.of(client, classroom, "bob")


def test_a_token_says_whose_it_is(ada):
    me = ada.get("/me")

    assert (me["name"], me["role"], me["source"], me["is_public"], me["may_write"]) == (
        "ada",
        "student",
        "hub",
        False,
        True,
    )


@pytest.mark.parametrize("header", ["Bearer rlc_unknown", "Basic YWRhOmFkYQ==", "Bearer", "rlc_x", "Bearer  "])
def test_a_token_that_is_none_is_refused(client, header):
    answer = client.get("/api/v1/me", headers={"Authorization": header})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_privacy_changes_what_is_given_and_leaves_the_rest(classroom, client, ada):
    submit(classroom, push("ada"))

    changed = ada.ask("PATCH", "/me", json={"pseudonym": "Countess"}).json()
    public = ada.ask("PATCH", "/me", json={"is_public": True}).json()

    assert (changed["pseudonym"], changed["is_public"]) == ("Countess", False)
    assert (public["pseudonym"], public["is_public"]) == ("Countess", True)
    assert client.get(f"/api/v1/boards/{ASSIGNMENT}").json()["items"][0]["student"] == "Countess"
    assert ada.ask("PATCH", "/me", json={"pseudonym": ""}).json()["pseudonym"] is None


def test_nobody_else_may_be_called_by_a_pseudonym_of_ones_own(ada, bob):
    answer = ada.ask("PATCH", "/me", json={"pseudonym": "bob"})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_progress_is_what_the_page_shows(classroom, ada):
    (number,) = submit(classroom, push("ada", mean=300, std=50))

    progress = ada.get("/me/progress")

    assert progress["student"] == "ada"
    assert [unit["unit"] for unit in progress["units"]] == [unit.id for unit in load_course().units]
    (assignment,) = (
        one for unit in progress["units"] for one in unit["assignments"] if one["assignment"] == ASSIGNMENT
    )
    assert (assignment["state"], assignment["claimed"], assignment["verified"]) == ("waiting", 250.0, None)
    assert assignment["counted"] == number
    measure(classroom, number, [300.0, 300.0])
    assert ada.get("/me/progress")["passed"] == progress["passed"] + 1


def test_the_progress_of_others_is_private_until_they_show_it(client, ada, bob):
    path = f"/students/{ada.person.id}/progress"

    assert ada.get(path)["student"] == "ada"
    assert bob.ask("GET", path).json() == bob.ask("GET", "/students/999/progress").json()
    ada.ask("PATCH", "/me", json={"is_public": True, "pseudonym": "Countess"})
    assert bob.get(path)["student"] == client.get(f"/api/v1{path}").json()["student"] == "Countess"


def test_a_token_is_listed_without_itself_and_works_until_it_is_deleted(ada):
    (listed,) = ada.get("/me/tokens")["items"]

    assert (listed["name"], listed["role"]) == ("test", "write")
    assert ada.token not in ada.ask("GET", "/me/tokens").text
    assert ada.ask("DELETE", f"/me/tokens/{listed['id']}").status_code == 204
    assert ada.ask("GET", "/me").status_code == 401


def test_a_token_ends_after_its_days(classroom, client, ada, monkeypatch):
    move = moving_clock(monkeypatch)
    with classroom.write() as connection:
        end = clock.now() + timedelta(days=2)
        token = tokens.create(connection, ada.person.id, "workshop", "read", end)

    move(3 * 24 * 3600)

    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_no_token_makes_another_token(client, hub, ada):
    """One that ends soon, or one of the Hub that can be revoked there, would make one that stays."""
    of_hub = {"Authorization": f"Bearer {token_for(hub, 'ada')}"}
    body = {"name": "more", "role": "write"}

    assert ada.ask("POST", "/me/tokens", json=body).status_code == 405
    assert client.post("/api/v1/me/tokens", json=body, headers=of_hub).status_code == 405
    assert len(ada.get("/me/tokens")["items"]) == 1


def test_nobody_deletes_somebody_elses_token(ada, bob):
    (token,) = ada.get("/me/tokens")["items"]

    assert bob.ask("DELETE", f"/me/tokens/{token['id']}").status_code == 404
    assert ada.get("/me")["name"] == "ada"


def test_a_token_for_reading_changes_nothing(client, classroom):
    reader = Program.of(client, classroom, "ada", token_role="read")

    assert reader.ask("PATCH", "/me", json={"is_public": True}).status_code == 403


def test_a_certificate_is_verified_by_its_code(classroom, client, ada):
    for assignment in load_course().assignments:
        (number,) = submit(classroom, push("ada", env_id=assignment.env_id, name=assignment.id))
        measure(classroom, number, [10_000.0, 10_000.0])
    with classroom.write() as connection:
        progress = read_progress(connection, classroom.course, ada.person, certify_claims=False)
        issued = issuing.issue(connection, ada.person, progress, name="Ada Lovelace", course="Course")

    found = client.get(f"/api/v1/certificates/{issued.code}").json()

    assert (found["name"], found["level"], found["revoked_at"]) == ("Ada Lovelace", "excellence", None)
    assert found["assignments"][0]["is_verified"]
    assert ada.get("/me/certificates")["items"] == [found]
    assert client.get("/api/v1/certificates/AAAAA-AAAAA-AAAAA-AAAAA").status_code == 404
