"""The student's commands against a classroom: `submit`, `status`, `board`."""

import json
import os
import subprocess
import sys

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse

from classroom_server import LocalClassroom, place, submission
from rl_units.classroom import client
from rl_units.classroom.client import open_classroom
from rl_units.cli import main
from rl_units.commands.tables import number, render_table
from rl_units.errors import ClassroomError

TOKEN = "hf_ada"
COMMANDS = {
    "/submissions": ["submit", "ada/dqn-space"],
    "/me/submissions": ["status"],
    "/boards": ["board"],
    "/boards/space-invaders": ["board", "--env", "space-invaders"],
}

every_command = pytest.mark.parametrize(("path", "command"), COMMANDS.items(), ids=COMMANDS)


@pytest.fixture(scope="module")
def running_classroom():
    with LocalClassroom().running() as running:
        yield running


@pytest.fixture
def classroom(running_classroom, tmp_path, monkeypatch):
    running_classroom.reset()
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("RL_CLASSROOM_TOKEN", TOKEN)
    monkeypatch.setenv("RL_CLASSROOM", running_classroom.address)
    return running_classroom


def refusal(capsys, *command):
    """What a command that is refused prints to stderr; nothing of it holds the token."""
    assert main(list(command)) == 2
    captured = capsys.readouterr()
    assert TOKEN not in captured.out + captured.err
    return captured.err.strip()


def test_submit_hands_a_repository_in_and_says_what_is_next(classroom, capsys):
    assert main(["submit", "ada/dqn-space", "--revision", "abc123"]) == 0

    assert classroom.requests == [
        ("POST", "/submissions", {}, {"repo_id": "ada/dqn-space", "revision": "abc123"}, f"Bearer {TOKEN}")
    ]
    assert capsys.readouterr().out.splitlines() == [
        "Submission 12: ada/dqn-space for space-invaders is received.",
        f"Its page: {classroom.address}/submissions/12",
        "See how far it is: python -m rl_units status",
    ]


def test_submit_leaves_the_revision_to_the_classroom(classroom):
    assert main(["submit", "ada/dqn-space"]) == 0
    assert classroom.requests[0][3] == {"repo_id": "ada/dqn-space", "revision": None}


def test_submit_copes_with_a_classroom_that_does_not_know_more_yet(classroom, capsys):
    classroom.answers["/submissions"] = {"id": 3, "state": "received", "assignment": None, "url": None}

    assert main(["submit", "ada/dqn-space", "--classroom", classroom.address]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Submission 3: ada/dqn-space is received.",
        f"See how far it is: python -m rl_units status --classroom {classroom.address}",
    ]


def test_submit_tells_that_another_hub_has_to_be_read_first(classroom, capsys):
    url = f"{classroom.address}/me"
    classroom.answers["/submissions"] = {"id": None, "state": "requested", "assignment": "", "url": url}

    assert main(["submit", "ada/dqn-space"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["ada/dqn-space is requested.", f"Its page: {url}"]


@pytest.mark.parametrize("name", ["dqn", "a/b/c", "http://hub/ada/dqn", "ada/dqn x", "ädä/dqn", "/", ""])
def test_submit_refuses_what_is_no_repository_before_asking(classroom, capsys, name):
    assert "is not a repository: write <owner>/<name>" in refusal(capsys, "submit", name)
    assert classroom.requests == []


def test_status_lines_its_columns_up_and_gives_reasons(classroom, capsys):
    changes = {"sha": None, "assignment": None, "score": None, "rank": None}
    classroom.submissions = [
        submission(101, verified=True),
        submission(7, state="refused", reason="No agent is in it.", **changes),
    ]

    assert main(["status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        " id  assignment      repository   commit   state     score            rank  submitted (UTC)",
        "101  space-invaders  ada/dqn-101  0123456  counted  240.07  verified     3  2026-11-28 07:52",
        "  7  -               ada/dqn-7    -        refused       -               -  2026-11-28 07:52",
        "7: No agent is in it.",
    ]


def test_status_without_a_submission_says_how_to_hand_one_in(classroom, capsys):
    assert main(["status"]) == 0
    assert "nothing of yours yet. Hand an agent in: python -m rl_units push_to_hub" in capsys.readouterr().out


@pytest.mark.parametrize(("limit", "pages"), [(1, ["1"]), (3, ["3", "1"]), (9, ["9", "7", "5"])])
def test_as_many_are_fetched_as_are_asked_for_page_by_page(classroom, capsys, limit, pages):
    classroom.submissions = [submission(1000 + count) for count in range(5)]
    classroom.largest_page = 2

    assert main(["status", "--limit", str(limit)]) == 0
    assert capsys.readouterr().out.count("ada/dqn-10") == min(limit, 5)
    assert [parameters["limit"] for _, _, parameters, _, _ in classroom.requests] == pages


def test_a_cursor_that_leads_nowhere_is_followed_once(classroom):
    classroom.answers["/me/submissions"] = {"items": [], "next": "again"}

    assert main(["status"]) == 0
    assert len(classroom.requests) == 2


def test_board_lists_the_boards(classroom, capsys):
    classroom.places = [place(1), place(2)]

    assert main(["board"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "board           title           environment                  agents",
        "space-invaders  Space Invaders  SpaceInvadersNoFrameskip-v4       2",
        "",
        "See one: python -m rl_units board --env BOARD",
    ]


@pytest.mark.parametrize("name", ["space-invaders", "SpaceInvadersNoFrameskip-v4"])
def test_board_takes_an_assignment_or_its_environment(classroom, capsys, name):
    unread = dict.fromkeys(("score", "low", "high", "mean", "std", "n_episodes"))
    classroom.places = [
        place(1),
        place(2, verified=False, student="李雷"),
        place(3, algorithm="", **unread) | {"rank": None},
    ]

    assert main(["board", "--env", name]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Space Invaders (SpaceInvadersNoFrameskip-v4), passed with a score of 200",
        "",
        "rank  student    agent          score            interval            mean    std  episodes  algorithm  "
        "submitted (UTC)",
        "   1  Student 1  student1/dqn  499.00  verified  479.00 to 519.00  549.00  50.00        50  DQN        "
        "2026-11-28 07:52",
        "   2  李雷       student2/dqn  498.00  claimed   478.00 to 518.00  548.00  50.00        50  DQN        "
        "2026-11-28 07:52",
        "   -  Student 3  student3/dqn       -            -                      -      -         -             "
        "2026-11-28 07:52",
        "3 of 3 agents",
        "For comparison: Random actions, score 51.38",
    ]


def test_board_searches_and_stops_at_its_limit(classroom, capsys):
    classroom.places = [place(rank) for rank in range(1, 300)]

    assert main(["board", "--env", "space-invaders", "--search", "Student 1", "--limit", "105"]) == 0
    assert "105 of 111 agents" in capsys.readouterr().out
    assert [parameters for _, path, parameters, _, _ in classroom.requests[1:]] == [
        {"search": "Student 1", "limit": "100"},
        {"search": "Student 1", "limit": "5", "cursor": "100"},
    ]


def test_an_empty_board_says_so(classroom, capsys):
    assert main(["board", "--env", "space-invaders"]) == 0
    assert "No agents here." in capsys.readouterr().out


def test_an_unknown_board_names_those_that_there_are(classroom, capsys):
    assert "no board for tetris. Its boards: space-invaders (SpaceInv" in refusal(capsys, "board", "--env", "tetris")


def test_boards_are_read_without_a_token(classroom, monkeypatch):
    monkeypatch.delenv("RL_CLASSROOM_TOKEN")

    assert main(["board", "--env", "space-invaders"]) == 0
    assert {sender for *_, sender in classroom.requests} == {""}


@pytest.mark.parametrize("command", [["submit", "ada/dqn"], ["status"]], ids=lambda command: command[0])
def test_without_a_token_nothing_is_asked(classroom, monkeypatch, capsys, command):
    monkeypatch.delenv("RL_CLASSROOM_TOKEN")

    assert "hf auth login, or put a token into RL_CLASSROOM_TOKEN" in refusal(capsys, *command)
    assert classroom.requests == []


@pytest.mark.parametrize("source", ["environment", "saved"])
def test_the_token_for_the_hub_stands_in(classroom, monkeypatch, tmp_path, source):
    monkeypatch.delenv("RL_CLASSROOM_TOKEN")
    if source == "environment":
        monkeypatch.setenv("HF_TOKEN", TOKEN)
    else:
        (tmp_path / "token").write_text(TOKEN)
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))

    assert main(["status"]) == 0


def test_the_classrooms_own_token_comes_first(classroom, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_another")

    assert main(["status"]) == 0


@every_command
@pytest.mark.parametrize(
    ("status", "headers", "sentence"),
    [
        (401, {}, "does not accept your token. The classroom says so. Make a new one"),
        (403, {}, "does not let you do that: The classroom says so."),
        (404, {}, "does not have that: The classroom says so."),
        (409, {}, "refuses the request (error 409): The classroom says so."),
        (422, {}, "refuses what was asked for: The classroom says so."),
        (429, {"Retry-After": "90"}, "takes no more of this for now. The classroom says so. Wait 90 seconds"),
        (429, {}, "takes no more of this for now. The classroom says so."),
        (500, {}, "is in trouble (error 500). The classroom says so. Try again in a few minutes."),
    ],
)
def test_every_refusal_is_a_sentence(classroom, capsys, path, command, status, headers, sentence):
    classroom.fail(path, status, headers=headers)

    message = refusal(capsys, *command)
    assert message.startswith(f"{classroom.address} ")
    assert sentence in message


@every_command
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (PlainTextResponse("Not Found", 404), "does not answer as a classroom does"),
        (PlainTextResponse("<html>welcome"), "does not answer as a classroom does"),
        (PlainTextResponse("[" * 100_000), "does not answer as a classroom does"),
        (PlainTextResponse("<html>bad gateway", 502), "is in trouble (error 502). Try again"),
        (PlainTextResponse("no", 401), "does not accept your token. It does not say why."),
        (JSONResponse({"error": 3}, 422), "It does not say why."),
        (
            RedirectResponse("https://class.example/"),
            "sends the request on to https://class.example/. If that is where",
        ),
        ([], "does not answer as a classroom does"),
        ({"items": {}}, "does not answer as a classroom does"),
        ({"items": [3], "next": None}, "does not answer as a classroom does"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_what_no_classroom_answers_is_a_sentence(classroom, capsys, path, command, answer, sentence):
    classroom.answers[path] = answer

    assert sentence in refusal(capsys, *command)


@pytest.mark.parametrize(
    "change",
    [
        {"score": "NaN"},
        {"score": True},
        {"score": "1e999"},
        {"id": None},
        {"id": 1.5},
        {"rank": "first"},
        {"verified": 1},
        {"state": 3},
        {"repo_id": ["ada"]},
    ],
    ids=str,
)
def test_a_value_of_another_kind_is_refused(classroom, capsys, change):
    text = json.dumps({"items": [submission() | change], "next": None})
    for number_written in ("NaN", "1e999"):
        text = text.replace(f'"{number_written}"', number_written)
    classroom.answers["/me/submissions"] = PlainTextResponse(text)

    assert "does not answer as a classroom does" in refusal(capsys, "status")


def test_a_number_too_large_for_a_score_is_refused(classroom, capsys):
    classroom.answers["/me/submissions"] = {"items": [submission(score=10**400)], "next": None}

    assert "does not answer as a classroom does" in refusal(capsys, "status")


def test_a_missing_field_is_refused(classroom, capsys):
    classroom.answers["/me/submissions"] = {"items": [{"id": 1}], "next": None}

    assert "does not answer as a classroom does" in refusal(capsys, "status")


def test_nobodys_name_moves_the_cursor_or_breaks_the_table(classroom, capsys):
    classroom.places = [place(1, student="Eve\x1b[2J\n\u202egnp\r" + "x" * 5000)]

    assert main(["board", "--env", "space-invaders"]) == 0
    printed = capsys.readouterr().out
    assert "Eve [2J gnp x" in printed
    assert max(map(len, printed.splitlines())) < 600
    assert not set(printed) & {"\x1b", "\r", "\u202e"}


def test_an_echo_of_the_token_is_not_printed(classroom, capsys):
    classroom.fail("/me/submissions", 401, "x" * 297 + f"Bearer {TOKEN} is unknown")
    assert "hf_" not in refusal(capsys, "status")

    classroom.answers["/me/submissions"] = RedirectResponse(f"https://class.example/?token={TOKEN}")
    assert "https://class.example/?token=<token>" in refusal(capsys, "status")


def test_a_redirect_is_not_followed_with_the_token(classroom, capsys):
    with LocalClassroom().running() as other:
        classroom.answers["/me/submissions"] = RedirectResponse(f"{other.address}/api/v1/me/submissions")
        refusal(capsys, "status")
        assert other.requests == []


@every_command
def test_a_classroom_that_is_not_running_is_a_sentence(classroom, monkeypatch, capsys, path, command):
    with LocalClassroom().running() as gone:
        monkeypatch.setenv("RL_CLASSROOM", gone.address)

    message = refusal(capsys, *command)
    assert message.startswith(f"{gone.address} cannot be reached: ")
    assert "that the classroom is running" in message


def test_a_classroom_that_does_not_answer_is_a_sentence(classroom, monkeypatch, capsys):
    monkeypatch.setattr(client, "TIMEOUT", 0.2)

    class Silent(PlainTextResponse):
        async def __call__(self, scope, receive, send):
            while (await receive())["type"] != "http.disconnect":
                pass

    classroom.answers["/me/submissions"] = Silent("")
    assert "has not answered within" in refusal(capsys, "status")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("localhost:7880", "which is no web address"),
        ("ftp://class.example", "which is no web address"),
        ("http://", "which is no web address"),
        ("http://[::1", "cannot be reached"),
        ("http://127.0.0.1:99999", "cannot be reached"),
        ("http://8.8.8.8", "is not encrypted"),
    ],
)
def test_an_address_that_cannot_be_one_is_a_sentence(classroom, capsys, address, sentence):
    assert sentence in refusal(capsys, "status", "--classroom", address)


def test_the_flag_comes_before_the_variable_and_slashes_do_not_matter(classroom, monkeypatch):
    monkeypatch.setenv("RL_CLASSROOM", "http://127.0.0.1:9")

    assert main(["status", "--classroom", f"{classroom.address}/"]) == 0


def test_without_a_setting_the_classroom_is_on_this_machine(monkeypatch):
    monkeypatch.delenv("RL_CLASSROOM", raising=False)

    assert open_classroom(None).address == "http://localhost:7880"


@pytest.mark.parametrize("token", ["hf_a b", "hf_ä", "hf_a\nX-Other: 1"])
def test_what_cannot_be_a_token_is_refused_and_not_shown(classroom, monkeypatch, token):
    monkeypatch.setenv("RL_CLASSROOM_TOKEN", token)

    with pytest.raises(ClassroomError, match="is no token") as refused:
        open_classroom(None)
    assert token not in str(refused.value)


def test_the_token_is_not_in_the_representation(classroom):
    assert TOKEN not in repr(open_classroom(None))


def test_a_table_counts_the_columns_of_a_terminal():
    table = render_table(("name", "n"), [("李雷", "1"), ("Zoe\u0308", "10")], {"n"})

    assert table.splitlines() == ["name   n", "李雷   1", "Zoe\u0308   10"]


def test_an_absurd_score_does_not_fill_the_line():
    assert (number(-1e300), number(-0.125), number(None)) == ("-1e+300", "-0.12", "-")


def test_a_reader_that_has_seen_enough_ends_a_command_quietly(classroom):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "rl_units", "board", "--classroom", classroom.address]
    finished = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)

    assert (finished.returncode, finished.stderr) == (1, "")
