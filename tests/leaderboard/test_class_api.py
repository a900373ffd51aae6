"""Classes in the API: the same rules as on the pages."""

import csv
import io

import pytest

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_classes import invite, make_class, roles_in
from rl_leaderboard.classes import records
from rl_leaderboard.people import people, tokens

ROOT = "/api/v1/classes"
TEACHERS_ONLY = ("/roster", "/roster.csv", "/members", "/invitations")


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


def test_the_members_are_what_the_page_shows_teachers_first(classroom, client, grace, ada, record, bearer):
    with classroom.write() as connection:
        people.change_privacy(connection, ada.person, pseudonym="Countess", is_public=False)

    answer = client.get(f"{ROOT}/{record.id}/members", headers=bearer(grace, "read")).json()

    teacher, student = answer["items"]
    assert answer["next"] is None
    assert (teacher["name"], teacher["role"]) == ("grace", "teacher")
    assert (student["person"], student["name"], student["pseudonym"], student["role"]) == (
        ada.person.id,
        "ada",
        "Countess",
        "student",
    )
    assert student["joined_at"]


def test_open_invitations_are_those_of_the_class_and_of_no_other(classroom, client, grace, record, bearer):
    code = invite(classroom, record, role="teacher")
    invite(classroom, make_class(classroom, grace, name="Spring"))

    (invitation,) = client.get(f"{ROOT}/{record.id}/invitations", headers=bearer(grace)).json()["items"]

    assert (invitation["url"], invitation["role"]) == (f"http://classroom.test/join/{code}", "teacher")
    assert invitation["created_at"] < invitation["expires_at"]


def test_a_token_for_reading_learns_no_address_to_join_by(classroom, client, grace, record, bearer):
    code = invite(classroom, record)

    answer = client.get(f"{ROOT}/{record.id}/invitations", headers=bearer(grace, "read"))

    (invitation,) = answer.json()["items"]
    assert (invitation["url"], invitation["role"]) == (None, "student")
    assert code not in answer.text


def test_an_archived_class_shows_no_invitation(classroom, client, grace, record, bearer):
    invite(classroom, record)
    with classroom.write() as connection:
        records.archive(connection, record.id)
    headers = bearer(grace)

    assert client.get(f"{ROOT}/{record.id}/invitations", headers=headers).json() == {"items": [], "next": None}
    assert len(client.get(f"{ROOT}/{record.id}/members", headers=headers).json()["items"]) == 2


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
    for path in TEACHERS_ONLY:
        assert client.get(f"{ROOT}/{record.id}{path}", headers=headers).status_code == 404, path
    assert client.post(f"{ROOT}/{record.id}/invitations", json={}, headers=headers).status_code == 404


def test_a_teacher_of_another_class_finds_nothing(classroom, client, record, sign_in, bearer):
    hedy = sign_in("hedy", role="teacher")
    headers = bearer(hedy)
    own = make_class(classroom, hedy, name="Spring")

    for path in ("", *TEACHERS_ONLY):
        assert client.get(f"{ROOT}/{record.id}{path}", headers=headers).status_code == 404, path
    assert client.post(f"{ROOT}/{record.id}/invitations", json={}, headers=headers).status_code == 404
    assert [item["id"] for item in client.get(ROOT, headers=headers).json()["items"]] == [own.id]


def test_who_is_not_signed_in_is_asked_to(client, record):
    for path in ("", f"/{record.id}", *(f"/{record.id}{path}" for path in TEACHERS_ONLY)):
        assert client.get(f"{ROOT}{path}").status_code == 401, path


@pytest.mark.parametrize("cursor", ["x", "-1", "1e9", "9" * 200, "²"])
def test_a_cursor_of_somebody_elses_making_is_refused(client, grace, bearer, cursor):
    assert client.get(ROOT, params={"cursor": cursor}, headers=bearer(grace)).status_code == 400
