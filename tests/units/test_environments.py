"""Environments as agents see them."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.atari_wrappers import AtariWrapper
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecFrameStack, VecTransposeImage

from rl_units.course import Protocol, load_course
from rl_units.environments import AgentView, agent_spaces, make_environment, require_environment, sample_action
from rl_units.errors import ConfigError, EvaluationError, UnknownEnvironmentError

BREAKOUT = load_course().assignment_for("BreakoutNoFrameskip-v4").protocol


def test_atari_observations_are_four_grey_frames():
    observations, actions = agent_spaces(BREAKOUT)

    assert (observations.shape, observations.dtype) == ((4, 84, 84), np.uint8)
    assert actions == spaces.Discrete(4)


def test_a_game_is_frame_by_frame_that_of_the_zoos_wrapping():
    theirs = VecTransposeImage(
        VecFrameStack(make_vec_env(BREAKOUT.env_id, 1, seed=7, wrapper_class=AtariWrapper), BREAKOUT.frame_stack)
    )
    ours = make_environment(BREAKOUT)
    expected, (found, _) = theirs.reset()[0], ours.reset(seed=7)
    rng = np.random.default_rng(0)
    for _ in range(600):  # several lives
        assert np.array_equal(expected, found)
        action = rng.integers(4)
        (expected,), (reward,), (done,), (info,) = theirs.step(np.array([action]))
        found, own_reward, terminated, truncated, own_info = ours.step(action)
        assert (reward, done, "episode" in info) == (own_reward, terminated or truncated, "episode" in own_info)
        if terminated or truncated:
            found, _ = ours.reset()
    theirs.close()
    ours.close()


@pytest.mark.parametrize("assignment", load_course().unit("unit3_dqn_atari").assignments, ids=lambda a: a.id)
def test_a_game_that_has_been_played_starts_again_as_a_fresh_one(assignment):
    def play(env, seed):
        """Every observation of a full game."""
        rng = np.random.default_rng(seed)
        pictures, info = [env.reset(seed=seed)[0]], {}
        while "episode" not in info:
            observation, _, terminated, truncated, info = env.step(rng.integers(env.action_space.n))
            pictures.append(env.reset()[0] if (terminated or truncated) and "episode" not in info else observation)
        return np.array(pictures)

    protocol = dataclasses.replace(assignment.protocol, max_episode_steps=1_000)
    played, fresh = make_environment(protocol), make_environment(protocol)
    play(played, seed=5)

    assert np.array_equal(play(played, seed=8), play(fresh, seed=8))
    played.close()
    fresh.close()


class Pictures(gym.Env):
    """Numbers its steps in a picture and a vector."""

    observation_space = spaces.Dict(
        {"image": spaces.Box(0, 255, (40, 40, 3), np.uint8), "vector": spaces.Box(-1, 1, (2,), np.float32)}
    )
    action_space = spaces.Discrete(2)

    def _observe(self):
        return {"image": np.full((40, 40, 3), self.steps, np.uint8), "vector": np.full(2, self.steps / 10, np.float32)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 1
        return self._observe(), {}

    def step(self, action):
        self.steps += 1
        return self._observe(), 0.0, False, False, {}


def test_dictionaries_are_stacked_and_transposed_as_sb3_does():
    theirs = VecTransposeImage(VecFrameStack(make_vec_env(Pictures, 1), 2))
    ours = AgentView(Pictures(), 2)
    expected, (found, _) = theirs.reset(), ours.reset()
    assert ours.observation_space == theirs.observation_space
    for _ in range(3):
        for key in expected:
            assert np.array_equal(expected[key][0], found[key])
        expected = theirs.step(np.array([0]))[0]
        found = ours.step(0)[0]


def test_an_earlier_observation_does_not_change_when_the_game_goes_on():
    env = AgentView(Pictures(), 2)
    first, _ = env.reset()
    kept = {key: value.copy() for key, value in first.items()}
    env.step(0)

    assert all(np.array_equal(first[key], kept[key]) for key in kept)


def test_the_step_limit_ends_a_game():
    env = make_environment(Protocol("short", 1, "CartPole-v1", max_episode_steps=3))
    env.reset(seed=0)
    ends = [env.step(step % 2)[3] for step in range(3)]

    assert ends == [False, False, True]


def test_a_renamed_environment_names_its_successor():
    with pytest.raises(UnknownEnvironmentError, match="LunarLander-v3"):
        require_environment("LunarLander-v2")


def test_a_misspelt_environment_names_the_closest():
    with pytest.raises(UnknownEnvironmentError, match="SpaceInvadersNoFrameskip-v4"):
        require_environment("SpaceInvaderNoFrameskip-v4")


def test_nonsense_is_still_a_sentence():
    with pytest.raises(UnknownEnvironmentError, match="Check its spelling"):
        require_environment("§")


def test_the_atari_wrapping_fits_atari_only():
    with pytest.raises(ConfigError, match="not an Atari game"):
        make_environment(Protocol("x", 1, "CartPole-v1", preprocessing="atari"))


def test_arguments_that_the_environment_does_not_know_are_a_sentence():
    with pytest.raises(EvaluationError, match="cannot be made"):
        make_environment(Protocol("x", 1, "CartPole-v1", env_kwargs={"nonsense": 1}))


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(3, start=-1),
        spaces.MultiDiscrete([2, 3]),
        spaces.MultiBinary(4),
        spaces.Box(-2, 3, (2,), np.float32),
    ],
    ids=str,
)
def test_random_actions_are_elements_of_the_space(space):
    rng = np.random.default_rng(0)

    assert all(space.contains(sample_action(space, rng)) for _ in range(50))


def test_an_unbounded_space_has_no_random_actions():
    with pytest.raises(EvaluationError):
        sample_action(spaces.Box(-np.inf, np.inf, (1,)), np.random.default_rng(0))
