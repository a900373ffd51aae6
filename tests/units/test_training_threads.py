"""The choice of torch's threads."""

import random

import numpy as np
import pytest
import torch as th
from stable_baselines3 import DQN, PPO, SAC

from rl_units.training.threads import choose_threads, fewest_worthwhile


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({1: 1.0}, 1),
        ({1: 1.0, 2: 0.95}, 1),
        ({1: 1.0, 2: 0.6}, 2),
        ({1: 1.0, 2: 0.6, 4: 0.58}, 2),
        ({1: 0.05, 2: 0.95}, 1),
    ],
)
def test_a_larger_number_must_save_a_tenth(seconds, best):
    assert fewest_worthwhile(seconds) == best


@pytest.mark.parametrize(("algorithm", "env_id"), [(DQN, "CartPole-v1"), (PPO, "CartPole-v1"), (SAC, "Pendulum-v1")])
def test_trying_changes_neither_weights_nor_random_numbers(algorithm, env_id):
    model = algorithm("MlpPolicy", env_id, device="cpu", seed=0)
    weights = {name: value.clone() for name, value in model.policy.state_dict().items()}

    def states():
        return th.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002 # SB3's

    before = states()
    threads = choose_threads(model)

    assert states() == before
    assert threads == th.get_num_threads() >= 1
    assert all(th.equal(weights[name], value) for name, value in model.policy.state_dict().items())
    assert all(parameter.grad is None for parameter in model.policy.parameters())
