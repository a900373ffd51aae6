"""Agents saved by SB3 load without unpickling and act as SB3's own loader lets them act."""

import contextlib
import pickle

import cloudpickle
import numpy as np
import pytest
import torch as th

from rl_units.agents import export_onnx, load_agent, save_agent, write_sb3_zip
from rl_units.environments import agent_spaces
from units.agents.cases import ALGORITHMS, CASES
from units.agents.hostile import rebuilt_zip
from units.agents.table import README, with_table
from units.agents.worlds import sample

BY_NAME = {case.name: case for case in CASES}
every_case = pytest.mark.parametrize("case", CASES, ids=list(BY_NAME))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """SB3's zip of a case, its observations, and the actions of SB3's own loader for each of them alone."""
    made = {}

    def get(case):
        if case.name not in made:
            path = tmp_path_factory.mktemp("agent") / "model.zip"
            case.save(path)
            observations = sample(agent_spaces(case.protocol)[0], 25)
            made[case.name] = (path, observations, stock_actions(case, path, observations))
        return made[case.name]

    return get


def stock_actions(case, path, observations):
    model = ALGORITHMS[case.algo].load(
        path, device="cpu", **({} if case.algo in ("ppo", "a2c") else {"buffer_size": 1})
    )
    return np.stack([model.predict(one, deterministic=True)[0] for one in unbatched(observations)])


def unbatched(observations):
    if isinstance(observations, dict):
        return [dict(zip(observations, one, strict=True)) for one in zip(*observations.values(), strict=True)]
    return list(observations)


@contextlib.contextmanager
def no_unpickling():
    def refuse(*_args, **_kwargs):
        raise AssertionError("something was unpickled")

    with pytest.MonkeyPatch.context() as patch:
        for module in (pickle, cloudpickle):
            patch.setattr(module, "loads", refuse)
            patch.setattr(module, "load", refuse)
        yield


@every_case
def test_loads_without_unpickling_and_acts_as_sb3s_own_loader(case, saved):
    path, observations, expected = saved(case)
    with no_unpickling():
        agent = load_agent(path, case.protocol)
    assert agent.algo == case.algo
    np.testing.assert_array_equal(agent.act(observations), expected)


@every_case
def test_safetensors_and_a_clean_zip_keep_actions_and_hash(case, saved, tmp_path):
    path, observations, expected = saved(case)
    agent = load_agent(path, case.protocol)
    save_agent(agent, tmp_path / "repository")
    again = load_agent(tmp_path / "repository", case.protocol)
    write_sb3_zip(again, tmp_path / "clean.zip", case.protocol)
    assert again.sha256 == agent.sha256 == load_agent(tmp_path / "clean.zip", case.protocol).sha256
    np.testing.assert_array_equal(again.act(observations), expected)
    np.testing.assert_array_equal(stock_actions(case, tmp_path / "clean.zip", observations), expected)


@pytest.mark.parametrize(
    "name",
    [
        "dqn, CnnPolicy, default",
        "qrdqn, MlpPolicy, custom",
        "ppo, MultiInputPolicy, default",
        "a2c, MlpPolicy, gSDE",
        "ppo, MlpPolicy, MultiDiscrete actions",
        "ppo, MlpPolicy, gSDE, squashed",
        "sac, MlpPolicy, custom",
        "td3, CnnPolicy, custom",
    ],
)
def test_onnx_acts_as_the_zip(name, saved, tmp_path):
    path, observations, expected = saved(BY_NAME[name])
    export_onnx(load_agent(path, BY_NAME[name].protocol), tmp_path / "agent.onnx")
    agent = load_agent(tmp_path, BY_NAME[name].protocol)
    assert agent.algo == BY_NAME[name].algo
    np.testing.assert_allclose(agent.act(observations), expected, atol=1e-5)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(agent)).act(observations), agent.act(observations))


@pytest.mark.parametrize("name", ["dqn, CnnPolicy, default", "ppo, MlpPolicy, gSDE, squashed"])
def test_an_agent_goes_through_pickle_to_a_worker(name, saved):
    path, observations, expected = saved(BY_NAME[name])
    agent = load_agent(path, BY_NAME[name].protocol)
    agent.act(observations)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(agent)).act(observations), expected)


def test_loading_and_acting_leave_the_random_generators_alone(saved):
    case = BY_NAME["ppo, CnnPolicy, default"]
    path, observations, _ = saved(case)
    before = th.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 # the global generator is the point
    load_agent(path, case.protocol).act(observations)
    assert th.equal(th.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_a_clean_zip_of_dqn_explores_little_when_it_plays_stochastically(saved, tmp_path):
    case = BY_NAME["dqn, MlpPolicy, default"]
    write_sb3_zip(load_agent(saved(case)[0], case.protocol), tmp_path / "clean.zip", case.protocol)
    assert ALGORITHMS["dqn"].load(tmp_path / "clean.zip").exploration_rate == 0.01


def test_weights_that_ppo_saved_before_extractors_were_shared_by_name_still_load(saved, tmp_path):
    case = BY_NAME["ppo, CnnPolicy, default"]
    path, observations, expected = saved(case)

    def older(weights):
        return {name: value for name, value in weights.items() if not name.startswith(("pi_", "vf_"))}

    agent = load_agent(rebuilt_zip(path, tmp_path / "old.zip", weights=older), case.protocol)
    np.testing.assert_array_equal(agent.act(observations), expected)


def test_a_net_arch_as_sb3_wrote_it_before_1_8_still_loads(saved, tmp_path):
    case = BY_NAME["ppo, MlpPolicy, custom"]
    path, observations, expected = saved(case)

    def older(data):
        kwargs = data["policy_kwargs"]
        return {**data, "policy_kwargs": {**kwargs, "net_arch": [kwargs["net_arch"]]}}

    agent = load_agent(rebuilt_zip(path, tmp_path / "old.zip", data=older), case.protocol)
    np.testing.assert_array_equal(agent.act(observations), expected)


def test_a_folder_with_a_zip_alone_is_a_repository(saved, tmp_path):
    case = BY_NAME["dqn, MlpPolicy, default"]
    path, observations, expected = saved(case)
    for algo in ("dqn", "ppo"):
        (tmp_path / f"{algo}-{case.protocol.env_id}.zip").write_bytes(path.read_bytes())
    agent = load_agent(tmp_path, case.protocol, algo="dqn")
    np.testing.assert_array_equal(agent.act(observations), expected)


def test_the_readme_lists_every_combination():
    text = README.read_text(encoding="utf-8")
    assert text == with_table(text), "run: PYTHONPATH=tests python -m units.agents.table"
