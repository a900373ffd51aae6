"""The API: boards."""

import csv
import io

import pytest

from leaderboard_agents import ASSIGNMENT, GAME, measure, push, submit
from leaderboard_api import Program
from leaderboard_people import add_person
from rl_leaderboard.people import people
from rl_units.classroom.client import Classroom as StudentsClassroom
from rl_units.course import load_course


def test_the_boards_are_listed_with_the_number_of_their_agents(classroom, client):
    submit(classroom, push("ada"), push("grace"))

    (board,) = (item for item in client.get("/api/v1/boards").json()["items"] if item["id"] == ASSIGNMENT)

    assert (board["env_id"], board["total"]) == (GAME, 2)
    assert board["url"] == f"http://classroom.test/boards/{ASSIGNMENT}"


def test_a_board_says_everything_that_its_page_does(classroom, client):
    claimed, verified = submit(classroom, push("ada", mean=300, std=50), push("grace", mean=10, std=0))
    measure(classroom, verified, [200.0, 220.0])

    board = client.get(f"/api/v1/boards/{ASSIGNMENT}").json()

    assert board["assignment"]["threshold"] == 200.0
    assert [(row["rank"], row["student"], row["verified"]) for row in board["items"]] == [
        (1, "grace", True),
        (2, "ada", False),
    ]
    first, second = board["items"]
    assert (first["score"], first["low"], first["high"], first["n_episodes"]) == (200.0, 200.0, 220.0, 2)
    assert (second["score"], second["mean"], second["std"], second["low"]) == (250.0, 300.0, 50.0, None)
    assert second["url"] == f"http://classroom.test/agents/{claimed}"
    assert (board["total"], board["next"]) == (2, None)
    assert {baseline["name"] for baseline in board["baselines"]} == {"random", "no-op"}


def test_cursors_lead_through_the_whole_board(classroom, client):
    submit(classroom, *(push(f"s{number:02}", mean=number, std=0) for number in range(7)))

    seen, cursor = [], None
    while True:
        page = client.get(f"/api/v1/boards/{ASSIGNMENT}", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        seen += [row["rank"] for row in page.json()["items"]]
        cursor = page.json()["next"]
        if cursor is None:
            break

    assert seen == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=x", "rank=0", "verified=maybe"])
def test_what_cannot_be_asked_for_is_refused_in_the_one_shape_of_errors(client, query):
    answer = client.get(f"/api/v1/boards/{ASSIGNMENT}?{query}")

    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "code", "status"}
    assert (answer.json()["code"], answer.json()["status"]) == ("bad_request", 400)
    assert answer.json()["error"].endswith(".")


def test_a_value_that_is_not_accepted_is_named_in_a_sentence(client):
    answer = client.get(f"/api/v1/boards/{ASSIGNMENT}?limit=0")

    assert answer.json()["error"].startswith("The value of limit is not accepted: ")


def test_a_board_that_does_not_exist_is_not_found(client):
    answer = client.get("/api/v1/boards/chess")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_name_behind_a_pseudonym_is_nowhere(classroom, client):
    submit(classroom, push("ada"))
    person = add_person(classroom, "ada")
    with classroom.write() as connection:
        people.change_privacy(connection, person, pseudonym="Countess", is_public=False)

    answer = client.get(f"/api/v1/boards/{ASSIGNMENT}")

    assert [(row["student"], row["agent"]) for row in answer.json()["items"]] == [("Countess", "Agent 1")]
    assert "ada" not in answer.text


def test_the_board_comes_as_csv_too(classroom, client):
    submit(classroom, push("ada", name="=SUM(A1)"))

    answer = client.get(f"/api/v1/boards/{ASSIGNMENT}.csv")

    (row,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert answer.headers["content-type"].startswith("text/csv")
    assert (row["rank"], row["student"], row["agent"]) == ("1", "ada", "ada/=SUM(A1)")


def test_a_class_is_for_its_members(classroom, client):
    stranger = Program.of(client, classroom, "eve")

    assert stranger.ask("GET", f"/boards/{ASSIGNMENT}?class=1").status_code == 404


def test_the_students_command_reads_these_answers(classroom, endpoint):
    submit(classroom, *(push(f"s{number:02}", mean=number, std=0) for number in range(12)))
    student = StudentsClassroom(endpoint, None)

    assert [board.id for board in student.boards()] == [assignment.id for assignment in load_course().assignments]
    board = student.board(GAME, limit=5, search="s1")
    assert [(place.rank, place.student) for place in board.places] == [(1, "s11"), (2, "s10")]
    assert {reference.title for reference in board.references} == {"Random actions", "Doing nothing"}
