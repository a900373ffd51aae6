"""The API: submissions and what was measured of them."""

import csv
import io
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from huggingface_hub import HfApi

from hub_accounts import token_for
from hub_server import served
from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_api import Program
from leaderboard_sources import upload
from rl_hub.web.app import create_app as create_hub_app
from rl_leaderboard.boards import assignments
from rl_leaderboard.people import people, tokens
from rl_leaderboard.submissions import submissions, whereabouts
from rl_leaderboard.web.app import create_app
from rl_units.classroom.client import Classroom as StudentsClassroom
from rl_units.errors import ClassroomError


@pytest.fixture
def ada(client, classroom):
    return Program.of(client, classroom, "ada")


@pytest.fixture
def bob(client, classroom):
    return Program.of(client, classroom, "bob")


@pytest.fixture
def teacher(client, classroom):
    return Program.of(client, classroom, "grace", "teacher")


def test_ones_own_submissions_come_newest_first_a_page_at_a_time(classroom, ada):
    submit(classroom, push("bob"), *(push("ada", sha=str(n) * 40, mean=n) for n in range(5)))

    first = ada.get("/me/submissions?limit=3")
    second = ada.get(f"/me/submissions?limit=3&cursor={first['next']}")

    assert [item["sha"][0] for item in first["items"] + second["items"]] == ["4", "3", "2", "1", "0"]
    assert second["next"] is None
    assert [item["rank"] for item in first["items"]] == [2, None, None]


def test_ones_own_submissions_need_somebody(client):
    answer = client.get("/api/v1/me/submissions")

    assert answer.status_code == 401
    assert answer.json() == {"error": "Sign in first.", "code": "unauthorized", "status": 401}


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 30, "²"])
def test_a_cursor_of_somebody_elses_making_is_refused(ada, cursor):
    assert ada.ask("GET", "/me/submissions", params={"cursor": cursor}).status_code == 400


def test_a_measured_submission_shows_what_was_measured(classroom, ada):
    (number,) = submit(classroom, push("ada", mean=999, std=0))
    measure(classroom, number, [10.0, 14.0])

    (item,) = ada.get("/me/submissions")["items"]

    assert (item["score"], item["mean"], item["std"], item["n_episodes"], item["verified"]) == (10, 12, 2, 2, True)
    assert item["state"] == "scored"


def test_a_submission_shows_claim_and_measurement_side_by_side(classroom, client):
    (number,) = submit(classroom, push("ada", mean=999, std=9))
    evaluation = measure(classroom, number, [10.0, 14.0], log="Two games.")

    found = client.get(f"/api/v1/submissions/{number}").json()

    assert found["claimed"] == {"score": 990.0, "mean": 999.0, "std": 9.0, "n_episodes": None, "problem": ""}
    (shown,) = found["evaluations"]
    assert (shown["id"], shown["score"], shown["counts"], shown["versions"]["ale-py"]) == (
        evaluation,
        10,
        True,
        "0.12.1",
    )
    assert (found["score"], found["verified"], found["rank"]) == (10, True, 1)


def test_the_judges_log_is_for_the_student_and_teachers(classroom, client, ada, bob, teacher):
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number, log="Two games.")

    def log(answer):
        return answer["evaluations"][0]["log"]

    assert log(ada.get(f"/submissions/{number}")) == log(teacher.get(f"/submissions/{number}")) == "Two games."
    assert log(bob.get(f"/submissions/{number}")) is None
    assert log(client.get(f"/api/v1/submissions/{number}").json()) is None


def test_every_episode_can_be_read_as_json_and_csv(classroom, client):
    (number,) = submit(classroom, push("ada"))
    evaluation = measure(classroom, number, [-3.0, 4.5])
    path = f"/api/v1/submissions/{number}/evaluations/{evaluation}/episodes"

    games = client.get(path).json()["items"]
    rows = list(csv.DictReader(io.StringIO(client.get(f"{path}.csv").text.removeprefix("\ufeff"))))

    assert [(game["number"], game["episode_return"]) for game in games] == [(1, -3.0), (2, 4.5)]
    assert [row["return"] for row in rows] == ["-3.0", "4.5"]


def test_an_evaluation_is_found_under_its_own_submission_only(classroom, client):
    mine, other = submit(classroom, push("ada"), push("bob"))
    evaluation = measure(classroom, mine)

    assert client.get(f"/api/v1/submissions/{other}/evaluations/{evaluation}/episodes").status_code == 404


def hide(classroom, number):
    with classroom.write() as connection:
        whereabouts.forget(connection, "hub", submissions.get(connection, number).repo_id)


def retract(classroom, number):
    with classroom.write() as connection:
        submissions.retract(connection, submissions.get(connection, number), "Copied.")


@pytest.mark.parametrize("take_away", [hide, retract])
def test_what_is_gone_is_for_its_student_and_teachers(classroom, client, ada, bob, teacher, take_away):
    (number,) = submit(classroom, push("ada"))
    evaluation = measure(classroom, number)
    take_away(classroom, number)

    for path in (f"/submissions/{number}", f"/submissions/{number}/evaluations/{evaluation}/episodes"):
        statuses = [somebody.ask("GET", path).status_code for somebody in (ada, teacher, bob)]
        assert [*statuses, client.get(f"/api/v1{path}").status_code] == [200, 200, 404, 404]


def test_nobody_learns_the_name_behind_a_pseudonym(classroom, ada, bob, teacher):
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number)
    with classroom.write() as connection:
        people.change_privacy(connection, ada.person, pseudonym="Countess", is_public=False)

    for outsider in (bob, teacher):
        answer = outsider.ask("GET", f"/submissions/{number}")
        found = answer.json()
        assert (found["student"], found["agent"], found["sha"]) == ("Countess", f"Agent {number}", None)
        assert found["evaluations"][0]["agent_sha256"] is None
        assert "ada" not in answer.text
    own = ada.get(f"/submissions/{number}")
    assert (own["agent"], own["sha"], own["evaluations"][0]["agent_sha256"]) == ("ada/invader", "a" * 40, "f" * 64)


def test_a_student_says_which_submission_counts(classroom, ada, bob):
    first, second = submit(
        classroom, push(sha="1" * 40, mean=1, std=0, minutes_ago=2), push(sha="2" * 40, mean=2, std=0, minutes_ago=1)
    )
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="declared", quota_per_day=None)

    assert ada.ask("POST", f"/submissions/{first}/declare").json()["rank"] == 1
    assert bob.ask("POST", f"/submissions/{second}/declare").status_code == 403
    assert ada.get(f"/submissions/{second}")["rank"] is None


@pytest.mark.parametrize("counting", ["best", "declared"])
def test_what_cannot_count_cannot_be_declared(classroom, ada, counting):
    (number,) = submit(classroom, push("ada"))
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting=counting, quota_per_day=None)
    if counting == "declared":
        retract(classroom, number)

    assert ada.ask("POST", f"/submissions/{number}/declare").status_code == 409


def test_a_token_for_reading_hands_nothing_in(client, classroom):
    reader = Program.of(client, classroom, "ada", token_role="read")

    answer = reader.ask("POST", "/submissions", json={"repo_id": "ada/invader"})

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_signed_in_browser_reads_but_no_foreign_page_writes_with_its_cookie(classroom, sign_in):
    browser = sign_in("ada").browser

    assert browser.get("/api/v1/me/submissions").status_code == 200
    assert browser.post("/api/v1/submissions", json={"repo_id": "ada/invader"}).status_code == 401


def test_a_repository_of_the_embedded_hub_is_read_at_once(classroom, hub, client, tmp_path):
    token = token_for(hub, "ada")
    with served(create_hub_app(hub)) as address:
        sha = upload(HfApi(address, token), tmp_path / "agent")

    headers = {"Authorization": f"Bearer {token}"}
    answer = client.post("/api/v1/submissions", json={"repo_id": "ada/dqn-invader"}, headers=headers)

    receipt = answer.json()
    assert (answer.status_code, receipt["state"], receipt["assignment"]) == (202, "queued", ASSIGNMENT)
    assert receipt["url"] == f"http://classroom.test/agents/{receipt['id']}"
    (mine,) = client.get("/api/v1/me/submissions", headers=headers).json()["items"]
    assert (mine["id"], mine["sha"], mine["score"], mine["rank"]) == (receipt["id"], sha, 250.0, 1)


def test_a_repository_of_another_hub_is_asked_for(classroom):
    elsewhere = replace(classroom, settings=replace(classroom.settings, sources=("https://hub.example.org",)))
    with classroom.write() as connection:
        person = people.welcome(connection, people.Arrival("https://school", "1", "ada", "hub.example.org"))
        token = tokens.create(connection, person.id, "test", "write")

    # Without its background tasks, which would ask that Hub.
    answer = TestClient(create_app(elsewhere), base_url="http://classroom.test").post(
        "/api/v1/submissions", json={"repo_id": "ada/invader"}, headers={"Authorization": f"Bearer {token}"}
    )

    assert answer.status_code == 202
    assert answer.json() == {"id": None, "state": "requested", "assignment": "", "url": "http://classroom.test/me"}
    assert elsewhere.wanted.first("hub.example.org").repo_id == "ada/invader"


@pytest.mark.parametrize(
    "body", [{}, {"repo_id": 1}, {"repo_id": "a/b", "more": 1}, [], {"repo_id": "nobody"}, {"repo_id": "a/b\u0000"}]
)
def test_a_request_that_names_no_repository_is_refused(ada, body):
    assert ada.ask("POST", "/submissions", json=body).status_code == 400


@pytest.mark.parametrize("number", [0, -1, 2**63, 2**70, "x", "1.5", "NaN"])
def test_a_number_that_no_submission_has_is_refused(client, number):
    assert client.get(f"/api/v1/submissions/{number}").json() == {
        "error": "There is nothing at this address.",
        "code": "not_found",
        "status": 404,
    }


def test_the_students_commands_read_these_answers(classroom, endpoint, ada):
    submit(classroom, *(push("ada", sha=f"{n:040}", mean=n) for n in range(3)))
    student = StudentsClassroom(endpoint, ada.token)

    found = student.submissions(2)

    assert [(one.repo_id, one.state, one.verified) for one in found] == [("ada/invader", "received", False)] * 2
    assert found[0].rank == 1
    with pytest.raises(ClassroomError, match=r"no account ada|does not have that"):
        student.submit("ada/invader", None)
    with pytest.raises(ClassroomError, match="does not accept your token"):
        StudentsClassroom(endpoint, "rlc_unknown").submissions(1)
