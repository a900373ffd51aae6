"""FastDQN beside SB3's DQN."""

import numpy as np
import pytest
import torch as th
from stable_baselines3 import DQN
from stable_baselines3.common.env_util import make_atari_env
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecFrameStack

from rl_units.dqn import algorithm
from rl_units.dqn.algorithm import FastDQN
from rl_units.dqn.frame_replay import FrameReplayBuffer
from rl_units.environments import register_environments

SETTINGS = {"buffer_size": 400, "learning_starts": 40, "batch_size": 8, "train_freq": 4, "seed": 1, "device": "cpu"}


@pytest.fixture(scope="module", autouse=True)
def _atari():
    register_environments()


def game(n_envs):
    return VecFrameStack(make_atari_env("PongNoFrameskip-v4", n_envs=n_envs, seed=1), 4)


def gradients(model):
    return [parameter.grad.clone() for parameter in model.q_net.parameters()]


def test_one_environment_plays_and_learns_as_in_stable_baselines():
    ours, theirs = (cls("CnnPolicy", game(1), **SETTINGS).learn(60) for cls in (FastDQN, DQN))

    assert type(ours.replay_buffer) is FrameReplayBuffer
    np.testing.assert_array_equal(ours.replay_buffer.actions[:60], theirs.replay_buffer.actions[:60])
    for mine, its in zip(ours.q_net.parameters(), theirs.q_net.parameters(), strict=True):
        th.testing.assert_close(mine, its, rtol=1e-3, atol=1e-5)


def test_the_same_batch_gives_the_same_loss_and_gradients():
    ours, theirs = (cls("CnnPolicy", game(1), **SETTINGS) for cls in (FastDQN, DQN))
    ours.learn(40)
    theirs.set_parameters(ours.get_parameters())
    theirs.replay_buffer = ours.replay_buffer
    losses = []
    for model in (ours, theirs):
        model.set_logger(configure(None, []))
        model._current_progress_remaining = 1.0
        np.random.seed(5)  # noqa: NPY002 # buffers draw with it
        model.train(1, 32)
        losses.append(model.logger.name_to_value["train/loss"])

    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for mine, its in zip(gradients(ours), gradients(theirs), strict=True):
        th.testing.assert_close(mine, its, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("n_envs", "frequency", "updates"), [(1, 4, 1), (2, 2, 1), (4, 1, 1), (6, 2, 3), (8, 1, 2)])
def test_there_is_an_update_for_every_four_transitions(n_envs, frequency, updates):
    model = FastDQN("CnnPolicy", game(n_envs), **SETTINGS)

    assert (model.train_freq.frequency, model.gradient_steps) == (frequency, updates)


def test_a_frequency_in_steps_counts_transitions_and_one_in_episodes_is_left_alone():
    settings = {**SETTINGS, "train_freq": (4, "step")}
    model = FastDQN("CnnPolicy", game(8), **settings)
    alone = FastDQN("CnnPolicy", game(1), **settings | {"train_freq": (2, "episode")})

    assert (model.train_freq.frequency, model.gradient_steps) == (1, 2)
    assert (alone.train_freq.frequency, alone.train_freq.unit.value, alone.gradient_steps) == (2, "episode", 1)


@pytest.mark.parametrize(("before", "after", "frequency", "updates"), [(8, 1, 4, 1), (1, 8, 1, 2)])
def test_a_saved_model_keeps_its_replay_ratio_with_another_number_of_environments(
    before, after, frequency, updates, tmp_path
):
    FastDQN("CnnPolicy", game(before), **SETTINGS).save(tmp_path / "model.zip")

    loaded = FastDQN.load(tmp_path / "model.zip", env=game(after), device="cpu")
    theirs = DQN.load(tmp_path / "model.zip", env=game(1), device="cpu")

    assert (loaded.train_freq.frequency, loaded.gradient_steps) == (frequency, updates)
    assert (theirs.train_freq.frequency, theirs.gradient_steps) == (4, 1)


def test_a_model_that_gets_its_environments_later_keeps_its_replay_ratio(tmp_path):
    FastDQN("CnnPolicy", game(8), **SETTINGS).save(tmp_path / "model.zip")

    loaded = FastDQN.load(tmp_path / "model.zip", device="cpu", buffer_size=10)
    loaded.set_env(game(8))

    assert (loaded.train_freq.frequency, loaded.gradient_steps) == (1, 2)


def test_what_somebody_asks_of_the_replay_buffer_is_kept():
    model = FastDQN("CnnPolicy", game(1), replay_buffer_kwargs={"handle_timeout_termination": False}, **SETTINGS)

    assert type(model.replay_buffer) is FrameReplayBuffer
    assert model.replay_buffer.handle_timeout_termination is False


def test_saving_changes_nothing_in_the_model(tmp_path):
    model = FastDQN("CnnPolicy", game(8), **SETTINGS)

    model.save(tmp_path / "model.zip")

    assert (model.train_freq.frequency, model.gradient_steps) == (1, 2)


def test_every_environment_tosses_a_coin_of_its_own():
    model = FastDQN("CnnPolicy", game(8), **SETTINGS)
    model.exploration_rate = 0.5
    observation = model.env.reset()
    greedy, _ = model.predict(observation, deterministic=True)

    kept = np.array([model.predict(observation)[0] == greedy for _ in range(60)])

    assert 0.4 < kept.mean() < 0.75
    assert kept.all(axis=1).sum() < 10


def test_a_single_observation_gets_a_single_action():
    model = FastDQN("CnnPolicy", game(1), **SETTINGS)
    model.exploration_rate = 0.5

    assert {np.shape(model.predict(model.env.reset()[0])[0]) for _ in range(8)} == {()}


def test_stable_baselines_loads_what_it_saves(tmp_path):
    model = FastDQN("CnnPolicy", game(1), **SETTINGS)
    model.learn(60)
    model.save(tmp_path / "model.zip")

    loaded = DQN.load(tmp_path / "model.zip", device="cpu", buffer_size=10)

    observation = model.env.reset()
    expected, _ = model.predict(observation, deterministic=True)
    np.testing.assert_array_equal(loaded.predict(observation, deterministic=True)[0], expected)
    assert loaded.gradient_steps == 1


def test_its_weights_are_saved_as_plain_tensors():
    model = FastDQN("CnnPolicy", game(1), **SETTINGS)

    # Loaders that trust nobody refuse every other layout.
    assert all(tensor.is_contiguous() for tensor in model.get_parameters()["policy"].values())


def test_its_own_saved_model_goes_on(tmp_path):
    model = FastDQN("CnnPolicy", game(2), **SETTINGS)
    model.learn(60)
    model.save(tmp_path / "model.zip")

    loaded = FastDQN.load(tmp_path / "model.zip", env=game(2), device="cpu")
    loaded.learn(60, reset_num_timesteps=False)

    assert (loaded.train_freq.frequency, loaded.gradient_steps) == (2, 1)
    assert loaded.num_timesteps == 120


def test_a_loaded_model_keeps_the_replay_ratio_and_its_frames_where_it_is_told(tmp_path):
    FastDQN("CnnPolicy", game(1), **SETTINGS).save(tmp_path / "model.zip")

    settings = {"train_freq": 4, "gradient_steps": 1, "frames_folder": tmp_path / "frames"}
    loaded = FastDQN.load(tmp_path / "model.zip", env=game(8), device="cpu", **settings)
    loaded.learn(80)

    assert (loaded.train_freq.frequency, loaded.gradient_steps) == (1, 2)
    assert list((tmp_path / "frames").iterdir())


def test_frames_in_files_are_not_saved_a_second_time(tmp_path, capsys):
    model = FastDQN("CnnPolicy", game(1), frames_folder=tmp_path / "frames", **SETTINGS)

    model.save_replay_buffer(tmp_path / "replay_buffer")

    assert "--resume" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_precisions_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="precision is one of float32, tf32, bf16"):
        FastDQN("CnnPolicy", game(1), precision="float16", **SETTINGS)


def test_updates_that_fit_no_graph_are_made_one_by_one_and_it_is_said_once(monkeypatch, capsys):
    class Refusing:
        def __init__(self, *_):
            raise RuntimeError("it waits for the GPU")

    monkeypatch.setattr(algorithm, "graphed_buffer", lambda model: model.replay_buffer)
    monkeypatch.setattr(algorithm, "GraphedUpdates", Refusing)

    model = FastDQN("CnnPolicy", game(1), **SETTINGS).learn(60)

    assert model._n_updates == 5
    assert capsys.readouterr().out.count("one by one, because they cannot be put into a CUDA graph: it waits") == 1
