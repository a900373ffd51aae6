"""Which DQN `train` takes, and keeps when a run is resumed."""

import pytest
from rl_zoo3.hyperparams_opt import HYPERPARAMS_SAMPLER

from rl_units.cli import main
from rl_units.dqn.settings import with_our_preprocessing
from rl_units.training.checkpoint import checkpoint_folder, read_checkpoint
from rl_units.yaml_files import dump_yaml

SETTINGS = {
    "env_wrapper": ["stable_baselines3.common.atari_wrappers.AtariWrapper"],
    "frame_stack": 4,
    "policy": "CnnPolicy",
    "n_timesteps": 64,
    "buffer_size": 100,
    "learning_starts": 20,
    "batch_size": 4,
}


@pytest.mark.parametrize(("flags", "model"), [([], "FastDQN"), (["--reference"], "DQN")])
def test_a_run_on_atari_is_trained_and_resumed_by_the_chosen_dqn(flags, model, tmp_path):
    game = ["train", "--algo", "dqn", "--env", "PongNoFrameskip-v4", "-f", str(tmp_path), "--no-progress"]
    (tmp_path / "dqn.yml").write_text(dump_yaml({"atari": SETTINGS}))

    assert main([*game, "-c", str(tmp_path / "dqn.yml"), "--eval-freq", "-1", *flags]) == 0
    assert main([*game, "-n", "144", "--resume"]) == 0

    checkpoint = read_checkpoint(checkpoint_folder(tmp_path / "dqn" / "PongNoFrameskip-v4_1"))
    assert (checkpoint.model, checkpoint.num_timesteps) == (model, 144)


def test_other_games_are_played_by_the_dqn_of_stable_baselines(tmp_path):
    game = ["train", "--algo", "dqn", "--env", "CartPole-v1", "-f", str(tmp_path), "--no-progress"]

    assert main([*game, "-n", "60", "--eval-freq", "-1"]) == 0

    assert read_checkpoint(checkpoint_folder(tmp_path / "dqn" / "CartPole-v1_1")).model == "DQN"


def pong(folder, settings, *flags):
    (folder / "dqn.yml").write_text(dump_yaml({"atari": {**SETTINGS, **settings}}))
    command = ["train", "--algo", "dqn", "--env", "PongNoFrameskip-v4", "-f", str(folder), "--no-progress"]
    return main([*command, "-c", str(folder / "dqn.yml"), "--eval-freq", "-1", *flags])


def test_updates_after_episodes_are_made_with_one_game(tmp_path):
    assert pong(tmp_path, {"train_freq": [1, "episode"], "learning_starts": 10**6}) == 0

    checkpoint = read_checkpoint(checkpoint_folder(tmp_path / "dqn" / "PongNoFrameskip-v4_1"))
    assert checkpoint.model == "FastDQN"
    assert checkpoint.env_steps == checkpoint.num_timesteps


def test_actions_that_are_repeated_at_random_are_for_the_wrapper_of_stable_baselines():
    theirs = "stable_baselines3.common.atari_wrappers.AtariWrapper"
    sticky = {theirs: {"action_repeat_probability": 0.25}}

    assert with_our_preprocessing([sticky]) == [sticky]
    assert with_our_preprocessing([{theirs: {"noop_max": 5}}]) != [{theirs: {"noop_max": 5}}]


def test_the_search_of_the_zoo_tries_it_and_keeps_no_frames(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {"buffer_size": 100, "learning_starts": 20, "batch_size": 4, "train_freq": 4, "gradient_steps": 1}
    monkeypatch.setitem(
        HYPERPARAMS_SAMPLER, "dqn", lambda trial, *_: settings | {"gamma": trial.suggest_float("gamma", 0.9, 0.99)}
    )
    search = ["-optimize", "--n-trials", "2", "--n-evaluations", "1", "--eval-episodes", "1", "--n-startup-trials", "2"]

    assert pong(tmp_path, {}, "-n", "30", *search) == 0

    assert list(tmp_path.rglob("*.frames")) == []
    assert len(list(tmp_path.rglob("report_*.csv"))) == 1
