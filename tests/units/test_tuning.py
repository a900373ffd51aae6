"""A search goes on where it was left, survives its failures, and writes hyperparameters that the Zoo trains with."""

import subprocess
import sys
import warnings

import matplotlib.image
import optuna
import pytest
import rl_zoo3
import yaml
from optuna.trial import TrialState, create_trial

from rl_units import tuning
from rl_units.cli import main
from rl_units.errors import ConfigError, StorageError, TuningError
from rl_units.runs import ALGORITHMS
from rl_units.studies import Search, count_trials, open_study, without_password
from rl_units.tuned import base_hyperparameters, best_hyperparameters, draw_study, zoo_text

ENV = "CartPole-v1"
BASE = {"n_timesteps": 200, "policy": "MlpPolicy", "learning_starts": 10, "buffer_size": 500}


def make_search(folder, **changes):
    config = folder / "base.yml"
    config.write_text(yaml.safe_dump({ENV: changes.pop("base", BASE)}))
    fields = {
        "algo": "dqn",
        "env_id": ENV,
        "config": config,
        "storage": f"sqlite:///{folder}/study.db",
        "study_name": "test",
        "n_timesteps": 100,
        "n_trials": 3,
        "eval_episodes": 1,
    }
    return Search(**{**fields, **changes})


def run_tune(folder, *flags):
    config = folder / "mine.yml"
    config.write_text(yaml.safe_dump({ENV: BASE}))
    common = ["tune", "--algo", "dqn", "--env", ENV, "-f", str(folder), "-n", "200", "--eval-episodes", "1"]
    return main([*common, "-c", str(config), *flags])


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A log folder after a search of three trials."""
    folder = tmp_path_factory.mktemp("logs")
    assert run_tune(folder, "--n-trials", "3") == 0
    return folder / "tuning" / f"dqn_{ENV}"


def finished(study):
    return [trial for trial in study.trials if trial.state.is_finished()]


def test_best_trial_is_merged_into_the_base(tuned):
    found = yaml.safe_load((tuned / "best.yml").read_text())[ENV]
    assert {key: found[key] for key in BASE} == BASE
    assert {"learning_rate", "gamma", "batch_size", "policy_kwargs"} <= set(found)


def test_zoo_trains_with_the_written_file(tuned, tmp_path):
    command = [sys.executable, "-m", "rl_zoo3.train", "--algo", "dqn", "--env", ENV, "-n", "50", "--eval-freq", "-1"]
    flags = ["-conf", str(tuned / "best.yml"), "-f", str(tmp_path)]
    subprocess.run([*command, *flags], check=True, capture_output=True, timeout=120)
    assert (tmp_path / "dqn" / f"{ENV}_1" / f"{ENV}.zip").is_file()


def test_history_is_drawn(tuned):
    assert matplotlib.image.imread(tuned / "optimization_history.png").ndim == 3


def test_search_leaves_no_run_folder(tuned):
    assert {path.name for path in tuned.parents[1].iterdir()} == {"mine.yml", "tuning"}


def test_same_command_goes_on_to_the_same_number(tmp_path):
    tuning.tune(make_search(tmp_path, n_trials=1))
    study = tuning.tune(make_search(tmp_path, n_trials=2))
    assert len(study.trials) == 2
    assert len(tuning.tune(make_search(tmp_path, n_trials=2)).trials) == 2


def test_workers_share_the_trials_exactly(tmp_path):
    study = tuning.tune(make_search(tmp_path), n_workers=2)
    assert len(finished(study)) == len(study.trials) == 3


def leave_running(search):
    """Starts a trial that nobody ends, as kill -9 leaves it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Optuna warns that nothing sends its heartbeat
        open_study(search).ask()


def test_killed_trial_does_not_count_and_does_not_block(tmp_path):
    search = make_search(tmp_path, n_trials=1)
    leave_running(search)
    study = tuning.tune(search)
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING, TrialState.COMPLETE]


def test_killed_trial_is_marked_when_its_heartbeat_has_stopped(tmp_path, monkeypatch):
    search = make_search(tmp_path)
    leave_running(search)
    monkeypatch.setattr(optuna.storages.RDBStorage, "_get_stale_trial_ids", lambda _storage, _study: [1])
    study = open_study(search)
    assert [trial.state for trial in study.trials] == [TrialState.FAIL]
    assert count_trials(study) == 0


class FakeManager:
    """The Zoo's manager with trials that do what a test says."""

    def __init__(self, outcomes):
        self.outcomes = iter(outcomes)

    def _create_sampler(self, _name):
        return optuna.samplers.RandomSampler(seed=0)

    def _create_pruner(self, _name):
        return optuna.pruners.NopPruner()

    def objective(self, trial):
        trial.suggest_float("x", 0, 1)
        outcome = next(self.outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def play_trials(monkeypatch, *outcomes):
    monkeypatch.setattr(tuning, "_manager", lambda *_arguments, **_keywords: FakeManager(outcomes))


def test_failing_and_pruned_trials_count_and_the_search_goes_on(tmp_path, monkeypatch):
    play_trials(monkeypatch, MemoryError("too big"), optuna.TrialPruned(), 7.0)
    study = tuning.tune(make_search(tmp_path))
    assert [trial.state for trial in study.trials] == [TrialState.FAIL, TrialState.PRUNED, TrialState.COMPLETE]


def test_hopeless_search_stops_early_with_the_last_error(tmp_path, monkeypatch):
    play_trials(monkeypatch, *[RuntimeError("no such game")] * 20)
    with pytest.raises(TuningError, match=r"None of the 5 trials finished.*no such game"):
        tuning.tune(make_search(tmp_path, n_trials=20))


def test_return_that_is_not_finite_fails_its_trial(tmp_path, monkeypatch):
    play_trials(monkeypatch, float("-inf"), 1.0)
    study = tuning.tune(make_search(tmp_path, n_trials=2))
    assert study.trials[0].state == TrialState.FAIL


def test_interrupted_search_keeps_its_trials(tmp_path, monkeypatch):
    play_trials(monkeypatch, 1.0, 2.0)
    search = make_search(tmp_path, n_trials=1)
    tuning.tune(search)

    def interrupt(*_arguments, **_keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(tuning, "_manager", interrupt)
    with pytest.raises(KeyboardInterrupt):
        tuning.tune(make_search(tmp_path, n_trials=2))
    assert count_trials(open_study(search)) == 1


def test_study_of_something_else_is_refused(tmp_path):
    open_study(make_search(tmp_path))
    with pytest.raises(TuningError, match="is of dqn on CartPole-v1"):
        open_study(make_search(tmp_path, algo="ppo"))


@pytest.mark.parametrize("storage", ["nonsense", "nosuchdatabase://host/db", "sqlite:////proc/nothing/study.db"])
def test_storage_that_cannot_be_opened_is_a_sentence(tmp_path, storage):
    with pytest.raises(StorageError, match="cannot be kept"):
        tuning.tune(make_search(tmp_path, storage=storage))


def test_password_of_a_storage_is_not_shown():
    assert "secret" not in without_password("postgresql://alice:secret@host/db")


def test_damaged_database_is_a_sentence(tmp_path):
    (tmp_path / "study.db").write_bytes(b"not a database, not at all" * 100)
    with pytest.raises(StorageError, match="cannot be kept"):
        tuning.tune(make_search(tmp_path))


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--algo", "dnq", "--env", ENV], "no algorithm 'dnq'"),
        (["--algo", "dqn", "--env", "CartPole-v9"], "successor is 'CartPole-v1'"),
        (["--algo", "crossq", "--env", ENV], "no search space for crossq"),
    ],
)
def test_unknown_names_are_sentences(tmp_path, capsys, flags, sentence):
    assert main(["tune", *flags, "-n", "10", "-f", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err


def test_course_values_are_the_base_of_its_games():
    base = base_hyperparameters("dqn", "SpaceInvadersNoFrameskip-v4")
    assert (base["buffer_size"], base["frame_stack"]) == (100_000, 4)


def test_python_file_is_not_run(tmp_path):
    config = tmp_path / "config.py"
    config.write_text("raise SystemExit")
    with pytest.raises(ConfigError, match=r"not a \.yml file"):
        base_hyperparameters("dqn", ENV, config)


def test_file_without_the_environment_is_a_sentence(tmp_path):
    config = tmp_path / "config.yml"
    config.write_text("Acrobot-v1: {policy: MlpPolicy}")
    with pytest.raises(ConfigError, match="has no hyperparameters for CartPole-v1"):
        base_hyperparameters("dqn", ENV, config)


@pytest.mark.parametrize("algo", sorted(set(ALGORITHMS) - {"crossq"}))
def test_every_search_space_becomes_plain_yaml(algo):
    from rl_zoo3.hyperparams_opt import HYPERPARAMS_SAMPLER

    study = optuna.create_study()
    trial = study.ask()
    HYPERPARAMS_SAMPLER[algo](trial, 1, 1, {"using_her_replay_buffer": False, "her_kwargs": {}})
    found = best_hyperparameters({}, algo, trial.params)
    assert yaml.safe_load(yaml.safe_dump(found)) == found
    assert algo in rl_zoo3.ALGOS


def test_trial_without_noise_keeps_the_base_noise():
    params = {"one_minus_gamma": 0.01, "net_arch": "small", "noise_type": None, "noise_std": 0.3}
    found = best_hyperparameters({"noise_type": "normal", "noise_std": 0.1}, "td3", params)
    assert (found["noise_type"], found["noise_std"]) == ("normal", 0.1)


def test_policy_kwargs_are_written_as_the_zoo_writes_them():
    from torch import nn

    value = {"net_arch": {"pi": [64], "vf": [64]}, "activation_fn": nn.Tanh}
    assert zoo_text(value) == "dict(net_arch=dict(pi=[64], vf=[64]), activation_fn=nn.Tanh)"


def study_of(*values):
    study = optuna.create_study(direction="maximize")
    distributions = {"x": optuna.distributions.FloatDistribution(0, 1)}
    for index, value in enumerate(values):
        study.add_trial(create_trial(params={"x": index / 10}, distributions=distributions, value=value))
    return study


def test_importances_are_drawn_where_returns_differ(tmp_path):
    draw_study(study_of(1.0, 2.0, 5.0, 3.0), tmp_path)
    assert matplotlib.image.imread(tmp_path / "param_importances.png").ndim == 3


def test_importances_that_cannot_be_told_are_explained(tmp_path):
    assert "two finished trials with different returns" in draw_study(study_of(1.0, 1.0), tmp_path)[1]
