"""Pushing to a Hub with the real client, and fetching what was pushed."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml

from local_hub import Fault, LocalHub, User
from rl_units.agents import load_agent
from rl_units.cli import main
from rl_units.course import Protocol
from rl_units.errors import VideoError
from rl_units.hub import repository
from run_folders import ENV_ID, make_run

PROTOCOL = Protocol(ENV_ID, 1, ENV_ID)
OBSERVATIONS = np.random.default_rng(0).normal(size=(25, 4)).astype(np.float32)
TOKEN = "hf_secretsecret"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    logs = tmp_path_factory.mktemp("trained")
    make_run(logs, "dqn")
    make_run(logs, "ppo", normalize=True)
    return logs


@pytest.fixture
def logs(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "logs")
    return tmp_path / "logs"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    users = [User("alice", TOKEN, orgs={"school": "write"})]
    with LocalHub(tmp_path / "hub", users) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield running


@pytest.fixture
def evaluations(monkeypatch):
    """The agents that have been evaluated so far, by their hash."""
    found = []

    def count(agent, *arguments, **options):
        found.append(agent.sha256)
        return evaluate(agent, *arguments, **options)

    evaluate = repository.evaluate
    monkeypatch.setattr(repository, "evaluate", count)
    return found


@pytest.fixture
def no_waiting(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)


def push(logs, *flags, algo="dqn", render=("--no-render",)):
    return main(
        ["push_to_hub", "--algo", algo, "--env", ENV_ID, "-f", str(logs), "--n-eval-episodes", "2", *render, *flags]
    )


def load(folder, *flags, algo="dqn", organization="alice"):
    return main(["load_from_hub", "--algo", algo, "--env", ENV_ID, "-f", str(folder), "-orga", organization, *flags])


@pytest.mark.parametrize("algo", ["dqn", "ppo"])
def test_a_fetched_agent_acts_as_the_pushed_one(hub, logs, tmp_path, algo):
    assert push(logs, algo=algo) == 0
    assert load(tmp_path / "fetched", algo=algo) == 0
    run = f"{algo}/{ENV_ID}_1/{ENV_ID}.zip"
    actions = [load_agent(folder / run, PROTOCOL).act(OBSERVATIONS) for folder in (logs, tmp_path / "fetched")]
    assert np.array_equal(*actions)


def test_a_push_writes_the_files_of_an_agent_repository(hub, logs):
    push(logs, "-n", "5", algo="ppo", render=())
    assert sorted(hub.files("alice/ppo-CartPole-v1")) == [
        "README.md",
        "agent.json",
        "agent.safetensors",
        "args.yml",
        "config.yml",
        "env_kwargs.yml",
        "ppo-CartPole-v1.zip",
        "replay.mp4",
        "results.json",
        "train_eval_metrics.zip",
        "vec_normalize.json",
        "vec_normalize.pkl",
    ]


def test_the_students_zip_is_pushed_byte_for_byte(hub, logs):
    push(logs)
    zip_file = logs / "dqn" / f"{ENV_ID}_1" / f"{ENV_ID}.zip"
    assert hub.files("alice/dqn-CartPole-v1")["dqn-CartPole-v1.zip"] == zip_file.read_bytes()


@pytest.mark.parametrize("name", ["config.yml", "args.yml", "env_kwargs.yml"])
def test_the_pushed_configuration_is_plain_yaml(hub, logs, name):
    push(logs)
    assert isinstance(yaml.safe_load(hub.files("alice/dqn-CartPole-v1")[name]), dict)


def test_a_push_is_one_commit(hub, logs):
    push(logs)
    assert len(hub.commits("alice/dqn-CartPole-v1")) == 2  # the Hub's own initial one, and ours


def test_an_organisation_takes_a_push(hub, logs):
    push(logs, "-orga", "school", "--repo-name", "best")
    assert "dqn-CartPole-v1.zip" in hub.files("school/best")


def test_the_output_names_score_files_and_address(hub, logs, capsys):
    push(logs)
    output = capsys.readouterr().out
    assert all(word in output for word in ("Score (mean - std):", "agent.safetensors", f"{hub.endpoint}/alice/dqn-"))


def test_the_token_is_never_shown(hub, logs, capsys):
    hub.faults.append(Fault("/commit/", status=403, message=f"No write access for {TOKEN}"))
    push(logs)
    output = "".join(capsys.readouterr())
    assert "<token>" in output
    assert TOKEN not in output


def test_a_namespace_in_the_repository_name_is_refused(hub, logs, capsys):
    assert push(logs, "--repo-name", "alice/best") == 2
    assert "-orga alice --repo-name best" in capsys.readouterr().err


def test_an_unchanged_agent_is_neither_evaluated_nor_committed_again(hub, logs, evaluations):
    push(logs)
    push(logs)
    assert len(evaluations) == 1
    assert len(hub.commits("alice/dqn-CartPole-v1")) == 2


def test_a_push_that_broke_off_is_finished_by_repeating_it(hub, logs, evaluations, no_waiting, capsys):
    hub.faults.append(Fault("/preupload/"))
    assert push(logs) == 2
    assert "run the same command again" in capsys.readouterr().err
    hub.faults.clear()
    assert push(logs) == 0
    assert "agent.json" in hub.files("alice/dqn-CartPole-v1")
    assert len(evaluations) == 1


def test_a_hub_that_stumbles_is_asked_again(hub, logs, no_waiting, capsys):
    hub.faults.append(Fault("whoami", status=503, times=2))
    assert push(logs) == 0
    assert "answers with error 503; trying again in" in capsys.readouterr().out


def test_changed_weights_are_evaluated_again(hub, logs, tmp_path, evaluations):
    push(logs)
    other = make_run(tmp_path / "other", "dqn", seed=1)
    shutil.copy(other / f"{ENV_ID}.zip", logs / "dqn" / f"{ENV_ID}_1" / f"{ENV_ID}.zip")
    push(logs)
    assert len(set(evaluations)) == 2


def test_another_number_of_episodes_is_evaluated_again(hub, logs, evaluations):
    push(logs)
    push(logs, "--n-eval-episodes", "3")
    assert len(evaluations) == 2


@pytest.mark.parametrize("flags", [("-n", "4"), ("--seed", "1")])
def test_another_length_or_seed_is_recorded_again(logs, tmp_path, capsys, flags):
    for more in ((), (), flags):
        push(logs, "--to-folder", str(tmp_path / "built"), "-n", "3", *more, render=())
    assert capsys.readouterr().out.count("Recording replay.mp4") == 2


@pytest.mark.parametrize("field", [{"max_steps": 0}, {"max_steps": 10**6}, {"seed": -1}])
def test_a_replay_that_cannot_be_recorded_is_refused_before_evaluating(field):
    with pytest.raises(VideoError):
        repository.Replay(**field)


def test_another_agents_replay_does_not_stay_in_the_repository(hub, logs):
    hub.commit("alice/dqn-CartPole-v1", {"replay.mp4": b"of another agent", "notes.txt": b"mine"})
    push(logs)
    files = hub.files("alice/dqn-CartPole-v1")
    assert ("replay.mp4" in files, "notes.txt" in files) == (False, True)


def test_a_folder_is_built_without_hub_and_token(logs, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    assert push(logs, "--to-folder", str(tmp_path / "built"), algo="ppo") == 0
    original = load_agent(logs / "ppo" / f"{ENV_ID}_1" / f"{ENV_ID}.zip", PROTOCOL)
    assert load_agent(tmp_path / "built", PROTOCOL).sha256 == original.sha256


def test_a_folder_that_cannot_be_made_is_said_before_evaluating(logs, tmp_path, evaluations, capsys):
    (tmp_path / "file").touch()
    assert push(logs, "--to-folder", str(tmp_path / "file" / "built")) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert not evaluations


def test_the_commands_work_as_processes_of_their_own(hub, logs, tmp_path):
    command = [sys.executable, "-m", "rl_units"]
    flags = ["--algo", "dqn", "--env", ENV_ID]
    pushing = ["push_to_hub", *flags, "-f", str(logs), "--no-render", "--n-eval-episodes", "1"]
    loading = ["load_from_hub", *flags, "-f", str(tmp_path / "fetched"), "-orga", "alice"]
    for arguments in (pushing, loading):
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "fetched" / "dqn" / f"{ENV_ID}_1" / f"{ENV_ID}.zip").is_file()
