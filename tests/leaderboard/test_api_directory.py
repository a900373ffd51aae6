"""The API: everybody who has signed in, for administrators."""

import pytest

from leaderboard_api import Program
from leaderboard_people import add_person
from rl_leaderboard.people import people


@pytest.fixture
def root(client, classroom):
    return Program.of(client, classroom, "root", "admin", token_role="read")


def test_administrators_read_what_their_page_shows_of_people(classroom, root):
    ada = add_person(classroom, "ada", "teacher")
    with classroom.write() as connection:
        people.change_privacy(connection, ada, pseudonym="Countess", is_public=False)

    answer = root.get("/people")

    first, second = answer["items"]
    assert {name: first[name] for name in ("id", "name", "full_name", "pseudonym", "issuer", "role")} == {
        "id": ada.id,
        "name": "ada",
        "full_name": "",
        "pseudonym": "Countess",
        "issuer": "hub",
        "role": "teacher",
    }
    assert (second["name"], second["role"], second["is_appointed"]) == ("root", "admin", False)
    assert "subject" not in first


@pytest.mark.parametrize(
    ("words", "names"), [("ADA", ["ada"]), ("count", ["ada"]), ("nobody", []), ("%", []), ("a\0da", ["ada"])]
)
def test_people_are_found_by_a_part_of_their_names(classroom, root, words, names):
    ada = add_person(classroom, "ada")
    with classroom.write() as connection:
        people.change_privacy(connection, ada, pseudonym="Countess", is_public=False)

    assert [person["name"] for person in root.get("/people", params={"q": words})["items"]] == names


def test_people_are_read_a_page_at_a_time(classroom, root):
    for name in ("eve", "a-b-c", "bob", "Dora"):
        add_person(classroom, name)
    seen, cursor = [], None

    while True:
        page = root.get("/people", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        seen += [person["name"] for person in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert seen == ["a-b-c", "bob", "Dora", "eve", "root"]


@pytest.mark.parametrize(
    "params",
    [{"cursor": cursor} for cursor in ("", "x", "1", "1-", "-a", "x-a", "²-a", "9" * 19 + "-a", "1-a\0b", "1- a")]
    + [{"q": "x" * 101}, {"limit": 0}, {"limit": 101}],
)
def test_what_cannot_be_asked_for_is_refused(root, params):
    answer = root.ask("GET", "/people", params=params)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("role", ["student", "teacher"])
def test_nobody_else_reads_who_is_here(classroom, client, role):
    assert Program.of(client, classroom, "eve", role).ask("GET", "/people").status_code == 403
    assert client.get("/api/v1/people").status_code == 401
