"""Which DQN `train` takes, and keeps when a run is resumed."""

import pytest

from rl_units.cli import main
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
