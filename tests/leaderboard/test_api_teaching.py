"""The API: what teachers of the site decide about boards and submissions, by the rules of their pages."""

import pytest

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_api import Program
from leaderboard_classes import make_class
from rl_leaderboard.audit import log
from rl_leaderboard.certificates import issuing
from rl_leaderboard.classes import members
from rl_leaderboard.people import people
from rl_leaderboard.progress.progress import read_progress
from rl_leaderboard.submissions import whereabouts
from rl_units.course import load_course

BOARD = f"/boards/{ASSIGNMENT}"
READS = [("GET", f"{BOARD}/settings", None), ("GET", "/waiting", None)]
WRITES = [
    ("PATCH", f"{BOARD}/settings", {"counting": "latest"}),
    ("POST", f"{BOARD}/freeze", None),
    ("POST", f"{BOARD}/thaw", None),
    ("POST", f"{BOARD}/rejudge", None),
    ("POST", "/submissions/1/rejudge", None),
    ("POST", "/submissions/1/retract", {"reason": "Copied."}),
    ("POST", "/submissions/1/restore", None),
]


@pytest.fixture
def grace(client, classroom):
    return Program.of(client, classroom, "grace", "teacher")


@pytest.fixture
def ada(client, classroom):
    return Program.of(client, classroom, "ada")


def decisions(classroom):
    """What was decided, oldest first."""
    with classroom.read() as connection:
        return [(entry.actor_name, entry.action) for entry in reversed(log.latest(connection, 50))]


def post(program, path, body=None):
    answer = program.ask("POST", path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def hide_behind_pseudonym(classroom, person):
    with classroom.write() as connection:
        people.change_privacy(connection, person, pseudonym="Countess", is_public=False)


# Boards


def test_the_settings_of_a_board_are_those_of_its_page(classroom, grace):
    submit(classroom, push("ada"), push("bob"))

    assert grace.get(f"{BOARD}/settings") == {
        "assignment": ASSIGNMENT,
        "counting": "best",
        "quota_per_day": None,
        "frozen_at": None,
        "states": {"received": 2},
    }


def test_settings_that_are_left_out_stay(classroom, grace):
    def change(**body):
        answer = grace.ask("PATCH", f"{BOARD}/settings", json=body).json()
        return answer["counting"], answer["quota_per_day"]

    assert change(counting="latest", quota_per_day=3) == ("latest", 3)
    assert change(counting="best") == ("best", 3)
    assert change(quota_per_day=None) == ("best", None)
    assert change() == ("best", None)
    assert decisions(classroom) == [("grace", "board.change")] * 3


@pytest.mark.parametrize(
    "body",
    [{"counting": "worst"}, {"quota_per_day": 0}, {"quota_per_day": 1001}, {"quota_per_day": "x"}, {"more": 1}, []],
)
def test_settings_that_cannot_be_are_refused(classroom, grace, body):
    answer = grace.ask("PATCH", f"{BOARD}/settings", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert decisions(classroom) == []


def test_a_board_is_frozen_and_thawed_once(classroom, grace):
    frozen = [post(grace, f"{BOARD}/freeze")["frozen_at"] for _ in range(2)]
    thawed = [post(grace, f"{BOARD}/thaw")["frozen_at"] for _ in range(2)]

    assert frozen[0] is not None
    assert frozen == [frozen[0]] * 2
    assert thawed == [None, None]
    assert decisions(classroom) == [("grace", "board.freeze"), ("grace", "board.thaw")]


def test_a_whole_board_is_queued(classroom, grace):
    submit(classroom, push("ada"), push("bob"))

    assert post(grace, f"{BOARD}/rejudge")["states"] == {"queued": 2}
    assert decisions(classroom) == [("grace", "board.rejudge")]


@pytest.mark.parametrize(("method", "ending"), [("GET", "settings"), ("PATCH", "settings"), ("POST", "freeze")])
def test_a_board_that_is_not_of_the_course_is_not_found(grace, method, ending):
    assert grace.ask(method, f"/boards/chess/{ending}", json={}).status_code == 404


# Submissions


def test_a_submission_is_queued_again_and_keeps_its_claim(classroom, grace):
    (number,) = submit(classroom, push("ada"))

    answers = [post(grace, f"/submissions/{number}/rejudge") for _ in range(2)]

    assert [(answer["state"], answer["score"]) for answer in answers] == [("queued", 250.0)] * 2
    assert decisions(classroom) == [("grace", "submission.rejudge")]


def test_a_submission_whose_repository_is_gone_cannot_be_judged(classroom, grace):
    (number,) = submit(classroom, push("ada"))
    with classroom.write() as connection:
        whereabouts.forget(connection, "hub", "ada/invader")

    assert grace.ask("POST", f"/submissions/{number}/rejudge").status_code == 409
    assert decisions(classroom) == []


def test_a_submission_is_retracted_with_a_reason_that_its_student_reads_and_restored(classroom, grace, ada):
    (number,) = submit(classroom, push("ada"))

    retracted = post(grace, f"/submissions/{number}/retract", {"reason": " Copied,  it\nseems. "})
    seen = ada.get(f"/submissions/{number}")
    restored = [post(grace, f"/submissions/{number}/restore") for _ in range(2)]

    assert (retracted["rank"], retracted["certificates_url"]) == (None, None)
    assert seen["retraction"] == "Copied, it seems."
    assert [(one["rank"], one["retraction"]) for one in restored] == [(1, "")] * 2
    assert decisions(classroom) == [("grace", "submission.retract"), ("grace", "submission.restore")]


@pytest.mark.parametrize(("body", "rank"), [({}, None), ({"others": True}, None), ({"others": False}, 1)])
def test_the_other_commits_of_the_repository_go_with_it_unless_the_teacher_says_otherwise(classroom, grace, body, rank):
    first, second = submit(classroom, push(sha="1" * 40), push(sha="2" * 40, mean=900.0))

    post(grace, f"/submissions/{second}/retract", {"reason": "Copied.", **body})

    assert grace.get(f"/submissions/{first}")["rank"] == rank


@pytest.mark.parametrize(
    "body",
    [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}, {"reason": "a\0b"}, {"reason": 1}, {"more": 1}, []],
)
def test_a_retraction_has_a_reason_that_can_be_read(classroom, grace, body):
    (number,) = submit(classroom, push("ada"))

    answer = grace.ask("POST", f"/submissions/{number}/retract", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert decisions(classroom) == []


def test_half_a_character_is_no_reason(classroom, grace):
    (number,) = submit(classroom, push("ada"))
    kind = {"Authorization": f"Bearer {grace.token}", "Content-Type": "application/json"}

    path = f"/api/v1/submissions/{number}/retract"
    answer = grace.client.post(path, content=rb'{"reason": "\ud800"}', headers=kind)

    assert answer.status_code == 400


def test_a_retraction_names_the_page_of_certificates_that_are_no_longer_earned(classroom, grace, ada):
    for assignment in load_course().assignments:
        (number,) = submit(classroom, push("ada", env_id=assignment.env_id, name=assignment.id))
        measure(classroom, number, [10_000.0, 10_000.0])
    with classroom.write() as connection:
        progress = read_progress(connection, classroom.course, ada.person, certify_claims=False)
        issued = issuing.issue(connection, ada.person, progress, name="Ada Lovelace", course="Course")

    answer = grace.ask("POST", f"/submissions/{number}/retract", json={"reason": "Copied."})

    assert answer.json()["certificates_url"] == f"http://classroom.test/teach/submissions/{number}/certificates"
    assert not any(secret in answer.text for secret in (issued.code, "Lovelace"))


def test_what_waits_for_a_teacher_is_listed_without_the_name(classroom, grace, ada):
    hide_behind_pseudonym(classroom, ada.person)
    (first,) = submit(classroom, push("ada"))
    post(grace, f"/submissions/{first}/retract", {"reason": "Copied."})
    *_, last = submit(classroom, *(push("ada", sha=f"{number:040}") for number in range(3)))

    answer = grace.ask("GET", "/waiting?limit=2")
    post(grace, f"/submissions/{last}/restore")

    waiting = answer.json()
    assert (waiting["total"], len(waiting["items"])) == (3, 2)
    assert (waiting["items"][0]["submission"], waiting["items"][0]["agent"]) == (last, f"Agent {last}")
    assert "ada" not in answer.text
    assert grace.get("/waiting")["total"] == 2


def test_a_teacher_of_the_site_decides_without_learning_the_name_behind_a_pseudonym(classroom, grace, ada):
    (number,) = submit(classroom, push("ada"))
    hide_behind_pseudonym(classroom, ada.person)

    for path, body in (("rejudge", None), ("retract", {"reason": "Copied."}), ("restore", None)):
        answer = grace.ask("POST", f"/submissions/{number}/{path}", json=body)
        assert (answer.status_code, answer.json()["student"], answer.json()["sha"]) == (200, "Countess", None)
        assert "ada" not in answer.text


@pytest.mark.parametrize("what", ["rejudge", "retract", "restore"])
@pytest.mark.parametrize("number", [999, 0, 2**63, "x"])
def test_a_submission_that_is_not_there_is_not_found(grace, what, number):
    body = {"reason": "Copied."} if what == "retract" else None

    assert grace.ask("POST", f"/submissions/{number}/{what}", json=body).status_code == 404


# Who may


@pytest.mark.parametrize(("method", "path", "body"), [*READS, *WRITES])
def test_students_and_teachers_of_a_single_class_decide_nothing(classroom, client, sign_in, ada, method, path, body):
    submit(classroom, push("ada"))
    record = make_class(classroom, sign_in("hedy", role="teacher"), sign_in("ada"))
    helper = Program.of(client, classroom, "helper")
    with classroom.write() as connection:
        members.join(connection, record.id, helper.person.id, "teacher")

    for outsider in (ada, helper):
        answer = outsider.ask(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert client.request(method, f"/api/v1{path}", json=body).status_code == 401
    assert decisions(classroom) == []


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_token_for_reading_decides_nothing(classroom, client, method, path, body):
    submit(classroom, push("ada"))
    reader = Program.of(client, classroom, "grace", "teacher", token_role="read")

    answer = reader.ask(method, path, json=body)

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert reader.get(f"{BOARD}/settings")["counting"] == "best"
    assert decisions(classroom) == []


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_no_foreign_page_decides_with_a_teachers_cookie(classroom, sign_in, method, path, body):
    submit(classroom, push("ada"))
    browser = sign_in("grace", role="teacher").browser

    assert browser.request(method, f"/api/v1{path}", json=body).status_code == 401
    assert decisions(classroom) == []
