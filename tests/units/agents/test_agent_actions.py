"""An agent's action for an observation depends on that observation alone."""

import numpy as np
import pytest
import torch as th

from rl_units.agents import load_agent
from rl_units.agents.base import rows
from rl_units.agents.choices import TOLERANCE, choose
from rl_units.environments import agent_spaces
from rl_units.errors import EvaluationError
from units.agents.cases import CASES
from units.agents.hostile import rebuilt_zip
from units.agents.worlds import sample

NAMES = [
    "dqn, CnnPolicy, default",
    "dqn, MultiInputPolicy, default",
    "qrdqn, MlpPolicy, default",
    "ppo, CnnPolicy, default",
    "ppo, MlpPolicy, Box actions",
    "ppo, MlpPolicy, MultiDiscrete actions",
    "sac, MlpPolicy, default",
    "td3, CnnPolicy, default",
]
BY_NAME = {case.name: case for case in CASES}


def loaded(name, path, **changes):
    case = BY_NAME[name]
    case.save(path / "model.zip")
    return load_agent(rebuilt_zip(path / "model.zip", path / "changed.zip", **changes), case.protocol)


def observations_of(name, n):
    return sample(agent_spaces(BY_NAME[name].protocol)[0], n)


@pytest.mark.parametrize("name", NAMES)
def test_an_action_is_the_same_in_every_batch(name, tmp_path):
    agent = loaded(name, tmp_path)
    observations = observations_of(name, 24)
    alone = np.concatenate([agent.act(rows(observations, slice(i, i + 1))) for i in range(24)])
    for size in (2, 7, 24):
        together = [agent.act(rows(observations, slice(i, i + size))) for i in range(0, 24, size)]
        np.testing.assert_array_equal(np.concatenate(together), alone)


@pytest.mark.parametrize("name", ["dqn, CnnPolicy, default", "qrdqn, MlpPolicy, default", "ppo, CnnPolicy, default"])
def test_a_network_of_zeros_takes_the_first_action_in_every_batch(name, tmp_path):
    agent = loaded(name, tmp_path, weights=lambda state: {key: th.zeros_like(value) for key, value in state.items()})
    assert agent.act(observations_of(name, 9)).tolist() == [0] * 9


def test_nearly_tied_actions_follow_the_row_alone(tmp_path):
    """Four outputs that differ by a rounding error or two, so that batched arithmetic alone would not settle them."""

    def nearly_tied(state):
        last = "q_net.q_net.4.weight"
        noise = 1e-8 * th.randn(state[last].shape, generator=th.Generator().manual_seed(0))
        return {**state, last: state[last][:1] + noise, "q_net.q_net.4.bias": th.zeros(4)}

    name = "dqn, MlpPolicy, default"
    agent = loaded(name, tmp_path, weights=nearly_tied)
    observations = observations_of(name, 64)
    alone = [int(agent.policy.predict(one, deterministic=True)[0]) for one in observations]
    assert len(set(alone)) > 1
    assert agent.act(observations).tolist() == alone


def test_only_rows_within_the_tolerance_are_looked_at_again():
    scores = np.array([[0.0, 1.0], [1000.0, 1000.0 + 500 * TOLERANCE], [0.0, TOLERANCE / 2], [0.0, 2 * TOLERANCE]])
    again = []

    def predict(row):
        again.append(int(row[0]))
        return np.array([7])

    assert choose(np.arange(4), lambda _: scores, predict, [2]).tolist() == [[1], [7], [7], [1]]
    assert again == [1, 2]


def test_an_environment_with_a_single_action_is_played():
    assert choose(np.arange(2), lambda _: np.zeros((2, 1)), lambda _: np.array([0]), [1]).tolist() == [[0], [0]]


def test_every_branch_has_a_best_choice_and_a_tie_on_one_looks_at_the_whole_row_again():
    scores = np.array([[0.0, 3.0, 1.0, 2.0, 0.0], [0.0, 1.0, 2.0, 5.0, 5.0]])

    chosen = choose(np.arange(2), lambda _: scores, lambda _: np.array([[7, 8]]), [3, 2])

    assert chosen.tolist() == [[1, 0], [7, 8]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(value):
    with pytest.raises(EvaluationError, match="not finite"):
        choose(np.arange(1), lambda _: np.array([[0.0, value]]), lambda _: np.array([0]), [2])


def test_the_hash_tells_networks_apart_that_differ_in_the_activation_only(tmp_path):
    name = "dqn, MlpPolicy, default"
    relu = loaded(name, tmp_path)
    kwargs = {"activation_fn": "<class 'torch.nn.modules.activation.Tanh'>"}
    tanh = loaded(name, tmp_path, data=lambda data: {**data, "policy_kwargs": kwargs})
    assert relu.sha256 != tanh.sha256


def test_the_hash_does_not_depend_on_what_does_not_act(tmp_path):
    name = "ppo, MlpPolicy, Box actions"
    agent = loaded(name, tmp_path)
    other = loaded(name, tmp_path, weights=lambda state: {**state, "value_net.bias": th.ones(1)})
    assert agent.sha256 == other.sha256
