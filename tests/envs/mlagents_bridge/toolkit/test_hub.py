"""Pushing and loading, with the real client and a real Hub on this machine."""

import hashlib
import json
import math
import socket

import pytest
import yaml

from local_hub import Fault, LocalHub, User
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.toolkit.hub import RunToPush, load, push
from mlagents_environment import mlagents_python, needs_mlagents, run_with_mlagents
from rl_leaderboard.sources.cards import parse_readme
from rl_units.model_card import card_metadata
from rl_units.results import EvaluationResult

ENV_ID = "SnowballFight1v1-v0"
CONFIG = {"behaviors": {"SnowballFight": {"trainer_type": "ppo", "hyperparameters": {"batch_size": 2048}}}}
MODEL = b"a model"
VIDEO = b"\0\0\0\x20ftypisom" + bytes(100)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with LocalHub(tmp_path / "hub", [User("ada", "hf_ada"), User("bob", "hf_bob", role="read")]) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        monkeypatch.setenv("HF_TOKEN", "hf_ada")
        yield hub


@pytest.fixture
def run(tmp_path):
    """The folder of a run."""
    folder = tmp_path / "results" / "one"
    (folder / "SnowballFight").mkdir(parents=True)
    (folder / "configuration.yaml").write_text(yaml.safe_dump(CONFIG))
    (folder / "SnowballFight.onnx").write_bytes(MODEL)
    (folder / "SnowballFight" / "SnowballFight-500.pt").write_bytes(b"a checkpoint")
    return folder


def evaluation(returns=(1.0, 0.0, 2.0), **changes):
    values = {
        "env_id": ENV_ID,
        "algo": "ppo",
        "protocol_id": "snowball",
        "protocol_version": 1,
        "returns": returns,
        "lengths": (5,) * len(returns),
        "seeds": tuple(range(len(returns))),
        "is_deterministic": True,
        "epsilon": 0.0,
        "agent_sha256": hashlib.sha256(MODEL).hexdigest(),
        "evaluated_at": "2026-11-28T12:00:00+00:00",
    }
    return EvaluationResult(**{**values, **changes})


def metadata(readme):
    return yaml.safe_load(readme.decode().split("---\n")[1])


def test_a_run_is_pushed_whole_with_the_card_and_configuration_of_the_original(hub, run):
    address = push(RunToPush("one", run), "ada/one", "First")
    files = hub.files("ada/one")
    assert address == f"{hub.endpoint}/ada/one"
    assert files["SnowballFight.onnx"] == b"a model"
    assert files["SnowballFight/SnowballFight-500.pt"] == b"a checkpoint"
    assert json.loads(files["config.json"]) == CONFIG
    assert metadata(files["README.md"]) == {
        "library_name": "ml-agents",
        "tags": ["SnowballFight", "deep-reinforcement-learning", "reinforcement-learning", "ML-Agents-SnowballFight"],
    }
    assert hub.commits("ada/one")[0].title == "First"
    assert sorted(path.name for path in run.iterdir()) == ["SnowballFight", "SnowballFight.onnx", "configuration.yaml"]


def test_the_score_is_written_as_for_other_agents_and_boards_read_it(hub, run, tmp_path):
    result = evaluation()
    result.save(tmp_path)
    (tmp_path / "game.mp4").write_bytes(VIDEO)
    push(RunToPush("one", run, results=tmp_path / "results.json", replay=tmp_path / "game.mp4"), "ada/one", "Scored")
    files = hub.files("ada/one")
    ours = metadata(files["README.md"])
    assert ours["model-index"] == card_metadata("ppo", ENV_ID, result.mean_reward, result.std_reward)["model-index"]
    assert EvaluationResult.from_json(files["results.json"].decode()) == result
    assert files["replay.mp4"] == VIDEO
    described = parse_readme(files["README.md"].decode(), {ENV_ID})
    assert (described.library, described.algorithm) == ("ml-agents", "PPO")
    assert [(claim.env_id, claim.mean, claim.std) for claim in described.claims] == [(ENV_ID, 1.0, 0.82)]


def test_a_result_and_a_replay_in_the_folder_of_the_run_are_at_hand(hub, run):
    evaluation().save(run)
    (run / "replay.mp4").write_bytes(VIDEO)
    push(RunToPush("one", run), "ada/one", "Scored")
    files = hub.files("ada/one")
    assert "model-index" in metadata(files["README.md"])
    assert b"replay.mp4" in files["README.md"]


def test_the_score_and_replay_of_an_earlier_model_do_not_stay(hub, run, tmp_path):
    evaluation().save(tmp_path)
    (tmp_path / "replay.mp4").write_bytes(VIDEO)
    push(RunToPush("one", run, results=tmp_path / "results.json", replay=tmp_path / "replay.mp4"), "ada/one", "Scored")
    push(RunToPush("one", run), "ada/one", "Trained on")
    files = hub.files("ada/one")
    assert not {"results.json", "replay.mp4"} & files.keys()
    assert "model-index" not in metadata(files["README.md"])


def test_the_score_of_another_network_is_not_pushed(hub, run):
    evaluation().save(run)
    (run / "SnowballFight.onnx").write_bytes(b"trained on")
    with pytest.raises(BridgeError, match=r"about another network than .*SnowballFight.onnx.* Evaluate it again"):
        push(RunToPush("one", run), "ada/one", "Trained on")


def test_neither_links_nor_hidden_files_leave_the_machine(hub, run, tmp_path):
    (tmp_path / "secret").write_text("private")
    (run / "link").symlink_to(tmp_path / "secret")
    (run / ".cache").mkdir()
    (run / ".cache" / "note").write_text("private")
    push(RunToPush("one", run), "ada/one", "First")
    assert b"private" not in hub.files("ada/one").values()


def test_what_was_pushed_is_loaded_under_the_name_of_the_repository(hub, run, tmp_path):
    push(RunToPush("one", run), "ada/one", "First")
    folder = load("ada/one", tmp_path / "downloads")
    assert folder == tmp_path / "downloads" / "one"
    assert (folder / "SnowballFight.onnx").read_bytes() == b"a model"


@pytest.mark.parametrize(
    "call", [lambda run: push(RunToPush("one", run), "ada/one", "x"), lambda run: load("ada/one", run)]
)
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(status=401), "does not accept your token"),
        (Fault(status=403), r"does not let you write to ada/one: This failure was asked for\."),
        (Fault(status=400), r"answers with error 400"),
    ],
)
def test_a_refusal_of_the_hub_becomes_a_sentence(hub, run, call, fault, sentence):
    hub.faults.append(fault)
    with pytest.raises(BridgeError, match=sentence):
        call(run)


def test_a_token_that_may_only_read_is_refused(hub, run, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_bob")
    with pytest.raises(BridgeError, match="does not let you write to bob/one"):
        push(RunToPush("one", run), "bob/one", "First")


def test_a_repository_that_is_not_there_is_named(hub, tmp_path):
    with pytest.raises(BridgeError, match="ada/missing"):
        load("ada/missing", tmp_path)


def test_a_hub_that_is_not_running_is_named(run, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    monkeypatch.setenv("HF_TOKEN", "hf_ada")
    with pytest.raises(BridgeError, match=f"{endpoint} cannot be reached"):
        push(RunToPush("one", run), "ada/one", "First")


@pytest.mark.parametrize(
    "repo_id", ["one", "ada/", "/one", "ada/one/two", "ada/..", "../one", "ada/o ne", "ada/" + 100 * "a"]
)
def test_what_is_no_name_of_a_repository_is_refused(run, tmp_path, repo_id):
    with pytest.raises(BridgeError, match="--repo-id is"):
        push(RunToPush("one", run), repo_id, "First")
    with pytest.raises(BridgeError, match="--repo-id is"):
        load(repo_id, tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not the YAML of a configuration"),
        ("a: [", "not the YAML of a configuration"),
        ("!!python/object/apply:os.system [exit]", "not the YAML of a configuration"),
        ("a: 1", "names no behaviors"),
        ("behaviors: []", "names no behaviors"),
        ("behaviors: {../x: {trainer_type: ppo}}", "no name of one"),
        ("behaviors: {X: {}}", "which trainer_type"),
        ("behaviors: {X: {trainer_type: '**ppo**'}}", "which trainer_type"),
        ("behaviors: {X: {trainer_type: ppo}}", r"has no X\.onnx"),
        ("#" * 2**20 + "#", "more than 1,048,576 bytes"),
    ],
)
def test_a_configuration_that_is_none_is_refused(run, text, sentence):
    (run / "configuration.yaml").write_text(text)
    with pytest.raises(BridgeError, match=sentence):
        push(RunToPush("one", run), "ada/one", "First")


@pytest.mark.parametrize("name", ["missing.yaml", "../other.yaml", "/etc/hostname"])
def test_a_configuration_outside_the_run_or_missing_is_refused(run, name):
    with pytest.raises(BridgeError, match=r"cannot be read|is the name of a file in"):
        push(RunToPush("one", run, name), "ada/one", "First")


def document(**changes):
    return json.dumps({**json.loads(evaluation().to_json()), **changes})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not the result of an evaluation"),
        ("[]", "is not the result of an evaluation"),
        ("{}", "is not the result of an evaluation"),
        ("[" * 100_000, "is not the result of an evaluation"),
        (document(returns=[math.nan]), "NaN is not a number"),
        (document(returns=["inf"]), "no finite returns"),
        (document(returns=[]), "no finite returns"),
        (document(returns=[1e308, -1e308]), "is not the result|no finite returns"),
        (document(env_id="x\ny"), "no environment's id"),
        (" " * (8 * 2**20 + 1), "more than 8,388,608 bytes"),
    ],
)
def test_an_evaluation_that_is_none_is_refused(run, tmp_path, text, sentence):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(BridgeError, match=sentence):
        push(RunToPush("one", run, results=path), "ada/one", "First")


@pytest.mark.parametrize("content", [None, b"", b"<html>"])
def test_a_replay_that_is_no_video_is_refused(run, tmp_path, content):
    path = tmp_path / "replay.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BridgeError, match=r"cannot be read|is not an MP4 video"):
        push(RunToPush("one", run, replay=path), "ada/one", "First")


@needs_mlagents
def test_the_original_commands_work_with_the_present_client(hub, run, tmp_path):
    folder = mlagents_python().parent
    arguments = ("--run-id=one", f"--local-dir={run}", "--repo-id=ada/one")
    pushed = run_with_mlagents(folder / "mlagents-push-to-hf", *arguments)
    assert pushed.returncode == 0, pushed.stderr
    loaded = run_with_mlagents(folder / "mlagents-load-from-hf", "--repo-id=ada/one", f"--local-dir={tmp_path}")
    assert loaded.returncode == 0, loaded.stderr
    assert (tmp_path / "one" / "SnowballFight.onnx").read_bytes() == b"a model"
