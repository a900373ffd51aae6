"""Environments that are stepped while something else is done."""

import threading

import numpy as np
import pytest
from stable_baselines3.common.vec_env import VecEnvWrapper

from flicker import flickering
from rl_units.dqn.stepping import MeanwhileEnv

EPISODES = ((5, False), (3, True), (1, False))


class Counting(VecEnvWrapper):
    """Environments that note in which thread they are stepped, and may refuse to be."""

    def __init__(self, venv, refuses=False):
        super().__init__(venv)
        self.threads, self.refuses = [], refuses

    def step(self, actions):
        self.threads.append(threading.current_thread().name)
        if self.refuses:
            raise RuntimeError("the game crashed")
        return self.venv.step(actions)

    def reset(self):
        return self.venv.reset()

    def step_wait(self):
        return self.venv.step_wait()


@pytest.mark.parametrize("in_a_thread", [True, False])
def test_work_is_done_once_and_what_comes_out_is_that_of_the_environments(in_a_thread):
    usual, counting = flickering(EPISODES, 2, 4, (15, 14, 1)), Counting(flickering(EPISODES, 2, 4, (15, 14, 1)))
    done = []
    with MeanwhileEnv(counting, in_a_thread=in_a_thread) as env:
        np.testing.assert_array_equal(env.reset(), usual.reset())
        env.work = lambda: done.append(threading.current_thread().name)
        for _ in range(4):
            expected, seen = usual.step([0, 1]), env.step([0, 1])
            for mine, theirs in zip(seen[:3], expected[:3], strict=True):
                np.testing.assert_array_equal(mine, theirs)

    here = threading.current_thread().name
    assert done == [here]
    assert [name == here for name in counting.threads] == [not in_a_thread, True, True, True]


@pytest.mark.parametrize("in_a_thread", [True, False])
def test_an_environment_that_fails_is_heard_of_after_the_work(in_a_thread):
    done = []
    with MeanwhileEnv(Counting(flickering(EPISODES, 2, 4, (15, 14, 1)), True), in_a_thread=in_a_thread) as env:
        env.reset()
        env.work = lambda: done.append(1)
        with pytest.raises(RuntimeError, match="the game crashed"):
            env.step([0, 1])

    assert done == [1]


@pytest.mark.parametrize("in_a_thread", [True, False])
def test_work_that_fails_is_heard_of(in_a_thread):
    def fail():
        raise RuntimeError("the loss is no number")

    with MeanwhileEnv(flickering(EPISODES, 2, 4, (15, 14, 1)), in_a_thread=in_a_thread) as env:
        env.reset()
        env.work = fail
        with pytest.raises(RuntimeError, match="the loss is no number"):
            env.step([0, 1])
