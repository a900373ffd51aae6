"""Stacks of frames."""

import numpy as np
import pytest
from stable_baselines3.common.buffers import DictReplayBuffer, ReplayBuffer
from stable_baselines3.common.vec_env import VecFrameStack, unwrap_vec_wrapper

from flicker import flickering
from rl_units.dqn.stacks import frames_in_a_stack, keep_frames_whole

EPISODES = ((5, False), (3, True), (1, False))


@pytest.mark.parametrize("channels", [1, 3])
def test_stacks_show_the_same_and_lie_as_networks_take_them(channels):
    usual, whole = (flickering(EPISODES, 2, 4, (15, 14, channels)) for _ in range(2))
    keep_frames_whole(unwrap_vec_wrapper(whole, VecFrameStack))

    np.testing.assert_array_equal(whole.reset(), usual.reset())
    for _ in range(12):
        expected, seen = (env.step([0, 1]) for env in (usual, whole))

        assert seen[0].flags.c_contiguous
        for mine, theirs in zip(seen[:3], expected[:3], strict=True):
            np.testing.assert_array_equal(mine, theirs)
        for mine, theirs in zip(seen[3], expected[3], strict=True):
            assert ("terminal_observation" in mine) == ("terminal_observation" in theirs)
            np.testing.assert_array_equal(mine.get("terminal_observation"), theirs.get("terminal_observation"))


def test_stacks_whose_channels_come_last_are_for_the_buffer_of_stable_baselines():
    env = flickering([(9, False)], 2, 4, (16, 16, 1))
    channels_last = env.venv

    assert frames_in_a_stack(env) == 4
    assert channels_last.observation_space.shape == (16, 16, 4)
    assert frames_in_a_stack(channels_last) is None
    assert frames_in_a_stack(env, ReplayBuffer) == 4
    assert frames_in_a_stack(env, DictReplayBuffer) is None
    assert frames_in_a_stack(env, n_steps=3) is None
