"""A run that is resumed is the run that it would have been."""

import contextlib
import shutil
import signal

import gymnasium as gym
import pytest
import torch as th
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.save_util import load_from_zip_file
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecFrameStack

from rl_units.cli import main
from rl_units.dqn.preprocessing import AtariPreprocessing
from rl_units.environments import register_environments
from rl_units.training import state
from rl_units.training.checkpoint import checkpoint_folder, read_checkpoint
from rl_units.training.checkpointing import Checkpointing
from rl_units.training.environments import environment_state
from rl_units.yaml_files import dump_yaml

GAME = "BreakoutNoFrameskip-v4"
SETTINGS = {
    "env_wrapper": ["stable_baselines3.common.atari_wrappers.AtariWrapper"],
    "frame_stack": 4,
    "policy": "CnnPolicy",
    "n_timesteps": 288,
    "buffer_size": 150,
    "learning_starts": 48,
    "batch_size": 4,
    "train_freq": 4,
    "target_update_interval": 40,
    "exploration_fraction": 0.5,
}
STEPS_BETWEEN = 96


def train(folder, *flags):
    """Trains on Breakout; gives the run's folder."""
    game = ["train", "--algo", "dqn", "--env", GAME, "-f", str(folder), "--no-progress"]
    assert main([*game, "--checkpoint-freq", str(STEPS_BETWEEN), *flags]) == 0
    return folder / "dqn" / f"{GAME}_1"


def begin(folder, n_envs):
    """Trains on Breakout with one thread and with evaluations in between, which a resumed run keeps."""
    folder.mkdir(exist_ok=True)
    (folder / "dqn.yml").write_text(dump_yaml({"atari": {**SETTINGS, "n_envs": n_envs}}))
    flags = ["--num-threads", "1", "--eval-freq", "130", "--eval-episodes", "1"]
    return train(folder, "-c", str(folder / "dqn.yml"), "--seed", "3", *flags)


def checkpoint_files(folder):
    run = folder / "dqn" / f"{GAME}_1"
    return {path.name: path.read_bytes() for path in checkpoint_folder(run).iterdir()}


def change_games(folder, n_envs):
    """As somebody might who edits the run's own copy of its hyperparameters."""
    kept = folder / "dqn" / f"{GAME}_1" / GAME / "hyperparameters.yml"
    kept.write_text(dump_yaml({"atari": {**SETTINGS, "n_envs": n_envs}}))


def weights(run):
    _, parameters, _ = load_from_zip_file(run / f"{GAME}.zip", device="cpu")
    return parameters["policy"]


@pytest.mark.parametrize("n_envs", [1, 3])
def test_a_run_that_is_resumed_at_any_checkpoint_ends_with_the_same_weights(n_envs, tmp_path, monkeypatch):
    kept, save = [], Checkpointing.save

    def save_and_keep(self):
        save(self)
        kept.append(tmp_path / f"stopped-at-{self.saved_at}")
        shutil.copytree(tmp_path / "whole", kept[-1], dirs_exist_ok=True)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpointing, "save", save_and_keep)
        expected = weights(begin(tmp_path / "whole", n_envs))

    assert [folder.name for folder in kept[1:3]] == ["stopped-at-96", "stopped-at-192"]
    for folder in kept[1:3]:
        seen = weights(train(folder, "--resume"))
        assert all(th.equal(seen[name], tensor) for name, tensor in expected.items()), folder.name


def test_two_runs_with_one_seed_are_one_run(tmp_path):
    one, other = (weights(begin(tmp_path / name, 3)) for name in ("one", "other"))

    assert all(th.equal(other[name], tensor) for name, tensor in one.items())


def test_every_checkpoint_adds_a_file_of_what_is_new(tmp_path):
    run = begin(tmp_path, 3)

    checkpoint = read_checkpoint(checkpoint_folder(run))

    # A file for each interval of which the buffer still holds something.
    assert [(chunk.start, chunk.stop) for chunk in checkpoint.frames] == [(32, 64), (64, 96)]
    assert {chunk.file for chunk in checkpoint.frames} <= {path.name for path in checkpoint_folder(run).iterdir()}


def test_games_that_cannot_go_on_begin_anew_and_it_is_said(tmp_path, monkeypatch, capsys):
    run = begin(tmp_path, 3)

    def refuse(self, state):
        raise ValueError("of another version of ale-py")

    monkeypatch.setattr(AtariPreprocessing, "set_state", refuse)
    train(tmp_path, "--resume", "-n", "384")

    assert "new ones begin: of another version of ale-py" in capsys.readouterr().out
    assert read_checkpoint(checkpoint_folder(run)).num_timesteps == 384


def test_frames_that_were_edited_are_refused_and_nothing_is_overwritten(tmp_path, capsys):
    run = begin(tmp_path, 3)
    frames = checkpoint_folder(run) / read_checkpoint(checkpoint_folder(run)).frames[0].file
    with frames.open("r+b") as file:
        file.write(b"forged")
    before = checkpoint_files(tmp_path)

    code = main(["train", "--algo", "dqn", "--env", GAME, "-f", str(tmp_path), "-n", "384", "--resume"])

    assert code == 2
    assert "is damaged or was edited" in capsys.readouterr().err
    assert checkpoint_files(tmp_path) == before


def test_a_run_with_another_number_of_games_is_refused(tmp_path, capsys):
    begin(tmp_path, 3)
    game = ["train", "--algo", "dqn", "--env", GAME, "-f", str(tmp_path), "-n", "384", "--resume", "--no-progress"]

    before = checkpoint_files(tmp_path)

    change_games(tmp_path, 2)

    assert main(game) == 2

    error = capsys.readouterr().err
    assert "does not fit this run" in error
    assert "Resume with the hyperparameters that it was started with." in error
    assert checkpoint_files(tmp_path) == before


def test_a_finished_run_that_does_not_fit_keeps_its_checkpoint(tmp_path):
    run = begin(tmp_path, 3)
    (run / f"{GAME}.zip").unlink()  # as if its last save had failed, which a resumption makes up for
    before = checkpoint_files(tmp_path)
    game = ["train", "--algo", "dqn", "--env", GAME, "-f", str(tmp_path), "--resume", "--no-progress"]

    change_games(tmp_path, 2)

    assert main(game) == 2

    assert checkpoint_files(tmp_path) == before


def test_a_run_that_is_stopped_before_it_goes_on_keeps_its_model(tmp_path, monkeypatch, capsys):
    run = begin(tmp_path, 3)
    model = (run / f"{GAME}.zip").read_bytes()

    def stop(*_):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(state, "restore_environments", stop)
    game = ["train", "--algo", "dqn", "--env", GAME, "-f", str(tmp_path), "-n", "384", "--resume", "--no-progress"]

    assert main(game) == 2

    assert "Stopped at step 288. The checkpoint is of step 288." in capsys.readouterr().err
    assert (run / f"{GAME}.zip").read_bytes() == model


def test_a_run_whose_lock_cannot_be_taken_is_told_so(tmp_path, capsys):
    run = begin(tmp_path, 1)
    lock = checkpoint_folder(run) / "lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    game = ["train", "--algo", "dqn", "--env", GAME, "-f", str(tmp_path), "-n", "384", "--resume", "--no-progress"]

    assert main(game) == 2

    assert f"{lock} cannot be written" in capsys.readouterr().err


def test_a_resumed_run_keeps_its_algorithm_and_hyperparameters(tmp_path, capsys):
    begin(tmp_path, 1)
    game = ["train", "--algo", "dqn", "--env", GAME, "-f", str(tmp_path), "-n", "384", "--resume", "--no-progress"]

    for flags, kept in ((["--reference"], "algorithm"), (["-params", "n_envs:2"], "hyperparameters")):
        assert main([*game, *flags]) == 2
        assert f"keeps its {kept}" in capsys.readouterr().err


@pytest.mark.parametrize("vec_env", [DummyVecEnv, SubprocVecEnv])
@pytest.mark.parametrize(("place", "can_tell"), [("nowhere", True), ("inside", False), ("outside", False)])
def test_games_go_on_unless_a_wrapper_has_a_state_that_is_not_known(place, can_tell, vec_env):
    class Forgetful(gym.Wrapper):  # here, so that other processes get it by value
        """A wrapper with a state of its own, which nobody knows."""

    def wrapped(env):
        game = AtariPreprocessing(Forgetful(env) if place == "inside" else env)
        return Forgetful(game) if place == "outside" else game

    register_environments()
    env = VecFrameStack(make_vec_env(GAME, 2, wrapper_class=wrapped, vec_env_cls=vec_env), 4)
    with contextlib.closing(env):
        env.reset()
        assert (environment_state(env) is not None) is can_tell


@pytest.mark.skipif(not th.cuda.is_available(), reason="no CUDA device")
def test_the_games_of_a_run_on_a_gpu_go_on(tmp_path, capsys):
    begin(tmp_path, 3)
    train(tmp_path, "--resume", "-n", "384")

    assert "new ones begin" not in capsys.readouterr().out
