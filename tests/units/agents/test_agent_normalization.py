"""Observations are normalised as SB3's VecNormalize normalises them, from its pickle or from JSON."""

import pickle

import numpy as np
import pytest
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

from rl_units.agents import export_onnx, load_agent, save_agent, write_vec_normalize
from rl_units.agents.normalization import NormalizationStatistics
from rl_units.agents.normalization_pickle import read_vec_normalize_pickle
from rl_units.environments import agent_spaces
from rl_units.errors import UnsafeAgentError
from units.agents.worlds import protocol_of, sample

WORLDS = {"vector": {}, "vectors": {}, "dict": {"norm_obs_keys": ["position"]}}


def trained(observations, folder, **settings):
    """A VecNormalize that has seen some steps, saved as the Zoo saves it, and a model saved beside it."""
    protocol = protocol_of(observations, "discrete")
    env = VecNormalize(make_vec_env(protocol.env_id, n_envs=2, seed=0), **WORLDS[observations], **settings)
    env.reset()
    for _ in range(20):
        env.step(np.zeros(2, dtype=int))
    env.training = False
    (folder / protocol.env_id).mkdir(parents=True)
    env.save(folder / protocol.env_id / "vecnormalize.pkl")
    policy = "MlpPolicy" if observations == "vector" else "MultiInputPolicy"
    model = PPO(policy, protocol.env_id, device="cpu", seed=0)
    model.save(folder / f"{protocol.env_id}.zip")
    return protocol, env, model


@pytest.mark.parametrize("observations", WORLDS)
def test_a_run_folder_acts_on_normalised_observations_as_sb3_does(observations, tmp_path):
    protocol, env, model = trained(observations, tmp_path)
    batch = sample(agent_spaces(protocol)[0], 25)
    agent = load_agent(tmp_path / f"{protocol.env_id}.zip", protocol)
    expected = model.predict(env.normalize_obs(batch), deterministic=True)[0]
    np.testing.assert_array_equal(agent.act(batch), expected)


@pytest.mark.parametrize("observations", WORLDS)
def test_statistics_from_the_pickle_normalise_to_the_last_bit(observations, tmp_path):
    protocol, env, _ = trained(observations, tmp_path, clip_obs=1.5, epsilon=1e-3)
    batch = sample(agent_spaces(protocol)[0], 25)
    statistics = read_vec_normalize_pickle(tmp_path / protocol.env_id / "vecnormalize.pkl")
    np.testing.assert_equal(statistics.apply(batch), env.normalize_obs(batch))


@pytest.mark.parametrize("protocol_number", [3, 4, 5])
def test_every_protocol_that_python_3_pickles_with_by_default_is_read(protocol_number, tmp_path):
    protocol, env, _ = trained("vectors", tmp_path)
    path = tmp_path / "vec_normalize.pkl"
    path.write_bytes(pickle.dumps(env, protocol_number))
    batch = sample(agent_spaces(protocol)[0], 3)
    np.testing.assert_equal(read_vec_normalize_pickle(path).apply(batch), env.normalize_obs(batch))


def test_statistics_survive_json_to_the_last_bit(tmp_path):
    protocol, _, _ = trained("vectors", tmp_path)
    statistics = read_vec_normalize_pickle(tmp_path / protocol.env_id / "vecnormalize.pkl")
    again = NormalizationStatistics.from_json(statistics.to_json().encode())
    assert again.sha256 == statistics.sha256


def test_a_normalised_agent_keeps_actions_and_hash_in_every_format(tmp_path):
    protocol, _, _ = trained("vectors", tmp_path / "run")
    batch = sample(agent_spaces(protocol)[0], 25)
    agent = load_agent(tmp_path / "run" / f"{protocol.env_id}.zip", protocol)
    save_agent(agent, tmp_path / "repository")
    again = load_agent(tmp_path / "repository", protocol)
    assert again.sha256 == agent.sha256
    np.testing.assert_array_equal(again.act(batch), agent.act(batch))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(again)).act(batch), agent.act(batch))


def test_a_normalised_onnx_agent_acts_as_the_zip(tmp_path):
    protocol, _, _ = trained("dict", tmp_path / "run")
    batch = sample(agent_spaces(protocol)[0], 25)
    agent = load_agent(tmp_path / "run" / f"{protocol.env_id}.zip", protocol)
    export_onnx(agent, tmp_path / "graph" / "agent.onnx")
    (tmp_path / "graph" / "vec_normalize.json").write_text(agent.statistics.to_json())
    np.testing.assert_array_equal(load_agent(tmp_path / "graph", protocol).act(batch), agent.act(batch))


@pytest.mark.parametrize("observations", WORLDS)
def test_a_clean_pickle_normalises_in_sb3_as_the_original(observations, tmp_path):
    protocol, env, _ = trained(observations, tmp_path)
    agent = load_agent(tmp_path / f"{protocol.env_id}.zip", protocol)
    write_vec_normalize(agent, tmp_path / "clean.pkl", protocol)
    batch = sample(agent_spaces(protocol)[0], 5)
    clean = VecNormalize.load(str(tmp_path / "clean.pkl"), make_vec_env(protocol.env_id))
    np.testing.assert_equal(clean.normalize_obs(batch), env.normalize_obs(batch))


def test_an_agent_without_statistics_leaves_no_pickle(tmp_path):
    protocol, _, _ = trained("vector", tmp_path, norm_obs=False)
    agent = load_agent(tmp_path / f"{protocol.env_id}.zip", protocol)
    write_vec_normalize(agent, tmp_path / "clean.pkl", protocol)
    assert not (tmp_path / "clean.pkl").exists()


def test_statistics_change_the_hash(tmp_path):
    protocol, _, _ = trained("vector", tmp_path)
    normalized = load_agent(tmp_path / f"{protocol.env_id}.zip", protocol)
    (tmp_path / protocol.env_id / "vecnormalize.pkl").unlink()
    assert load_agent(tmp_path / f"{protocol.env_id}.zip", protocol).sha256 != normalized.sha256


def test_json_is_preferred_over_the_pickle(tmp_path):
    protocol, _, _ = trained("vector", tmp_path)
    agent = load_agent(tmp_path / f"{protocol.env_id}.zip", protocol)
    (tmp_path / "vec_normalize.json").write_text(agent.statistics.to_json())
    (tmp_path / "vec_normalize.pkl").write_bytes(b"never read")
    assert load_agent(tmp_path / f"{protocol.env_id}.zip", protocol).sha256 == agent.sha256


def test_a_run_that_normalised_rewards_only_acts_on_plain_observations(tmp_path):
    protocol, _, model = trained("vector", tmp_path, norm_obs=False)
    batch = sample(agent_spaces(protocol)[0], 5)
    agent = load_agent(tmp_path / f"{protocol.env_id}.zip", protocol)
    np.testing.assert_array_equal(agent.act(batch), model.predict(batch, deterministic=True)[0])


@pytest.mark.parametrize("model", ["Alias-v0.zip", "best_model.zip"])
def test_a_run_of_an_alias_finds_its_statistics_under_its_own_name(model, tmp_path):
    protocol, _, _ = trained("vector", tmp_path)
    expected = load_agent(tmp_path / f"{protocol.env_id}.zip", protocol).sha256
    run = tmp_path / "Alias-v0_3"
    run.mkdir()
    (tmp_path / f"{protocol.env_id}.zip").rename(run / model)
    (tmp_path / protocol.env_id).rename(run / "Alias-v0")
    assert load_agent(run / model, protocol).sha256 == expected


def test_leftovers_of_killed_writes_are_no_agents(tmp_path):
    protocol, _, _ = trained("vector", tmp_path)
    (tmp_path / ".best_model-123-0.zip").touch()
    assert load_agent(tmp_path, protocol).algo == "ppo"


def test_statistics_of_images_are_refused(tmp_path):
    protocol = protocol_of("image", "discrete")
    DQN("CnnPolicy", protocol.env_id, buffer_size=1, device="cpu").save(tmp_path / "model.zip")
    shape = agent_spaces(protocol)[0].shape
    statistics = NormalizationStatistics({"": np.zeros(shape)}, {"": np.ones(shape)}, 1e-8, 10.0)
    (tmp_path / "vec_normalize.json").write_text(statistics.to_json())
    with pytest.raises(UnsafeAgentError, match="images are not supported"):
        load_agent(tmp_path / "model.zip", protocol)
