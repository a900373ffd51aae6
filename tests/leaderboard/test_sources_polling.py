"""Other Hubs as sources: read by the polls of a thread, whatever they do."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from hub_clock import moving_clock
from hub_server import served
from leaderboard_agents import ASSIGNMENT, GAME, measure
from leaderboard_sources import eventually, kept, rows, upload
from local_hub import Fault, LocalHub, User
from rl_leaderboard.boards import assignments
from rl_leaderboard.rules.sources import source_name
from rl_leaderboard.settings import Settings
from rl_leaderboard.sources import intake, polling, states
from rl_leaderboard.sources.polling import is_sweep_due, look, look_if_due
from rl_leaderboard.submissions.wanted import WantedRepository
from rl_leaderboard.web.app import create_app
from rl_units.course import load_course

ENVIRONMENTS = len(intake.environments(load_course()))
ADA = "ada/dqn-invader"


@pytest.fixture
def remote(tmp_path):
    with LocalHub(tmp_path / "remote", [User("ada", "hf_ada"), User("grace", "hf_grace")]) as hub:
        yield hub


@pytest.fixture
def ada(remote):
    return HfApi(remote.endpoint, "hf_ada")


@pytest.fixture
def settings(tmp_path, remote):
    return Settings(tmp_path / "classroom-data", sources=(remote.endpoint,), poll_seconds=60.0)


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "agent"


def asked(remote):
    """What the Hub was asked for since the last time, without the client's own requests."""
    requests = [path for _, path in remote.requests]
    remote.requests.clear()
    return requests


def state_of(classroom, remote):
    with classroom.read() as connection:
        return states.read(connection, source_name(remote.endpoint))


def freshness(classroom):
    with classroom.read() as connection:
        (found,) = states.freshness(connection, classroom.settings)
    return found


def test_the_first_look_reads_everything(classroom, remote, ada, folder):
    sha = upload(ada, folder)
    upload(HfApi(remote.endpoint, "hf_grace"), folder, "grace/agent", mean=400, replay=False)

    outcome = look(classroom, remote.endpoint)

    assert len(outcome.new) == 2
    assert rows(classroom) == [("grace", "grace/agent", 350.0), ("ada", ADA, 250.0)]
    row = next(row for row in kept(classroom) if row.student_name == "ada")
    assert (row.source, row.sha, row.algorithm, row.library) == (remote.endpoint, sha, "DQN", "stable-baselines3")
    assert (row.has_replay, row.claimed_mean, row.claimed_std) == (True, 300.0, 50.0)
    assert row.submitted_at == ada.model_info(ADA).last_modified


def test_a_poll_that_finds_nothing_new_costs_one_request_per_environment(classroom, remote, ada, folder):
    for number in range(5):
        upload(ada, folder, f"ada/agent-{number}", mean=100 + number)
    look(classroom, remote.endpoint, page=2)
    asked(remote)

    assert look(classroom, remote.endpoint, page=2).new == []
    assert asked(remote) == ["/api/models"] * ENVIRONMENTS


def test_lists_are_read_to_their_end_however_long_a_page_is(classroom, remote, ada, folder):
    for number in range(5):
        upload(ada, folder, f"ada/agent-{number}", mean=100 + number)

    assert len(look(classroom, remote.endpoint, page=2).new) == 5


def test_a_poll_reads_as_far_as_what_is_new_reaches(classroom, remote, ada, folder):
    for number in range(6):
        upload(ada, folder, f"ada/agent-{number}", mean=100 + number)
    look(classroom, remote.endpoint, page=2)
    upload(ada, folder, "ada/agent-0", mean=500)
    upload(ada, folder, "ada/agent-6", mean=600)
    upload(ada, folder, "ada/agent-7", mean=700)
    asked(remote)

    assert len(look(classroom, remote.endpoint, page=2).new) == 3
    assert asked(remote).count("/api/models") == ENVIRONMENTS + 1
    assert rows(classroom) == [("ada", "ada/agent-7", 650.0)]


def test_the_hub_is_asked_what_the_real_client_asks(classroom):
    queries = []

    def answer(request):
        queries.append(sorted(request.query_params.multi_items()))
        return JSONResponse([])

    with served(Starlette(routes=[Route("/api/models", answer)])) as address:
        look(classroom, address)
        properties = ["author", "cardData", "lastModified", "library_name", "private", "sha", "tags", "siblings"]
        list(HfApi(address, token=False).list_models(filter=GAME, sort="last_modified", limit=100, expand=properties))

    assert queries[-1] in queries[:-1]


def test_a_repository_that_is_gone_is_found_by_the_sweep_and_only_there(classroom, remote, ada, folder):
    upload(ada, folder)
    upload(ada, folder, "ada/other", mean=200)
    look(classroom, remote.endpoint)
    ada.delete_repo(ADA)

    look(classroom, remote.endpoint)
    assert rows(classroom) == [("ada", ADA, 250.0)]
    look(classroom, remote.endpoint, full=True)
    assert rows(classroom) == [("ada", "ada/other", 150.0)]


def test_a_repository_that_is_hidden_leaves_the_board_and_comes_back(classroom, remote, ada, folder):
    upload(ada, folder)
    look(classroom, remote.endpoint)
    ada.update_repo_settings(ADA, private=True)
    look(classroom, remote.endpoint, full=True)
    assert rows(classroom) == []

    ada.update_repo_settings(ADA, private=False)
    look(classroom, remote.endpoint)

    assert rows(classroom) == [("ada", ADA, 250.0)]


def test_private_repositories_that_the_token_may_see_are_on_no_board(classroom, remote, ada, folder):
    ada.create_repo(ADA, private=True)
    upload(ada, folder)
    classroom = replace(classroom, settings=replace(classroom.settings, source_token="hf_ada"))

    assert look(classroom, remote.endpoint) == polling.Outcome()
    assert rows(classroom) == []


def test_a_repository_that_is_in_no_list_any_more_stays_while_the_hub_still_has_it(classroom, remote, ada, folder):
    upload(ada, folder)
    look(classroom, remote.endpoint)
    ada.upload_file(repo_id=ADA, path_in_repo="README.md", path_or_fileobj=b"---\ntags: [other]\n---\nHello.\n")

    assert look(classroom, remote.endpoint, full=True).problem == ""
    assert rows(classroom) == [("ada", ADA, 250.0)]


def test_a_hub_that_suddenly_lists_nothing_takes_nothing_off_the_boards(classroom, remote, ada, folder):
    for number in range(4):
        upload(ada, folder, f"ada/agent-{number}", mean=100 + number)
    look(classroom, remote.endpoint)
    for number in range(4):
        ada.delete_repo(f"ada/agent-{number}")

    outcome = look(classroom, remote.endpoint, full=True)

    assert "lists no model any more, so its 4 repositories stay" in outcome.problem
    assert freshness(classroom).problem == outcome.problem
    assert len(rows(classroom)) == 1


def test_a_sweep_that_fails_on_its_way_takes_nothing_off_the_boards(classroom, remote, ada, folder):
    upload(ada, folder)
    upload(ada, folder, "ada/other")
    look(classroom, remote.endpoint)
    ada.delete_repo(ADA)
    remote.faults.append(Fault("/api/models", 500, after=ENVIRONMENTS - 1))

    assert look(classroom, remote.endpoint, full=True).problem
    assert {row.gone_at for row in kept(classroom)} == {None}


def test_a_hub_that_is_down_leaves_what_was_read_on_the_boards_with_its_age(classroom, remote, ada, folder):
    upload(ada, folder)
    look(classroom, remote.endpoint)
    before = freshness(classroom)
    remote.faults.append(Fault("/api/models"))

    look(classroom, remote.endpoint)

    assert rows(classroom) == [("ada", ADA, 250.0)]
    assert before.problem == ""
    assert freshness(classroom).last_success_at == before.last_success_at
    assert f"{remote.endpoint} cannot be reached" in freshness(classroom).problem


@pytest.mark.parametrize(
    ("status", "sentence"), [(500, "the error 500"), (503, "not available"), (401, "access token")]
)
def test_what_a_hub_answers_instead_is_said_in_a_sentence(classroom, remote, status, sentence):
    remote.faults.append(Fault("/api/models", status))

    assert sentence in look(classroom, remote.endpoint).problem


def test_pauses_after_failures_double_and_end_with_a_success(classroom, remote, monkeypatch):
    move = moving_clock(monkeypatch)
    monkeypatch.setattr("random.random", lambda: 0.0)
    remote.faults.append(Fault("/api/models", 500))
    pauses = []
    for _ in range(9):
        look_if_due(classroom, remote.endpoint)
        pause = (state_of(classroom, remote).pause_until - polling.clock.now()).total_seconds()
        pauses.append(pause)
        move(pause)
    remote.faults.clear()
    look_if_due(classroom, remote.endpoint)

    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    state = state_of(classroom, remote)
    assert (state.failures, state.problem, state.pause_until) == (0, "", None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"RateLimit": '"api";r=0;t=55', "Retry-After": "7"}, 55),
        ({"Retry-After": "99999999999999999999"}, 6 * 3600),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 1),
        ({"Retry-After": "-5"}, 60),
        ({"Retry-After": "soon"}, 60),
        ({}, 60),
    ],
)
def test_a_hub_that_asks_to_be_left_alone_is(classroom, remote, ada, folder, monkeypatch, headers, seconds):
    move = moving_clock(monkeypatch)
    remote.faults.append(Fault("/api/models", 429, times=1, headers=headers))
    look_if_due(classroom, remote.endpoint)
    assert asked(remote) == ["/api/models"]
    upload(ada, folder)
    asked(remote)

    move(seconds - 1)
    look_if_due(classroom, remote.endpoint)
    assert asked(remote) == []
    move(1)
    look_if_due(classroom, remote.endpoint)

    assert asked(remote) == ["/api/models"] * ENVIRONMENTS
    assert rows(classroom) == [("ada", ADA, 250.0)]


def test_the_last_request_that_a_hub_allows_is_followed_by_no_other(classroom):
    paths = []

    def answer(request):
        paths.append(request.url.path)
        return JSONResponse([], headers={"RateLimit": '"api";r=0;t=30'})

    with served(Starlette(routes=[Route("/api/models", answer)])) as address:
        outcome = look(classroom, address)

    assert len(paths) == 1
    assert "no more requests" in outcome.problem


def test_polls_and_sweeps_keep_their_times(classroom, remote, monkeypatch):
    move = moving_clock(monkeypatch)
    look_if_due(classroom, remote.endpoint)
    asked(remote)

    move(59)
    look_if_due(classroom, remote.endpoint)
    assert asked(remote) == []
    move(1)
    look_if_due(classroom, remote.endpoint)
    assert len(asked(remote)) == ENVIRONMENTS
    swept = state_of(classroom, remote).last_sweep_at
    move(86_400)
    look_if_due(classroom, remote.endpoint)
    assert state_of(classroom, remote).last_sweep_at > swept


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        (None, datetime(2026, 3, 1, 12, tzinfo=UTC), True),
        (datetime(2026, 3, 1, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, 2, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 1, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, 3, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 2, 2, 0, tzinfo=UTC), datetime(2026, 3, 2, 3, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 2, 3, 0, tzinfo=UTC), datetime(2026, 3, 2, 23, 0, tzinfo=UTC), False),
    ],
)
def test_a_sweep_is_due_once_its_hour_has_passed(last, now, due):
    assert is_sweep_due(last, now, hour=3) is due


HOSTILE = [
    None,
    7,
    "ada/agent",
    [],
    {},
    {"id": "no-owner", "sha": "a" * 40, "lastModified": "2026-01-01T00:00:00.000Z", "tags": [GAME]},
    {"id": "a/b/c", "sha": "a" * 40, "lastModified": "2026-01-01T00:00:00.000Z", "tags": [GAME]},
    {"id": "a/\u202eb", "sha": "a" * 40, "lastModified": "2026-01-01T00:00:00.000Z", "tags": [GAME]},
    {"id": "a/" + "b" * 9999, "sha": "a" * 40, "lastModified": "2026-01-01T00:00:00.000Z", "tags": [GAME]},
    {"id": "a/b", "sha": 7, "lastModified": "2026-01-01T00:00:00.000Z", "tags": [GAME]},
    {"id": "a/b", "sha": "a" * 9999, "lastModified": "2026-01-01T00:00:00.000Z", "tags": [GAME]},
    {"id": "a/b", "sha": "a" * 40, "lastModified": "yesterday", "tags": [GAME]},
    {"id": "a/b", "sha": "a" * 40, "lastModified": "0001-01-01T00:00:00+14:00", "tags": [GAME]},
    {"id": "a/b", "sha": "a" * 40, "lastModified": None, "tags": [GAME]},
    {"id": "a/b", "sha": "a" * 40, "lastModified": "2026" * 9999, "tags": [GAME]},
]


def listing(*entries, **headers):
    """A Hub that lists these models, whatever it is asked for."""
    return Starlette(routes=[Route("/api/models", lambda _: JSONResponse(list(entries), headers=headers))])


def honest(**changes):
    """A model of a list."""
    name = changes.pop("env", GAME)
    metrics = [{"type": "mean_reward", "value": changes.pop("value", "300 +/- 50")}]
    card = {"model-index": [{"name": "DQN", "results": [{"dataset": {"type": name}, "metrics": metrics}]}]}
    entry = {"id": ADA, "sha": "a" * 40, "lastModified": "2026-01-01T00:00:00.000Z", "tags": [GAME], "cardData": card}
    return entry | changes


def test_hostile_entries_of_a_list_are_left_out_and_the_rest_is_kept(classroom):
    with served(listing(*HOSTILE, honest())) as address:
        assert look(classroom, address).problem == ""

    assert rows(classroom) == [("ada", ADA, 250.0)]


@pytest.mark.parametrize("value", ["nan +/- nan", "1e999", 10**400, "1" * 2_000_000, {"a": []}, True])
def test_scores_that_are_none_are_kept_with_the_reason(classroom, value):
    with served(listing(honest(value=value))) as address:
        assert look(classroom, address).problem == ""

    assert rows(classroom) == [("ada", ADA, None)]
    assert kept(classroom)[0].claim_problem


def test_a_time_in_the_future_neither_leads_the_board_nor_hides_what_follows(classroom):
    with served(listing(honest(lastModified="2999-01-01T00:00:00.000Z"))) as address:
        look(classroom, address)
        with classroom.read() as connection:
            state = states.read(connection, source_name(address), GAME)

    assert kept(classroom)[0].submitted_at <= polling.clock.now()
    assert state.newest_modified <= polling.clock.now()


@pytest.mark.parametrize(
    "answer",
    [
        Response(b"<html>"),
        Response(b"[" * 100_000),
        JSONResponse({"error": "no"}),
        Response(b"\xff\xfe\x00"),
        Response(status_code=302, headers={"Location": "http://127.0.0.1:1/"}),
        JSONResponse([honest()], headers={"Link": '<http://127.0.0.1:1/api/models>; rel="next"'}),
        JSONResponse([honest()], headers={"Link": '</elsewhere>; rel="next"'}),
    ],
)
def test_an_answer_that_no_hub_gives_is_a_problem_and_no_failure(classroom, answer):
    with served(Starlette(routes=[Route("/api/models", lambda _: answer)])) as address:
        assert look(classroom, address).problem


def test_an_answer_without_end_is_not_read_to_its_end(classroom, monkeypatch):
    monkeypatch.setattr("rl_leaderboard.sources.remote._MOST_BYTES", 1000)
    queries = []

    def answer(request):
        queries.append(request.query_params.getlist("expand"))
        names = [{"rfilename": "x" * 2000}] if "siblings" in queries[-1] else []
        return JSONResponse([honest(siblings=names)])

    with served(Starlette(routes=[Route("/api/models", answer)])) as address:
        assert look(classroom, address).problem == ""

    assert "siblings" not in queries[1]
    assert rows(classroom) == [("ada", ADA, 250.0)]


def test_a_hub_is_named_by_its_address_without_https():
    names = map(
        source_name, ("https://huggingface.co/", "https://HuggingFace.co", "http://localhost:7870", "https://hub")
    )

    assert list(names) == ["huggingface.co", "huggingface.co", "http://localhost:7870", "https://hub"]


def want(classroom, remote, repo_id, revision=None, *, by_student=False):
    wanted = WantedRepository(source_name(remote.endpoint), repo_id, revision, by_student)
    assert classroom.wanted.add(wanted)


def test_a_wanted_repository_is_read_by_one_request(classroom, remote, ada, folder):
    look(classroom, remote.endpoint)
    upload(ada, folder)
    asked(remote)
    want(classroom, remote, ADA)
    want(classroom, remote, "ada/nowhere")

    look_if_due(classroom, remote.endpoint)

    assert asked(remote) == [f"/api/models/{ADA}", "/api/models/ada/nowhere"]
    assert rows(classroom) == [("ada", ADA, 250.0)]
    assert classroom.wanted.first(source_name(remote.endpoint)) is None


def test_an_earlier_commit_can_be_wanted(classroom, remote, ada, folder):
    first = upload(ada, folder, mean=900)
    upload(ada, folder, mean=200)
    look(classroom, remote.endpoint)
    want(classroom, remote, ADA, first)
    want(classroom, remote, ADA, "no-such-revision")

    look_if_due(classroom, remote.endpoint)

    assert rows(classroom) == [("ada", ADA, 850.0)]


def test_what_is_wanted_waits_while_the_hub_is_down_and_gives_way_to_others_if_it_alone_fails(
    classroom, remote, ada, folder, monkeypatch
):
    move = moving_clock(monkeypatch)
    look(classroom, remote.endpoint)
    upload(ada, folder)
    upload(ada, folder, "ada/other", mean=400)
    want(classroom, remote, "ada/broken")
    want(classroom, remote, ADA)
    remote.faults.append(Fault("/api/models"))
    look_if_due(classroom, remote.endpoint)
    assert rows(classroom) == []

    remote.faults[:] = [Fault("/broken", 500)]
    move(3600)
    look_if_due(classroom, remote.endpoint)

    assert rows(classroom) == [("ada", "ada/other", 350.0)]
    assert classroom.wanted.first(source_name(remote.endpoint)) is None
    assert state_of(classroom, remote).problem == ""


def test_a_commit_over_the_quota_is_taken_in_when_its_student_asks_another_day(
    classroom, remote, ada, folder, monkeypatch
):
    move = moving_clock(monkeypatch)
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="best", quota_per_day=1)
    upload(ada, folder)
    look(classroom, remote.endpoint)
    upload(ada, folder, mean=900)
    look(classroom, remote.endpoint)
    assert rows(classroom) == [("ada", ADA, 250.0)]

    want(classroom, remote, ADA, by_student=True)
    look_if_due(classroom, remote.endpoint)
    assert rows(classroom) == [("ada", ADA, 250.0)]
    move(86_400)
    want(classroom, remote, ADA, by_student=True)
    look_if_due(classroom, remote.endpoint)

    assert rows(classroom) == [("ada", ADA, 850.0)]


def break_boards(classroom):
    """A failure of the classroom's own: it cannot keep what it reads."""
    with classroom.write() as connection:
        connection.exec_driver_sql("ALTER TABLE standings RENAME TO elsewhere")


def test_what_cannot_be_kept_is_a_failure_with_a_pause(classroom, remote, ada, folder):
    upload(ada, folder)
    break_boards(classroom)

    problem = look(classroom, remote.endpoint).problem
    asked(remote)
    look_if_due(classroom, remote.endpoint)

    assert problem.endswith("could not be kept: see the classroom's log.")
    assert (state_of(classroom, remote).failures, state_of(classroom, remote).problem) == (1, problem)
    assert asked(remote) == []


def test_a_wanted_repository_that_cannot_be_kept_does_not_come_again_and_again(classroom, remote, ada, folder):
    look(classroom, remote.endpoint)
    upload(ada, folder)
    break_boards(classroom)
    want(classroom, remote, ADA)

    look_if_due(classroom, remote.endpoint)

    assert classroom.wanted.first(source_name(remote.endpoint)) is None


def test_a_repository_that_another_hub_has_renamed_keeps_its_verified_score(classroom):
    def one(request):
        if request.path_params["name"] == "dqn-invader":
            return Response(status_code=307, headers={"Location": "/api/models/ada/champion"})
        return JSONResponse(honest(id="ada/champion"))

    routes = [
        Route("/api/models", lambda _: JSONResponse([honest()])),
        Route("/api/models/ada/{name}", one),
    ]
    with served(Starlette(routes=routes)) as address:
        classroom = replace(classroom, settings=replace(classroom.settings, sources=(address,)))
        look(classroom, address)
        measure(classroom, kept(classroom)[0].id, (100.0, 100.0))
        classroom.wanted.add(WantedRepository(source_name(address), ADA))
        look_if_due(classroom, address)

    assert rows(classroom) == [("ada", "ada/champion", 100.0)]


def test_the_server_reads_other_hubs_beside_its_requests(settings, classroom, remote, ada, folder):
    classroom = replace(classroom, settings=replace(settings, poll_seconds=0.1))
    with TestClient(create_app(classroom)):
        upload(ada, folder)
        eventually(lambda: rows(classroom), [("ada", ADA, 250.0)])
        threads = [thread for thread in threading.enumerate() if thread.name == "polling"]
        assert len(threads) == 1
    assert not threads[0].is_alive()


def test_a_hub_that_never_answers_does_not_keep_the_server_from_stopping(classroom, settings):
    waiting, stop = threading.Event(), threading.Event()

    def answer(_):
        waiting.set()
        stop.wait(20)
        return JSONResponse([])

    with served(Starlette(routes=[Route("/api/models", answer)])) as address:
        classroom = replace(classroom, settings=replace(settings, sources=(address,)))
        began = datetime.now(UTC)
        with TestClient(create_app(classroom)):
            assert waiting.wait(10)
        took = datetime.now(UTC) - began
        stop.set()

    assert took < timedelta(seconds=8)
