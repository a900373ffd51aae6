"""From a push to a verdict: real agents, the embedded Hub, a real sandbox where there is one."""

import base64
import pickle
import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from judge_classroom import (
    ASSIGNMENT,
    EPISODES,
    Judge,
    agent_zip,
    evaluated_at_home,
    look,
    push,
    short_course,
    with_payload,
)
from mlagents_files import exported, pushed
from rl_leaderboard.boards import board
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database.tables import batches
from rl_leaderboard.jobs import LostLease
from rl_leaderboard.judge import pipeline, sandbox, tasks, workers
from rl_leaderboard.judge.failures import NotNow
from rl_leaderboard.judge.pipeline import Bench
from rl_leaderboard.judge.players import PlayerPool
from rl_leaderboard.judge.players.warm import in_sandbox
from rl_leaderboard.people import people
from rl_leaderboard.progress.progress import read_progress
from rl_leaderboard.rules import seeds
from rl_leaderboard.submissions import evaluations, presence, submissions
from rl_units import evaluation
from rl_units.agents import export_onnx, load_agent


@pytest.fixture(scope="session")
def tier():
    try:
        return sandbox.available(sandbox.Tier.LANDLOCK)
    except sandbox.NoSandbox as error:
        pytest.skip(f"no sandbox works here: {error}")


@pytest.fixture(scope="session")
def players(tier):
    with PlayerPool(in_sandbox(tier)) as pool:
        yield pool


@pytest.fixture
def course_folder(tmp_path):
    return tmp_path / "course"


@pytest.fixture
def classroom(settings, hub, course_folder):
    opened = Classroom.open(settings, course=short_course(course_folder), hub=hub)
    yield opened
    opened.close()


@pytest.fixture
def judge(classroom, players, tier):
    return Judge(Bench(classroom, players, tier.value))


class _Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def verified_score(classroom):
    """What ada's progress says of her only assignment."""
    with classroom.write() as connection:
        ada = people.welcome(connection, people.Arrival(people.HUB, "1", "ada", people.HUB))
        progress = read_progress(connection, classroom.course, ada, certify_claims=False)
    return progress.assignments[0].scores.verified


def wait_until(happens, seconds=120):
    """Waits for something; fails if it does not come."""
    until = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < until, "it has not happened"
        time.sleep(0.1)


def evaluations_of(classroom, number):
    with classroom.read() as connection:
        return evaluations.list_of_submission(connection, number)


def test_what_is_pushed_is_measured_and_stands_verified_on_the_board(classroom, judge, tier, tmp_path):
    number = push(classroom, "ada", {"ppo-CartPole-v1.zip": agent_zip(tmp_path)})
    assert look(classroom, number).state == "queued"

    assert judge.do()

    (evaluation,) = evaluations_of(classroom, number)
    assert look(classroom, number).state == "scored"
    assert evaluation.n_episodes == EPISODES
    assert evaluation.isolation == tier.value
    assert evaluation.low <= evaluation.score <= evaluation.high
    assert classroom.video(evaluation.replay).is_file()
    assert "Loaded an agent of ppo" in evaluation.log
    with classroom.read() as connection:
        (row,) = board.read_page(connection, board.Query(ASSIGNMENT)).rows
    assert row.verified
    assert row.score == evaluation.score
    assert not judge.do()


def test_the_verdict_is_what_anybody_finds_for_the_same_seeds_game_by_game(classroom, judge, course_folder, tmp_path):
    content = agent_zip(tmp_path)
    number = push(classroom, "ada", {"ppo-CartPole-v1.zip": content})
    judge.do()
    (evaluation,) = evaluations_of(classroom, number)
    secret = seeds.derive_seeds(classroom.secret, ASSIGNMENT, 1, "1", "ranking-1", EPISODES)
    path = tmp_path / "ppo-CartPole-v1.zip"
    path.write_bytes(content)

    with classroom.read() as connection:
        measured = [episode.episode_return for episode in evaluations.read_episodes(connection, evaluation.id)]

    assert measured == evaluated_at_home(path, secret, course_folder)


def test_whoever_pushes_several_formats_reads_which_file_was_judged(classroom, judge, tmp_path, sign_in):
    content = agent_zip(tmp_path)
    (tmp_path / "ppo.zip").write_bytes(content)
    protocol = next(classroom.course.assignments).protocol
    export_onnx(load_agent(tmp_path / "ppo.zip", protocol), tmp_path / "agent.onnx")
    graph = (tmp_path / "agent.onnx").read_bytes()
    number = push(classroom, "ada", {"agent.onnx": graph, "ppo-CartPole-v1.zip": agent_zip(tmp_path, seed=1)})

    judge.do()

    (evaluation,) = evaluations_of(classroom, number)
    assert evaluation.judged_file == "agent.onnx"
    assert "Judges agent.onnx, and does not look at ppo-CartPole-v1.zip." in evaluation.log
    ada = sign_in("ada")
    assert "<dt>Judged file</dt><dd><code>agent.onnx</code></dd>" in ada.get(f"/agents/{number}").text
    assert ada.get(f"/api/v1/submissions/{number}").json()["evaluations"][0]["judged_file"] == "agent.onnx"


def test_a_run_that_ml_agents_has_pushed_is_measured_although_its_card_has_no_score(classroom, judge):
    assignment = next(classroom.course.assignments)
    named = replace(assignment, aliases=("CartPole",))
    course = replace(classroom.course, units=(replace(classroom.course.units[0], assignments=(named,)),))
    classroom = replace(classroom, course=course)

    number = push(classroom, "ada", pushed("CartPole", exported("cart-pole")))
    Judge(replace(judge.bench, classroom=classroom)).do()

    (evaluation,) = evaluations_of(classroom, number)
    assert look(classroom, number).library == "ml-agents"
    assert "Loaded an agent of mlagents" in evaluation.log
    assert evaluation.judged_file == "CartPole.onnx"
    assert classroom.video(evaluation.replay).is_file()
    with classroom.read() as connection:
        (row,) = board.read_page(connection, board.Query(ASSIGNMENT)).rows
    assert (row.verified, row.score) == (True, evaluation.score)


def test_code_in_an_agent_is_never_run_and_the_agent_is_measured_all_the_same(classroom, judge, tmp_path):
    marker = tmp_path / "marker"
    payload = base64.b64encode(pickle.dumps(_Touch(str(marker)))).decode()
    number = push(classroom, "eve", {"ppo-CartPole-v1.zip": with_payload(agent_zip(tmp_path), tmp_path, payload)})

    judge.do()

    assert look(classroom, number).state == "scored"
    assert not marker.exists()


def test_what_is_no_agent_fails_with_a_sentence_for_its_student(classroom, judge):
    number = push(classroom, "eve", {"agent.zip": b"PK\x03\x04 nothing of the kind"})

    judge.do()

    failed = look(classroom, number)
    assert failed.state == "failed"
    assert failed.reason.endswith(".")
    assert not judge.do()


def test_the_same_weights_again_play_further_games_and_not_luckier_ones(classroom, judge, tmp_path):
    content = agent_zip(tmp_path)
    first = push(classroom, "ada", {"ppo-CartPole-v1.zip": content})
    judge.do()
    second = push(classroom, "ada", {"ppo-CartPole-v1.zip": content, "notes.txt": "again"})

    judge.do()

    assert [one.n_episodes for one in evaluations_of(classroom, second)] == [2 * EPISODES]
    assert look(classroom, first).verified_score == look(classroom, second).verified_score


def test_an_agent_that_passes_plays_other_games_for_the_certificate(classroom, judge, tmp_path):
    number = push(classroom, "ada", {"ppo-CartPole-v1.zip": agent_zip(tmp_path)})
    judge.do()
    (evaluation,) = evaluations_of(classroom, number)
    here = batches.c.batch == "confirmation"
    with classroom.read() as connection:
        confirmed = connection.scalar(select(batches.c.score).where(here))

    assert verified_score(classroom) == min(evaluation.score, confirmed)
    with classroom.write() as connection:
        connection.execute(update(batches).where(here).values(score=1.0))
    assert verified_score(classroom) == 1.0
    assert look(classroom, number).score == evaluation.score, "the board ranks by the board's games"


def test_an_agent_that_does_not_pass_plays_no_further_games(classroom, judge, course_folder, tmp_path):
    assignment = next(classroom.course.assignments)
    hard = replace(
        classroom.course,
        units=(replace(classroom.course.units[0], assignments=(replace(assignment, threshold=10_000.0),)),),
    )
    bench = replace(judge.bench, classroom=replace(classroom, course=hard))
    push(classroom, "ada", {"ppo-CartPole-v1.zip": agent_zip(tmp_path)})

    Judge(bench).do()

    with classroom.read() as connection:
        assert connection.scalars(select(batches.c.batch)).all() == ["ranking-1"]


def test_what_was_retracted_meanwhile_is_not_measured(classroom, judge, tmp_path):
    number = push(classroom, "ada", {"ppo-CartPole-v1.zip": agent_zip(tmp_path)})
    with classroom.write() as connection:
        submissions.retract(connection, submissions.get(connection, number), "A reason.")

    judge.do()

    assert look(classroom, number).state == "received"
    assert evaluations_of(classroom, number) == []


def test_what_another_worker_has_by_now_is_thrown_away(classroom, judge, tmp_path, monkeypatch):
    number = push(classroom, "ada", {"ppo-CartPole-v1.zip": agent_zip(tmp_path)})
    claim = classroom.queue.claim("slow", -1)
    task = tasks.begin(classroom, classroom.queue, claim)
    verdict = pipeline.measure(judge.bench, task, lambda _: None)
    judge.do("quick")

    with pytest.raises(LostLease):
        tasks.publish(classroom, classroom.queue, task, verdict)

    assert len(evaluations_of(classroom, number)) == 1


def test_what_is_in_the_way_for_a_while_is_tried_again_and_then_given_up(classroom, judge, tmp_path, monkeypatch):
    def refuse(*_):
        raise NotNow("no-hub", "The Hub is away.")

    number = push(classroom, "ada", {"ppo-CartPole-v1.zip": agent_zip(tmp_path)})
    monkeypatch.setattr(pipeline, "measure", refuse)
    monkeypatch.setattr(workers, "_pause", lambda _: 0.0)
    states = []
    while judge.do():
        states.append(look(classroom, number).state)

    assert states[:2] == ["queued", "queued"]
    assert states[-1] == "failed"
    assert "ask your teacher" in look(classroom, number).reason


def test_a_problem_of_the_judge_itself_is_no_failure_of_the_agent(classroom, judge, tmp_path, monkeypatch):
    number = push(classroom, "ada", {"ppo-CartPole-v1.zip": agent_zip(tmp_path)})
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "measure", lambda *_: 1 / 0)
        patched.setattr(workers, "_pause", lambda _: 0.0)
        judge.do()
    assert look(classroom, number).state == "queued"

    judge.do()

    assert look(classroom, number).state == "scored"


def test_who_looks_on_is_told_how_far_the_judge_is(classroom, judge, tmp_path, client, monkeypatch):
    number = push(classroom, "ada", {"ppo-CartPole-v1.zip": agent_zip(tmp_path)})
    with classroom.write() as connection:
        presence.note(connection, "a judge", judge.bench.isolation)
    seen = []
    play = evaluation.evaluate

    def look_on(*arguments, **more):
        seen.append(client.get(f"/api/v1/submissions/{number}").json())
        seen.append(client.get(f"/agents/{number}").text)
        return play(*arguments, **more)

    monkeypatch.setattr(evaluation, "evaluate", look_on)
    judge.do()

    assert (seen[0]["state"], seen[0]["progress"][:15]) == ("running", "Loaded an agent")
    assert "Loaded an agent of ppo in a sandbox" in seen[1]
    assert client.get(f"/api/v1/submissions/{number}").json()["progress"] == ""


def test_a_worker_says_that_it_is_there_and_asks_for_what_nobody_asked_for(classroom, judge, tmp_path, client):
    number = push(classroom, "ada", {"ppo-CartPole-v1.zip": agent_zip(tmp_path)})
    claim = classroom.queue.claim("before", 60)
    with classroom.write() as connection:
        classroom.queue.finish(connection, claim)
        submissions.rest(connection, submissions.get(connection, number))
    stopping = threading.Event()
    thread = threading.Thread(target=workers.work, args=(judge.bench, classroom.queue, "here", stopping))
    thread.start()
    try:
        wait_until(lambda: look(classroom, number).state == "scored")
        assert client.get("/healthz").json()["judge_isolation"] == judge.bench.isolation
    finally:
        stopping.set()
        thread.join()

    assert client.get("/healthz").json()["judge_isolation"] == "none"


def test_a_judge_that_starts_in_a_new_season_plays_the_first_of_each_board_again(classroom, judge, tmp_path):
    number = push(classroom, "ada", {"ppo-CartPole-v1.zip": agent_zip(tmp_path)})
    judge.do()
    settings = replace(classroom.settings, season="2027-spring")
    bench = replace(judge.bench, classroom=replace(classroom, settings=settings))
    stopping = threading.Event()
    thread = threading.Thread(target=workers.work, args=(bench, classroom.queue, "here", stopping))
    thread.start()
    try:
        wait_until(lambda: len(evaluations_of(classroom, number)) == 2)
    finally:
        stopping.set()
        thread.join()

    newest, oldest = evaluations_of(classroom, number)
    assert (oldest.batch, newest.batch) == ("1/ranking-1", "2027-spring/ranking-1")
    assert newest.n_episodes == EPISODES, "games of two seasons are not pooled"
    assert look(classroom, number).evaluation_id == newest.id
