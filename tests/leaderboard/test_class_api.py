"""Classes in the API: the same rules as on the pages."""

import csv
import io

import pytest

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_classes import make_class, roles_in
from rl_leaderboard.people import tokens

ROOT = "/api/v1/classes"


@pytest.fixture
def bearer(classroom):
    """The headers of somebody's access token."""

    def make(someone, role="write"):
        with classroom.write() as connection:
            token = tokens.create(connection, someone.person.id, f"for {role}", role, None)
        return {"Authorization": f"Bearer {token}"}

    return make


@pytest.fixture
def grace(sign_in):
    return sign_in("grace", role="teacher")


@pytest.fixture
def ada(sign_in):
    return sign_in("ada")


@pytest.fixture
def record(classroom, grace, ada):
    return make_class(classroom, grace, ada)


def test_ones_own_classes_are_listed_a_page_at_a_time(classroom, client, grace, bearer):
    for number in range(5):
        make_class(classroom, grace, name=f"Class {number}")
    headers = bearer(grace, "read")

    seen, cursor = [], None
    while True:
        answer = client.get(ROOT, params={"limit": 2, **({"cursor": cursor} if cursor else {})}, headers=headers).json()
        seen += [(item["name"], item["role"], item["teachers"]) for item in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break

    assert seen == [(f"Class {number}", "teacher", 1) for number in (4, 3, 2, 1, 0)]


def test_the_roster_is_what_the_page_shows(classroom, client, grace, record, bearer):
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number, [300.0, 300.0])

    answer = client.get(f"{ROOT}/{record.id}/roster", headers=bearer(grace, "read")).json()
    (row,) = answer["items"]

    assert answer["next"] is None
    assert {"assignment": ASSIGNMENT, "due_at": None} in answer["deadlines"]
    assert (row["student"], row["pseudonym"]) == ("ada", None)
    assert row["cells"][0] == {
        "assignment": ASSIGNMENT,
        "state": "passed",
        "score": 300.0,
        "verified": True,
        "late": False,
        "submission": number,
    }


def test_the_roster_comes_as_csv_as_well(client, grace, record, bearer):
    answer = client.get(f"{ROOT}/{record.id}/roster.csv", headers=bearer(grace, "read"))
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert (row["student"], row[f"{ASSIGNMENT} state"]) == ("ada", "missing")


def test_an_invitation_made_by_a_program_lets_people_in(classroom, client, grace, record, bearer, sign_in):
    answer = client.post(f"{ROOT}/{record.id}/invitations", json={"days": 3}, headers=bearer(grace))
    bob = sign_in("bob")
    bob.send(answer.json()["url"].removeprefix("http://classroom.test"), {})

    assert answer.status_code == 201
    assert roles_in(classroom, record)["bob"] == "student"


def test_a_token_for_reading_makes_no_invitation(client, grace, record, bearer):
    answer = client.post(f"{ROOT}/{record.id}/invitations", json={}, headers=bearer(grace, "read"))

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_cookie_makes_no_invitation(grace, record):
    assert grace.browser.post(f"{ROOT}/{record.id}/invitations", json={}).status_code == 401


@pytest.mark.parametrize("body", [{"days": 0}, {"days": 366}, {"role": "admin"}, {"days": "x"}, {"more": 1}, []])
def test_an_invitation_of_another_kind_is_refused(client, grace, record, bearer, body):
    answer = client.post(f"{ROOT}/{record.id}/invitations", json=body, headers=bearer(grace))

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_student_reads_the_class_but_not_the_roster(client, ada, record, bearer):
    headers = bearer(ada)
    details = client.get(f"{ROOT}/{record.id}", headers=headers).json()

    assert (details["name"], details["role"]) == ("Autumn", "student")
    assert client.get(f"{ROOT}/{record.id}/roster", headers=headers).status_code == 404
    assert client.get(f"{ROOT}/{record.id}/roster.csv", headers=headers).status_code == 404
    assert client.post(f"{ROOT}/{record.id}/invitations", json={}, headers=headers).status_code == 404


def test_a_teacher_of_another_class_finds_nothing(classroom, client, record, sign_in, bearer):
    hedy = sign_in("hedy", role="teacher")
    headers = bearer(hedy)

    for path in ("", "/roster", "/roster.csv"):
        assert client.get(f"{ROOT}/{record.id}{path}", headers=headers).status_code == 404, path
    assert client.post(f"{ROOT}/{record.id}/invitations", json={}, headers=headers).status_code == 404
    assert client.get(ROOT, headers=headers).json()["items"] == []


def test_who_is_not_signed_in_is_asked_to(client, record):
    for path in ("", f"/{record.id}", f"/{record.id}/roster"):
        assert client.get(f"{ROOT}{path}").status_code == 401, path


@pytest.mark.parametrize("cursor", ["x", "-1", "1e9", "9" * 200, "²"])
def test_a_cursor_of_somebody_elses_making_is_refused(client, grace, bearer, cursor):
    assert client.get(ROOT, params={"cursor": cursor}, headers=bearer(grace)).status_code == 400
