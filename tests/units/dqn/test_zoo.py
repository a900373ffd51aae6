"""The Zoo's own programs with our DQN in their registry."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from stable_baselines3.common.save_util import load_from_zip_file

from rl_units.yaml_files import dump_yaml

UNITS = Path(__file__).resolve().parents[3] / "units"
GAME = "PongNoFrameskip-v4"
SETTINGS = {
    "env_wrapper": ["stable_baselines3.common.atari_wrappers.AtariWrapper"],
    "frame_stack": 4,
    "policy": "CnnPolicy",
    "n_envs": 2,
    "n_timesteps": 60,
    "buffer_size": 100,
    "learning_starts": 20,
    "batch_size": 4,
    "train_freq": 4,
}


def zoo(program, *flags, folder):
    command = [sys.executable, "-m", f"rl_zoo3.{program}", "--algo", "dqn", "--env", GAME, "-f", str(folder), *flags]
    paths = os.pathsep.join([str(UNITS), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zoo")
    (folder / "dqn.yml").write_text(dump_yaml({"atari": SETTINGS}))
    flags = ["--conf-file", str(folder / "dqn.yml"), "--eval-freq", "-1", "--gym-packages", "rl_units.dqn.zoo"]
    zoo("train", *flags, folder=folder)
    return folder


def test_the_zoo_trains_with_it(run):
    data, _, _ = load_from_zip_file(run / "dqn" / f"{GAME}_1" / f"{GAME}.zip", device="cpu")

    # Saved as it was given: an update for four transitions, which are two steps of the vectorised environment.
    assert (data["train_freq"].frequency, data["gradient_steps"], data["_n_updates"]) == (4, 1, 9)


@pytest.mark.parametrize("flags", [[], ["--gym-packages", "rl_units.dqn.zoo"]], ids=["without it", "with it"])
def test_the_zoo_plays_what_was_trained(flags, run):
    zoo("enjoy", "--no-render", "-n", "20", *flags, folder=run)
