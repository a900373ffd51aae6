"""The API: what was decided, for those who read it on a page."""

import pytest

from leaderboard_api import Program
from leaderboard_classes import make_class
from rl_leaderboard.audit import log


@pytest.fixture
def grace(sign_in):
    return sign_in("grace", role="teacher")


@pytest.fixture
def record(classroom, grace, sign_in):
    return make_class(classroom, grace, sign_in("ada"))


def program(client, classroom, someone, token_role="read"):
    return Program.of(client, classroom, someone.person.name, someone.person.role, token_role=token_role)


def decide(classroom, someone, action, subject, **details):
    with classroom.write() as connection:
        log.record(connection, someone.person, action, subject, **details)


def test_the_log_of_a_class_has_its_own_decisions_and_nothing_else(classroom, client, grace, record):
    other = make_class(classroom, grace, name="Spring")
    decide(classroom, grace, "class.rename", "Autumn", class_id=record.id, before="Summer")
    decide(classroom, grace, "class.rename", "Spring", class_id=other.id)
    decide(classroom, grace, "board.freeze", "space-invaders")

    answer = program(client, classroom, grace).get(f"/classes/{record.id}/log")

    (entry,) = answer["items"]
    assert answer["next"] is None
    assert (entry["actor"], entry["action"], entry["sentence"], entry["details"]) == (
        "grace",
        "class.rename",
        "renamed the class to Autumn",
        {"before": "Summer"},
    )


def test_a_class_without_decisions_has_an_empty_log(classroom, client, grace, record):
    answer = program(client, classroom, grace).get(f"/classes/{record.id}/log")

    assert answer == {"items": [], "next": None}


def test_the_log_of_a_class_is_for_its_teachers(classroom, client, sign_in, record):
    path = f"/classes/{record.id}/log"
    hedy = sign_in("hedy", role="teacher")
    make_class(classroom, hedy, name="Somebody else's")

    assert program(client, classroom, hedy).ask("GET", path).status_code == 404
    assert program(client, classroom, sign_in("ada")).ask("GET", path).status_code == 404
    assert program(client, classroom, sign_in("root", role="admin")).ask("GET", path).status_code == 200
    assert client.get(f"/api/v1{path}").status_code == 401


def test_the_log_of_teachers_names_no_student(classroom, client, grace, sign_in):
    decide(classroom, grace, "submission.retract", "ada/invader at aaaaaaa", submission=7, reason="Copied.", sha="a")
    decide(classroom, grace, "certificate.revoke", "certificate of completion of ada", person=1, certificate="A-B")
    decide(classroom, sign_in("root", role="admin"), "person.role", "ada", after="teacher")

    answer = program(client, classroom, grace).ask("GET", "/log")

    revoked, retracted = answer.json()["items"]
    assert (revoked["sentence"], revoked["submission"], revoked["details"]) == (
        "revoked the certificate of a student",
        None,
        {},
    )
    assert (retracted["sentence"], retracted["submission"], retracted["details"]) == (
        "retracted agent 7",
        7,
        {"reason": "Copied."},
    )
    assert not any(words in answer.text for words in ("ada", "A-B", "person.role"))


def test_the_audit_log_has_everything(classroom, client, grace, sign_in):
    root = sign_in("root", role="admin")
    decide(classroom, grace, "board.freeze", "space-invaders")
    decide(classroom, root, "person.role", "ada", person=3, before="student", after="teacher")

    first, second = program(client, classroom, root).get("/audit")["items"]

    assert (first["actor"], first["action"], first["sentence"]) == (
        "root",
        "person.role",
        "changed what ada is on the site",
    )
    assert first["details"] == {"person": 3, "before": "student", "after": "teacher"}
    assert second["sentence"] == "froze the board space-invaders"


@pytest.mark.parametrize(
    ("path", "statuses"),
    [("/log", {"student": 403, "teacher": 200, "admin": 200}), ("/audit", {"student": 403, "teacher": 403})],
)
def test_each_log_is_for_those_who_see_its_page(classroom, client, path, statuses):
    found = {role: Program.of(client, classroom, role, role).ask("GET", path).status_code for role in statuses}

    assert found == statuses
    assert client.get(f"/api/v1{path}").status_code == 401


@pytest.mark.parametrize("path", ["/log", "/audit", "/classes/{}/log"])
def test_a_log_is_read_a_page_at_a_time_newest_first(classroom, client, record, sign_in, path):
    root = sign_in("root", role="admin")
    for number in range(5):
        decide(classroom, root, "board.freeze", f"board {number}", class_id=record.id)
    reader, seen, cursor = program(client, classroom, root), [], None

    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = reader.get(path.format(record.id), params=params)
        seen += [entry["sentence"] for entry in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert seen == [f"froze the board board {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=-1", "cursor=%C2%B2", "cursor=" + "9" * 19, "limit=0", "limit=x"]
)
@pytest.mark.parametrize("path", ["/log", "/audit", "/classes/1/log"])
def test_what_cannot_be_asked_for_is_refused(classroom, client, record, path, query):
    answer = Program.of(client, classroom, "root", "admin").ask("GET", f"{path}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
