"""The choice of torch's threads."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch as th
from stable_baselines3 import DQN, PPO, SAC

from rl_units.training.threads import ThreadWatch, choose_threads, fewest_worthwhile, is_worth_a_change


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


@pytest.mark.parametrize(("best", "current", "is_worth"), [(0.03, 0.02, False), (0.9, 1.0, False), (0.7, 1.0, True)])
def test_a_run_goes_on_with_another_number_only_if_that_saves_a_fifth(best, current, is_worth):
    assert is_worth_a_change(best, current) is is_worth


class WatchedRun:
    """A run of which only steps and minutes are known, and how often its threads were timed."""

    def __init__(self, becomes=None, learning_starts=0):
        self.now, self.becomes, self.timed_with = 0.0, becomes, []
        self.watch = ThreadWatch(self._choose, lambda: self.now)
        self.watch.model = SimpleNamespace(num_timesteps=0, learning_starts=learning_starts)
        self.watch.on_rollout_start()

    def _choose(self, _model, current):
        self.timed_with.append(current)
        th.set_num_threads(self.becomes or current)
        return self.becomes or current

    def minutes(self, *steps):
        for number in steps:
            self.watch.model.num_timesteps += number
            self.now += 60
            self.watch.on_rollout_start()


@pytest.fixture
def on_two_cores(monkeypatch):
    before = th.get_num_threads()
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    th.set_num_threads(2)
    yield
    th.set_num_threads(before)


def test_a_run_at_its_usual_speed_is_never_timed(on_two_cores):
    run = WatchedRun()
    run.minutes(*[6000, 5000, 7000, 6000] * 10)
    assert run.timed_with == []


def test_a_run_that_has_become_slow_is_timed_once_and_may_change(on_two_cores, capsys):
    run = WatchedRun(becomes=1)
    run.minutes(6000, 6000, 1000, 1000)
    assert run.timed_with == [2]
    assert "goes on with 1 CPU thread" in capsys.readouterr().out


def test_that_learning_is_slower_than_random_play_is_no_reason(on_two_cores):
    run = WatchedRun(learning_starts=100_000)
    run.minutes(60_000, 50_000, 6000, 6000)
    assert run.timed_with == []


def test_a_run_with_fewer_threads_than_cores_is_timed_every_five_minutes(on_two_cores):
    th.set_num_threads(1)
    run = WatchedRun()
    run.minutes(*[5000] * 12)
    assert run.timed_with == [1, 1]


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
