"""What a student and a teacher do, end to end: the course's commands, SB3's helpers and git, against a real Hub."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import HfApi, set_client_factory
from huggingface_hub.utils._http import default_client_factory

from clients.operations.downloads import BreakingConnection
from rl_units.agents import load_agent
from rl_units.cli import main
from rl_units.course import Protocol
from run_folders import ENV_ID, make_run

OBSERVATIONS = np.random.default_rng(0).normal(size=(25, 4)).astype(np.float32)
RUN = ["--algo", "dqn", "--env", ENV_ID]
# A student's script with `huggingface_sb3`, in a process of its own: the client reads HF_ENDPOINT when it is imported.
SB3_SCRIPT = """
import gymnasium as gym
import numpy as np
import torch
from huggingface_sb3 import load_from_hub, package_to_hub
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

torch.set_num_threads(1)
env_id, repo_id = "CartPole-v1", "ada/ppo-CartPole-v1"
env = DummyVecEnv([lambda: gym.make(env_id, render_mode="rgb_array")])
model = PPO("MlpPolicy", env, n_steps=64, batch_size=64, n_epochs=1, seed=0)
model.learn(64)
package_to_hub(
    model=model, model_name="ppo-CartPole-v1", model_architecture="PPO", env_id=env_id, eval_env=env, repo_id=repo_id,
    commit_message="Push", n_eval_episodes=2, video_length=20,
)
loaded = PPO.load(load_from_hub(repo_id, "ppo-CartPole-v1.zip"))
observations = np.random.default_rng(0).normal(size=(25, 4)).astype(np.float32)
actions = [each.predict(observations, deterministic=True)[0] for each in (model, loaded)]
assert np.array_equal(*actions), actions
"""


@pytest.fixture
def student(live_hub, tmp_path, monkeypatch):
    """The environment of a student's shell, who is called ada."""
    environment = {
        "HF_ENDPOINT": live_hub.endpoint,
        "HF_HOME": str(tmp_path / "home"),
        "HF_TOKEN": live_hub.user("ada"),
        "TRUST_REMOTE_CODE": "True",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


@pytest.fixture
def api(student):
    return HfApi(endpoint=student["HF_ENDPOINT"], token=student["HF_TOKEN"])


@pytest.fixture
def requests():
    """The paths that the client has asked for so far."""
    paths = []

    def client():
        made = default_client_factory()
        made.event_hooks["request"].append(lambda request: paths.append(request.url.path))
        return made

    set_client_factory(client)
    yield paths
    set_client_factory(default_client_factory)


def push(logs):
    return main(["push_to_hub", *RUN, "-f", str(logs), "--n-eval-episodes", "2", "-n", "20"])


def test_a_classmate_loads_the_agent_that_a_student_pushed(live_hub, student, tmp_path, monkeypatch):
    make_run(tmp_path / "ada", "dqn")
    assert push(tmp_path / "ada") == 0
    monkeypatch.setenv("HF_TOKEN", live_hub.user("bob", "read"))
    assert main(["load_from_hub", *RUN, "-f", str(tmp_path / "bob"), "-orga", "ada"]) == 0

    zips = [tmp_path / name / "dqn" / f"{ENV_ID}_1" / f"{ENV_ID}.zip" for name in ("ada", "bob")]
    protocol = Protocol(ENV_ID, 1, ENV_ID)

    assert np.array_equal(*(load_agent(path, protocol).act(OBSERVATIONS) for path in zips))


def test_a_teacher_finds_a_pushed_agent_with_its_score(student, api, tmp_path):
    make_run(tmp_path / "logs", "dqn")
    push(tmp_path / "logs")

    (model,) = api.list_models(filter=["reinforcement-learning", ENV_ID], expand=["cardData", "sha"])

    assert model.id == f"ada/dqn-{ENV_ID}"
    assert model.card_data.eval_results[0].metric_type == "mean_reward"


def test_huggingface_sb3_packages_an_agent_and_loads_it_again(student, api):
    finished = subprocess.run(
        [sys.executable, "-c", SB3_SCRIPT], env=os.environ | student, capture_output=True, text=True, timeout=120
    )

    assert finished.returncode == 0, finished.stderr
    model = api.model_info("ada/ppo-CartPole-v1")
    assert {"stable-baselines3", "CartPole-v1"} <= set(model.tags)
    assert {"config.json", "results.json", "ppo-CartPole-v1.zip"} <= {file.rfilename for file in model.siblings}


def test_an_unchanged_snapshot_is_asked_for_with_one_request(student, api, requests, tmp_path):
    api.create_repo("ada/agent")
    for name in ("a.txt", "b.txt"):
        api.upload_file(path_or_fileobj=name.encode(), path_in_repo=name, repo_id="ada/agent")
    first = api.snapshot_download("ada/agent", cache_dir=tmp_path / "cache")
    requests.clear()

    assert api.snapshot_download("ada/agent", cache_dir=tmp_path / "cache") == first
    assert requests == ["/api/models/ada/agent/revision/main"]


def test_a_download_goes_on_where_the_connection_broke(student, api, tmp_path):
    content = np.random.default_rng(0).bytes(30 * 2**20)
    api.create_repo("ada/agent")
    api.upload_file(path_or_fileobj=content, path_in_repo="agent.zip", repo_id="ada/agent")

    with BreakingConnection(student["HF_ENDPOINT"]) as connection:
        client = HfApi(endpoint=connection.address, token=student["HF_TOKEN"])
        path = client.hf_hub_download("ada/agent", "agent.zip", cache_dir=tmp_path / "cache")

    assert Path(path).read_bytes() == content
    assert connection.ranges


def test_git_clones_an_agent_at_the_commit_that_the_client_names(student, api, tmp_path):
    api.create_repo("ada/agent")
    api.upload_file(path_or_fileobj=b"text\n", path_in_repo="agent.txt", repo_id="ada/agent")
    clone = tmp_path / "clone"

    git("clone", "--quiet", f"{student['HF_ENDPOINT']}/ada/agent", str(clone), folder=tmp_path)

    assert git("rev-parse", "HEAD", folder=clone).strip() == api.model_info("ada/agent").sha
    assert (clone / "agent.txt").read_bytes() == b"text\n"
    assert git("status", "--porcelain", folder=clone) == ""


def git(*arguments, folder):
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(folder)}
    finished = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout
