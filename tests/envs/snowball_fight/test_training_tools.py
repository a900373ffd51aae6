"""Snowball Fight in the hands of SB3, the RL Zoo and our own commands."""

import csv
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

import snowball_fight

gym.register_envs(snowball_fight)

GAME = "SnowballFight-v0"
RUN = ["--algo", "ppo", "--env", GAME, "-f", "logs"]
HYPERPARAMETERS = f"""
{GAME}:
  n_envs: 2
  n_timesteps: 2000
  policy: MlpPolicy
  n_steps: 64
  batch_size: 64
  env_kwargs:
    opponent: still
"""


def call(module, *arguments, folder):
    finished = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)], cwd=folder, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ppo.yml").write_text(HYPERPARAMETERS)
    return tmp_path


@pytest.fixture(scope="module")
def zoos_run(tmp_path_factory):
    """A short run of the Zoo, which finds the game by itself."""
    folder = tmp_path_factory.mktemp("zoo")
    (folder / "ppo.yml").write_text(HYPERPARAMETERS)
    call("rl_zoo3.train", *RUN, "-c", "ppo.yml", "-n", 256, "--eval-freq", -1, folder=folder)
    return folder


def test_sb3s_workers_play_what_one_process_plays():
    env_id = f"snowball_fight:{GAME}"  # a fresh worker has to import what registers the id
    workers = make_vec_env(env_id, 2, seed=3, vec_env_cls=SubprocVecEnv)
    alone = make_vec_env(env_id, 2, seed=3, vec_env_cls=DummyVecEnv)
    np.testing.assert_array_equal(workers.reset(), alone.reset())
    for _ in range(10):
        actions = np.array([[1, 1, 0, 1], [2, 0, 1, 0]])
        np.testing.assert_array_equal(workers.step(actions)[0], alone.step(actions)[0])
    workers.close()


def test_sb3s_monitor_logs_hits_and_who_won(tmp_path):
    env = make_vec_env(
        GAME, 1, monitor_dir=str(tmp_path), monitor_kwargs={"info_keywords": ("hits", "opponent_hits", "won")}
    )
    PPO("MlpPolicy", env, n_steps=64, batch_size=64, n_epochs=1, device="cpu").learn(640)
    env.close()
    with (tmp_path / "0.monitor.csv").open() as file:
        next(file)
        rows = list(csv.DictReader(file))
    assert rows
    assert {row["won"] for row in rows} <= {"True", "False", ""}
    assert all(0 <= int(row["hits"]) <= 3 for row in rows)


@pytest.mark.slow
def test_the_zoo_trains_without_being_told_of_the_package(zoos_run):
    assert (zoos_run / "logs" / "ppo" / f"{GAME}_1" / f"{GAME}.zip").is_file()


@pytest.mark.slow
def test_the_zoo_trains_when_told_of_the_package(folder):
    call("rl_zoo3.train", *RUN, "-c", "ppo.yml", "-n", 256, "--gym-packages", "snowball_fight", folder=folder)
    assert (folder / "logs" / "ppo" / f"{GAME}_1" / f"{GAME}.zip").is_file()


@pytest.mark.slow
def test_the_zoo_plays_and_films_its_run(zoos_run):
    call("rl_zoo3.enjoy", *RUN, "-n", 100, "--no-render", folder=zoos_run)
    call("rl_zoo3.record_video", *RUN, "-n", 20, folder=zoos_run)
    assert list((zoos_run / "logs").rglob("*.mp4"))


@pytest.mark.slow
def test_our_commands_evaluate_play_and_film_the_zoos_run(zoos_run):
    assert "Mean reward" in call("rl_units", "evaluate", *RUN, "--n-eval-episodes", 4, folder=zoos_run)
    call("rl_units", "enjoy", *RUN, "-n", 100, "--no-render", folder=zoos_run)
    call("rl_units", "record_video", *RUN, "-n", 20, folder=zoos_run)
    assert list((zoos_run / "logs").rglob("*-seed-0.mp4"))


@pytest.mark.slow
def test_our_own_command_trains(folder):
    call("rl_units", "train", *RUN, "-c", "ppo.yml", "-n", 256, "--eval-freq", -1, "--no-progress", folder=folder)
    assert (folder / "logs" / "ppo" / f"{GAME}_1" / f"{GAME}.zip").is_file()
