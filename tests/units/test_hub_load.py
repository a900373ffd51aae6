"""Fetching other people's agents: ordinary ones, old ones, and hostile ones."""

import base64
import io
import json
import pickle
import zipfile

import cloudpickle
import numpy as np
import pytest
import yaml
from stable_baselines3 import DQN

from local_hub import LocalHub, User
from rl_units.agents import load_agent
from rl_units.cli import main
from rl_units.course import Protocol
from rl_units.hub import reception
from run_folders import ENV_ID, make_run

PROTOCOL = Protocol(ENV_ID, 1, ENV_ID)
OBSERVATIONS = np.random.default_rng(0).normal(size=(25, 4)).astype(np.float32)
REPOSITORY = "stranger/dqn-CartPole-v1"


class Payload:
    """Unpickling it makes the marker."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    logs = tmp_path_factory.mktemp("trained")
    make_run(logs, "dqn")
    make_run(logs, "ppo", normalize=True)
    return logs


def stock_files(trained, algo="dqn"):
    """What `rl_zoo3.push_to_hub` leaves in a repository: SB3's zip and the Zoo's own YAML."""
    run = trained / algo / f"{ENV_ID}_1"
    parameters = run / ENV_ID
    files = {
        f"{algo}-{ENV_ID}.zip": (run / f"{ENV_ID}.zip").read_bytes(),
        "config.yml": (parameters / "config.yml").read_bytes(),
        "args.yml": (parameters / "args.yml").read_bytes(),
        "env_kwargs.yml": b"{}\n",
        "train_eval_metrics.zip": zip_of({"0.monitor.csv": b"#{}\nr,l,t\n"}),
    }
    if (parameters / "vecnormalize.pkl").is_file():
        files["vec_normalize.pkl"] = (parameters / "vecnormalize.pkl").read_bytes()
    return files


def zip_of(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def members_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def stock(trained):
    return stock_files(trained)


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "marker"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with LocalHub(tmp_path / "hub", [User("reader", "hf_reader", role="read")]) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("HF_TOKEN", "hf_reader")
        yield running


@pytest.fixture
def logs(tmp_path):
    return tmp_path / "logs"


def load(logs, *flags, algo="dqn"):
    return main(["load_from_hub", "--algo", algo, "--env", ENV_ID, "-f", str(logs), "-orga", "stranger", *flags])


def run_folder(logs, algo="dqn", number=1):
    return logs / algo / f"{ENV_ID}_{number}"


@pytest.mark.parametrize("algo", ["dqn", "ppo"])
def test_an_agent_that_the_zoo_pushed_acts_the_same(hub, trained, logs, algo):
    hub.commit(f"stranger/{algo}-CartPole-v1", stock_files(trained, algo))
    assert load(logs, algo=algo) == 0
    zips = [run_folder(folder, algo) / f"{ENV_ID}.zip" for folder in (trained, logs)]
    assert np.array_equal(*(load_agent(path, PROTOCOL).act(OBSERVATIONS) for path in zips))


def test_the_zoo_reads_a_fetched_run_and_acts_the_same(hub, trained, logs):
    from rl_zoo3 import ALGOS, create_test_env, get_saved_hyperparams

    hub.commit("stranger/ppo-CartPole-v1", stock_files(trained, "ppo"))
    load(logs, algo="ppo")
    folder = run_folder(logs, "ppo")
    hyperparameters, statistics = get_saved_hyperparams(str(folder / ENV_ID), test_mode=True)
    env = create_test_env(ENV_ID, stats_path=statistics, should_render=False, hyperparams=hyperparameters)
    actions, _ = (
        ALGOS["ppo"].load(folder / f"{ENV_ID}.zip").predict(env.normalize_obs(OBSERVATIONS), deterministic=True)
    )
    env.close()
    assert np.array_equal(actions, load_agent(run_folder(trained, "ppo") / f"{ENV_ID}.zip", PROTOCOL).act(OBSERVATIONS))


def test_the_only_zip_of_another_name_is_the_agent(hub, stock, logs):
    hub.commit(REPOSITORY, {"my-model.zip": stock[f"dqn-{ENV_ID}.zip"]})
    assert load(logs) == 0


def test_a_run_says_which_commit_it_came_from(hub, stock, logs):
    commit = hub.commit(REPOSITORY, stock)
    load(logs)
    assert json.loads((run_folder(logs) / "hub.json").read_text()) == {
        "endpoint": hub.endpoint,
        "repo_id": REPOSITORY,
        "revision": "main",
        "commit": commit,
    }


def test_an_older_commit_can_be_asked_for(hub, stock, logs):
    first = hub.commit(REPOSITORY, stock)
    hub.commit(REPOSITORY, {"notes.txt": b"gone"})
    assert load(logs, "--revision", first) == 0


def test_learning_curves_come_along(hub, stock, logs):
    hub.commit(REPOSITORY, stock)
    load(logs)
    assert (run_folder(logs) / "0.monitor.csv").is_file()


def test_only_the_files_that_are_needed_are_fetched(hub, stock, logs):
    hub.commit(REPOSITORY, {**stock, "replay.mp4": b"film", "setup.py": b"code"})
    load(logs)
    assert not [path for _, path in hub.requests if path.endswith(("replay.mp4", "setup.py"))]


def test_the_cards_score_is_shown_as_a_claim(hub, stock, logs, capsys):
    from rl_units.model_card import card_metadata

    card = f"---\n{yaml.safe_dump(card_metadata('dqn', ENV_ID, 500.0, 0.0))}---\n"
    hub.commit(REPOSITORY, {**stock, "README.md": card.encode()})
    load(logs)
    assert "claims a mean return of 500.00 +/- 0.00, which nobody has verified" in capsys.readouterr().out


def test_the_next_run_gets_the_next_number(hub, stock, logs):
    hub.commit(REPOSITORY, stock)
    load(logs)
    load(logs)
    assert run_folder(logs, number=2).is_dir()


def test_an_existing_run_is_not_touched(hub, stock, logs, capsys):
    hub.commit(REPOSITORY, stock)
    run_folder(logs).mkdir(parents=True)
    (run_folder(logs) / "mine").touch()
    assert load(logs, "--exp-id", "1") == 2
    assert "Add --force to replace it" in capsys.readouterr().err
    assert (run_folder(logs) / "mine").exists()


def test_force_replaces_a_run(hub, stock, logs):
    hub.commit(REPOSITORY, stock)
    run_folder(logs).mkdir(parents=True)
    (run_folder(logs) / "mine").touch()
    assert load(logs, "--exp-id", "1", "--force") == 0
    assert not (run_folder(logs) / "mine").exists()


def test_a_refused_agent_replaces_no_run(hub, logs):
    hub.commit(REPOSITORY, {f"dqn-{ENV_ID}.zip": b"no zip"})
    run_folder(logs).mkdir(parents=True)
    (run_folder(logs) / "mine").touch()
    assert load(logs, "--exp-id", "1", "--force") == 2
    assert [path.name for path in (logs / "dqn").rglob("*")] == [f"{ENV_ID}_1", "mine"]


def test_a_folder_without_number_is_not_written(hub, stock, logs, capsys):
    assert load(logs, "--exp-id", "-1", "--force") == 2
    assert "numbered run folder" in capsys.readouterr().err


def test_code_in_the_pickles_of_a_zip_does_not_survive(hub, stock, logs, marker):
    members = members_of(stock[f"dqn-{ENV_ID}.zip"])
    data = json.loads(members["data"])
    payload = base64.b64encode(cloudpickle.dumps(Payload(marker))).decode()
    data["lr_schedule"] = {":type:": "<class 'function'>", ":serialized:": payload}
    members["data"] = json.dumps(data).encode()
    hub.commit(REPOSITORY, {f"dqn-{ENV_ID}.zip": zip_of(members)})
    assert load(logs) == 0
    DQN.load(run_folder(logs) / f"{ENV_ID}.zip")  # unpickles whatever is in the new zip
    assert not marker.exists()


def evil_weights(stock, marker):
    members = members_of(stock[f"dqn-{ENV_ID}.zip"])
    members["policy.pth"] = pickle.dumps(Payload(marker))
    return {**stock, f"dqn-{ENV_ID}.zip": zip_of(members)}


def evil_yaml(name):
    def make(stock, marker):
        return {**stock, name: f"a: !!python/object/apply:builtins.open ['{marker}', w]\n".encode()}

    return make


def evil_statistics(stock, marker):
    return {**stock, "vec_normalize.pkl": pickle.dumps(Payload(marker))}


def evil_curves(stock, marker):
    buffer = io.BytesIO()
    np.savez(buffer, results=np.array([Payload(marker)], dtype=object))
    return {**stock, "train_eval_metrics.zip": zip_of({"evaluations.npz": buffer.getvalue()})}


def foreign_wrapper(stock, _):
    return {**stock, "config.yml": b"env_wrapper: antigravity.Wrapper\n"}


HOSTILE = {
    "code in the weights": evil_weights,
    "code in config.yml": evil_yaml("config.yml"),
    "code in args.yml": evil_yaml("args.yml"),
    "code in env_kwargs.yml": evil_yaml("env_kwargs.yml"),
    "code in the statistics": evil_statistics,
    "code in the evaluations": evil_curves,
    "a wrapper of somebody's own": foreign_wrapper,
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_repository_runs_nothing_and_leaves_nothing(hub, stock, logs, marker, capsys, make):
    hub.commit(REPOSITORY, make(stock, marker))
    assert load(logs) == 2
    assert capsys.readouterr().err.strip()
    assert not marker.exists()
    assert not logs.exists()


def test_strings_that_the_zoo_would_evaluate_do_not_reach_it(hub, stock, logs, marker):
    from rl_zoo3 import get_saved_hyperparams

    code = f"dict(norm_obs=False, x=open(r'{marker}', 'w'))"
    hub.commit(REPOSITORY, {**stock, "config.yml": f'normalize: "{code}"\n'.encode()})
    assert load(logs) == 0
    get_saved_hyperparams(str(run_folder(logs) / ENV_ID))
    assert not marker.exists()


def test_an_agent_without_the_statistics_of_its_training_is_refused(hub, trained, logs, capsys):
    files = stock_files(trained, "ppo")
    del files["vec_normalize.pkl"]
    hub.commit("stranger/ppo-CartPole-v1", files)
    assert load(logs, algo="ppo") == 2
    assert "vecnormalize.pkl is missing" in capsys.readouterr().err


def test_learning_curves_that_point_elsewhere_stay_in_their_zip(hub, stock, logs, tmp_path):
    hub.commit(REPOSITORY, {**stock, "train_eval_metrics.zip": zip_of({"../../../escaped.csv": b"r,l,t\n"})})
    assert load(logs) == 0
    assert not list(tmp_path.rglob("escaped*"))


def test_a_file_that_is_too_large_is_not_downloaded(hub, stock, logs, monkeypatch, capsys):
    monkeypatch.setattr(reception, "MAX_MODEL_BYTES", 1000)
    hub.commit(REPOSITORY, stock)
    assert load(logs) == 2
    assert "more than the 1,000 that such a file can need" in capsys.readouterr().err
    assert not [path for _, path in hub.requests if "/resolve/" in path]


def test_nothing_but_the_agent_stays_on_the_disk(hub, stock, logs, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    hub.commit(REPOSITORY, stock)
    load(logs)
    assert list(temporary.iterdir()) == []
