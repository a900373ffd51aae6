"""What a person decides about the own account: privacy, tokens, sessions, export, deletion."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from hub_clock import moving_clock
from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_people import add_person
from rl_hub import clock
from rl_leaderboard.activity import feed
from rl_leaderboard.audit import log
from rl_leaderboard.boards import assignments, board
from rl_leaderboard.boards.board import Query
from rl_leaderboard.database import tables
from rl_leaderboard.people import people, sessions, tokens


def read_board(classroom, words=""):
    with classroom.read() as connection:
        return board.read_page(connection, Query(ASSIGNMENT, search=words)).rows


def count(classroom, table):
    with classroom.read() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def person_of(classroom, someone):
    with classroom.read() as connection:
        return people.get(connection, someone.person.id)


def add_traces(classroom, person, submission_id=None):
    """What a student leaves behind besides submissions."""
    now = clock.now()
    mine = {"person_id": person.id}
    with classroom.write() as connection:
        connection.execute(insert(tables.classes).values(id=1, name="Spring", created_at=now))
        connection.execute(insert(tables.members).values(class_id=1, role="student", joined_at=now, **mine))
        answer = {"unit_id": "u", "question_id": "q", "attempt": 1, "choices": '["a"]', "correct": True}
        connection.execute(insert(tables.quiz_answers).values(created_at=now, **answer, **mine))
        certificate = {"code": "c" * 20, "level": "completion", "name": "Ada", "course": "RL", "details": "[]"}
        connection.execute(insert(tables.certificates).values(issued_at=now, **certificate, **mine))
        tokens.create(connection, person.id, "laptop", "write")
        feed.record(connection, "certified", {"student": person.shown_name}, person_id=person.id)


PAGES = ("/settings", "/settings/tokens", "/settings/sessions", "/settings/data", "/settings/export")


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_led_to_the_sign_in(client, path):
    response = client.get(path, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/login?next=" + path.replace("/", "%2F"))


FORMS = (
    "/settings",
    "/settings/tokens",
    "/settings/tokens/1/delete",
    "/settings/sessions/end",
    "/settings/data/delete",
)


@pytest.mark.parametrize("path", FORMS)
def test_no_form_works_without_its_token_or_from_elsewhere(sign_in, path):
    ada = sign_in("ada")

    assert ada.browser.post(path, data={"name": "ada"}).status_code == 400
    assert ada.browser.post(path, data={"name": "ada", "form_token": "0" * 64}).status_code == 403
    assert (
        ada.send(path, {"name": "ada"}, page="/settings", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    )
    assert ada.get("/settings").status_code == 200, "the account and its session are there"


@pytest.mark.parametrize("path", PAGES)
def test_what_is_private_is_kept_by_no_cache(sign_in, path):
    assert re.match(r"private, no-cache|no-store", sign_in("ada").get(path).headers["cache-control"])


# Privacy


def test_a_pseudonym_takes_the_names_place_on_boards(sign_in, classroom):
    ada = sign_in("ada")
    submit(classroom, push("ada"))

    response = ada.send("/settings", {"pseudonym": "Night Owl"})

    assert "Saved." in response.text
    (row,) = read_board(classroom)
    assert (row.student, row.agent) == ("Night Owl", "Agent 1")
    assert read_board(classroom, "ada") == []
    assert [row.student for row in read_board(classroom, "owl")] == ["Night Owl"]


def test_it_does_so_on_a_frozen_board_too(sign_in, classroom):
    ada = sign_in("ada")
    submit(classroom, push("ada"))
    with classroom.write() as connection:
        assignments.freeze(connection, ASSIGNMENT)

    ada.send("/settings", {"pseudonym": "Night Owl"})

    assert read_board(classroom, "ada") == []
    assert [row.student for row in read_board(classroom, "owl")] == ["Night Owl"]


def test_without_a_pseudonym_the_name_is_back(sign_in, classroom):
    ada = sign_in("ada")
    submit(classroom, push("ada"))
    ada.send("/settings", {"pseudonym": "owl"})
    ada.send("/settings", {"pseudonym": "  "})

    assert read_board(classroom)[0].student == "ada"
    assert person_of(classroom, ada).pseudonym is None


def test_the_progress_page_is_private_until_its_owner_says_otherwise(sign_in, classroom):
    ada = sign_in("ada")
    assert not person_of(classroom, ada).is_public

    ada.send("/settings", {"pseudonym": "", "is_public": "yes"})
    assert person_of(classroom, ada).is_public
    assert re.search(r'name="is_public" value="yes" checked', ada.get("/settings").text)

    ada.send("/settings", {"pseudonym": ""})
    assert not person_of(classroom, ada).is_public


@pytest.mark.parametrize(
    "wished", ["Bob", "bob", "BOB", "\uff22ob", "Silent Sam", "silent sam", "pusher", "x" * 65, "a\u202eb"]
)
def test_nobody_takes_the_name_of_somebody_else(sign_in, classroom, wished):
    ada, sam = sign_in("ada"), add_person(classroom, "sam")
    add_person(classroom, "bob")
    submit(classroom, push("pusher"))
    with classroom.write() as connection:
        people.change_privacy(connection, sam, pseudonym="Silent Sam", is_public=False)

    response = ada.send("/settings", {"pseudonym": wished, "is_public": "yes"})

    assert response.status_code == 400
    assert 'role="alert"' in response.text
    assert person_of(classroom, ada).pseudonym is None
    assert not person_of(classroom, ada).is_public


def test_script_in_a_pseudonym_is_text(sign_in):
    ada = sign_in("ada")

    response = ada.send("/settings", {"pseudonym": '"><script>alert(1)</script>'})

    assert "&lt;script&gt;" in response.text
    assert "<script>alert" not in response.text


# Access tokens


def ask(someone, form):
    """Sends the form for a new token."""
    newest = re.search(r'name="newest" value="(\d+)"', someone.get("/settings/tokens").text)[1]
    return someone.send("/settings/tokens", {"newest": newest, **form})


def created(response):
    return re.search(r"rlc_[\w-]{43}", response.text)[0]


def test_a_token_is_shown_once_and_never_in_an_address(sign_in, client):
    ada = sign_in("ada")

    response = ask(ada, {"name": "old-thinkpad", "role": "read", "days": "90"})

    token = created(response)
    assert response.history == []
    assert response.headers["cache-control"] == "no-store"
    assert token not in str(response.url)
    page = ada.get("/settings/tokens").text
    assert "old-thinkpad" in page
    assert token not in page
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).json()["name"] == "ada"


def test_the_same_form_sent_again_makes_no_second_token(sign_in):
    ada = sign_in("ada")
    form = {"name": "old-thinkpad", "role": "read", "days": "90", "newest": "0"}
    first = ada.send("/settings/tokens", form)

    again = ada.send("/settings/tokens", form)

    assert created(first)
    assert again.status_code == 409
    assert "no token was made" in again.text
    assert "rlc_" not in again.text
    assert len(re.findall(r"/settings/tokens/\d+/delete", again.text)) == 1
    assert created(ask(ada, {"name": "old-thinkpad", "role": "read", "days": "90"}))


def test_a_token_that_cannot_be_the_newest_is_a_sentence_on_the_form(sign_in):
    response = sign_in("ada").send("/settings/tokens", {"name": "x", "role": "read", "days": "90", "newest": "9" * 30})

    assert response.status_code == 400
    assert 'role="alert"' in response.text


def test_a_token_for_reading_changes_nothing(sign_in, client):
    ada = sign_in("ada")
    answers = {}
    for role in ("read", "write"):
        token = created(ask(ada, {"name": role, "role": role, "days": ""}))
        headers = {"Authorization": f"Bearer {token}"}
        answers[role] = client.patch("/api/v1/me", json={"pseudonym": "owl"}, headers=headers).status_code

    assert answers == {"read": 403, "write": 200}


def test_a_token_ends_when_its_time_is_over(sign_in, client, monkeypatch):
    move = moving_clock(monkeypatch)
    ada = sign_in("ada")
    token = created(ask(ada, {"name": "old-thinkpad", "role": "read", "days": "30"}))
    headers = {"Authorization": f"Bearer {token}"}
    move(timedelta(days=30).total_seconds() - 1)
    assert client.get("/api/v1/me", headers=headers).status_code == 200

    move(1)
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_a_deleted_token_is_good_for_nothing(sign_in, client):
    ada = sign_in("ada")
    token = created(ask(ada, {"name": "old-thinkpad", "role": "read", "days": "30"}))
    (path,) = re.findall(r"/settings/tokens/\d+/delete", ada.get("/settings/tokens").text)

    ada.send(path, {}, page="/settings/tokens")

    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert "old-thinkpad" not in ada.get("/settings/tokens").text


def test_nobody_deletes_the_token_of_somebody_else(sign_in, client):
    ada, bob = sign_in("ada"), sign_in("bob")
    token = created(ask(ada, {"name": "old-thinkpad", "role": "read", "days": "30"}))
    (path,) = re.findall(r"/settings/tokens/\d+/delete", ada.get("/settings/tokens").text)

    response = bob.send(path, {}, page="/settings/tokens")

    assert response.status_code == 404
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert "old-thinkpad" not in bob.get("/settings/tokens").text


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "role": "read", "days": "30"},
        {"name": "x" * 65, "role": "read", "days": "30"},
        {"name": "a\u202eb", "role": "read", "days": "30"},
        {"name": "old-thinkpad", "role": "admin", "days": "30"},
        {"name": "old-thinkpad", "role": "read", "days": "99999999999"},
    ],
)
def test_a_token_that_cannot_be_made_is_a_sentence_on_the_form(sign_in, form):
    response = ask(sign_in("ada"), form)

    assert response.status_code == 400
    assert 'role="alert"' in response.text
    assert "rlc_" not in response.text


def test_there_are_not_more_tokens_than_a_person_can_look_after(sign_in, classroom):
    ada = sign_in("ada")
    with classroom.write() as connection:
        for number in range(tokens.MOST_PER_PERSON):
            tokens.create(connection, ada.person.id, f"t{number}", "read")

    assert ask(ada, {"name": "one more", "role": "read", "days": ""}).status_code == 409


# Sessions


def test_signing_out_everywhere_ends_ones_own_sessions_and_nobody_elses(sign_in):
    laptop, library, bob = sign_in("ada"), sign_in("ada"), sign_in("bob")
    assert "in 2 browsers" in laptop.get("/settings/sessions").text

    response = laptop.send("/settings/sessions/end", {}, page="/settings/sessions", follow_redirects=False)

    assert response.headers["location"] == "/login"
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert library.get("/settings", follow_redirects=False).status_code == 303
    assert bob.get("/settings", follow_redirects=False).status_code == 200


# Export


def test_the_export_has_everything_that_is_kept_about_a_person(sign_in, classroom):
    ada = sign_in("ada")
    (number,) = submit(classroom, push("ada"))
    evaluation = measure(classroom, number, [1.0, 2.0])
    add_traces(classroom, ada.person)
    root = add_person(classroom, "root", role="admin")
    with classroom.write() as connection:
        log.record(connection, root, "submission.retract", "ada/invader", submission=number, reason="copied")
        log.record(connection, root, "person.role", "ada", person=ada.person.id, before="student", after="teacher")
        log.record(connection, ada.person, "class.join", "student", class_id=1)

    response = ada.get("/settings/export")

    assert re.fullmatch(r'attachment; filename="classroom-data-[\d-]+\.json"', response.headers["content-disposition"])
    found = response.json()
    assert found["person"]["name"] == "ada"
    assert found["classes"][0]["name"] == "Spring"
    assert found["submissions"][0]["claimed_score"] == 250.0
    assert found["evaluations"][0]["id"] == evaluation
    assert [episode["episode_return"] for episode in found["evaluations"][0]["episodes"]] == [1.0, 2.0]
    assert found["quiz_answers"][0]["choices"] == ["a"]
    assert found["certificates"][0]["level"] == "completion"
    assert {"received", "scored", "certified"} <= {entry["kind"] for entry in found["activities"]}
    decided = [entry["action"] for entry in found["audit_entries"]]
    assert decided == ["submission.retract", "person.role", "class.join"]
    assert found["tokens"][0]["name"] == "laptop"
    assert len(found["sessions"]) == 1


def test_the_export_has_no_secret_and_nobody_elses_data(sign_in, classroom):
    ada, bob = sign_in("ada"), sign_in("bob")
    (number,) = submit(classroom, push("bob", name="secret-project"))
    measure(classroom, number)
    add_traces(classroom, bob.person)
    with classroom.write() as connection:
        token = tokens.create(connection, ada.person.id, "laptop", "write")
        log.record(connection, bob.person, "board.freeze", "space-invaders")
        log.record(connection, bob.person, "submission.retract", "bob/secret-project", submission=number, reason="x")
        log.record(connection, bob.person, "person.role", "ada", person=bob.person.id)

    text = ada.get("/settings/export").text

    assert "bob" not in text
    assert "secret-project" not in text
    assert token not in text
    assert sessions.digest(token) not in text
    assert sessions.digest(ada.browser.cookies[sessions.COOKIE]) not in text
    found = json.loads(text)
    assert (found["submissions"], found["evaluations"], found["certificates"]) == ([], [], [])


def test_somebody_of_the_same_name_from_elsewhere_exports_nothing_of_the_other(sign_in, classroom):
    submit(classroom, push("ada", name="secret-project"))
    with classroom.write() as connection:
        impostor = people.welcome(connection, people.Arrival("https://id.example", "1", "ada", None))
        session = sessions.create(connection, impostor.id)
    browser = sign_in("x").browser
    browser.cookies.clear()
    browser.cookies.set(sessions.COOKIE, session.id)

    found = browser.get("/settings/export").json()

    assert found["person"]["issuer"] == "https://id.example"
    assert found["submissions"] == []
    assert found["activities"] == []


# Deletion


def test_deleting_an_account_leaves_nothing_of_it(sign_in, classroom):
    ada = sign_in("ada")
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number)
    add_traces(classroom, ada.person)

    response = ada.send("/settings/data/delete", {"name": "ada"}, page="/settings/data")

    assert "has been deleted" in response.text
    assert ada.get("/settings", follow_redirects=False).status_code == 303
    assert read_board(classroom) == []
    left = {table.name: count(classroom, table) for table in tables.metadata.sorted_tables}
    kept = {"assignments", "classes", "departures", "generations"}
    assert {name for name, rows in left.items() if rows} <= kept


def test_deleting_an_account_leaves_everybody_else_as_they_are(sign_in, classroom):
    ada, bob = sign_in("ada"), sign_in("bob")
    submit(classroom, push("ada"), push("bob"), push("ada", source="huggingface.co"))
    add_traces(classroom, bob.person)
    before = bob.get("/settings/export").json()

    ada.send("/settings/data/delete", {"name": "ada"}, page="/settings/data")

    after = bob.get("/settings/export").json()
    assert after | {"exported_at": ""} == before | {"exported_at": ""}
    assert {row.student for row in read_board(classroom)} == {"bob", "ada"}, "the other Hub's ada is somebody else"


def test_it_works_on_a_frozen_board(sign_in, classroom):
    ada = sign_in("ada")
    submit(classroom, push("ada"))
    with classroom.write() as connection:
        assignments.freeze(connection, ASSIGNMENT)

    ada.send("/settings/data/delete", {"name": "ada"}, page="/settings/data")

    assert read_board(classroom) == []


@pytest.mark.parametrize("typed", ["", "Ada", "bob", "ada x"])
def test_nothing_is_deleted_until_the_name_is_typed(sign_in, classroom, typed):
    ada = sign_in("ada")

    response = ada.send("/settings/data/delete", {"name": typed}, page="/settings/data")

    assert response.status_code == 400
    assert "Nothing was deleted" in response.text
    assert person_of(classroom, ada) == ada.person


def test_the_only_administrator_stays(sign_in, classroom):
    root = sign_in("root", role="admin")

    response = root.send("/settings/data/delete", {"name": "root"}, page="/settings/data")

    assert response.status_code == 409
    assert "only administrator" in response.text
    assert person_of(classroom, root).role == "admin"


def test_the_page_says_what_happens_to_submissions_and_on_the_hub(sign_in):
    page = sign_in("ada").get("/settings/data").text

    assert "leave every board" in page
    assert "stays away" in page
    assert "the next push to a repository brings it back" in page
    assert "a digest of your account" in page
