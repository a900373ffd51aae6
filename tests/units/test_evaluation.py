"""Evaluation under a protocol, held against SB3's own."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.atari_wrappers import AtariWrapper
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecFrameStack, VecTransposeImage

from odd_agents import Dying, Elsewhere, Misbehaving, MisbehavingAbroad
from rl_units.agents import load_agent
from rl_units.course import Protocol, load_course
from rl_units.environments import register_environments, sample_action
from rl_units.errors import EvaluationError
from rl_units.evaluation import evaluate

CARTPOLE = Protocol("cart-pole", 1, "CartPole-v1", n_episodes=12)
# Short games, so that the comparison takes seconds; several lives are still lost.
INVADERS = dataclasses.replace(
    load_course().assignment_for("SpaceInvadersNoFrameskip-v4").protocol, n_episodes=4, max_episode_steps=1_800
)


def greedy(protocol):
    return dataclasses.replace(protocol, action_mode="deterministic", epsilon=0.0)


@pytest.fixture(scope="module")
def cartpole(tmp_path_factory):
    path = tmp_path_factory.mktemp("cartpole") / "ppo-CartPole-v1.zip"
    PPO("MlpPolicy", "CartPole-v1", seed=1, device="cpu").save(path)
    return path


@pytest.fixture(scope="module")
def invaders(tmp_path_factory):
    path = tmp_path_factory.mktemp("invaders") / "dqn-SpaceInvadersNoFrameskip-v4.zip"
    DQN("CnnPolicy", invaders_vec_env(INVADERS, seed=0), buffer_size=1, seed=3, device="cpu").save(path)
    return path


def invaders_vec_env(protocol, seed):
    register_environments()
    env = make_vec_env(
        lambda **kwargs: gym.make(protocol.env_id, max_episode_steps=protocol.max_episode_steps, **kwargs),
        1,
        seed=seed,
        wrapper_class=AtariWrapper,
    )
    return VecTransposeImage(VecFrameStack(env, protocol.frame_stack))


class WithCoins:
    """SB3's model with the exploration coins of one episode, for SB3's evaluate_policy."""

    def __init__(self, model, protocol, seed):
        self.model, self.protocol, self.rng = model, protocol, np.random.default_rng([seed, 1])

    def predict(self, observation, **_):
        action, state = self.model.predict(observation, deterministic=True)
        if self.protocol.epsilon > 0 and self.rng.random() < self.protocol.epsilon:
            action = np.array([sample_action(self.model.action_space, self.rng)])
        return action, state


def sb3_episodes(model, protocol, make_env):
    """Return and length of every episode, each by its own call of SB3's evaluate_policy."""
    episodes = []
    for seed in protocol.public_seeds:
        returns, lengths = evaluate_policy(
            WithCoins(model, protocol, seed), make_env(protocol, seed), 1, return_episode_rewards=True
        )
        episodes.append((returns[0], lengths[0]))
    return episodes


def test_cartpole_is_episode_by_episode_that_of_sb3(cartpole):
    result = evaluate(load_agent(cartpole, CARTPOLE), CARTPOLE)

    expected = sb3_episodes(
        PPO.load(cartpole, device="cpu"), CARTPOLE, lambda protocol, seed: make_vec_env(protocol.env_id, 1, seed=seed)
    )
    assert list(zip(result.returns, result.lengths, strict=True)) == expected


@pytest.mark.parametrize(
    "protocol", [greedy(INVADERS), dataclasses.replace(INVADERS, epsilon=0.2)], ids=["greedy", "exploring"]
)
def test_space_invaders_is_episode_by_episode_that_of_sb3(invaders, protocol):
    result = evaluate(load_agent(invaders, protocol), protocol)

    expected = sb3_episodes(DQN.load(invaders, device="cpu", buffer_size=1), protocol, invaders_vec_env)
    assert list(zip(result.returns, result.lengths, strict=True)) == expected


def test_the_result_does_not_depend_on_the_number_of_environments(invaders):
    agent = load_agent(invaders, INVADERS)

    one, three, many = (evaluate(agent, INVADERS, n_envs=n_envs).returns for n_envs in (1, 3, 16))
    assert one == three == many


def test_the_result_does_not_depend_on_the_number_of_processes(cartpole):
    agent = load_agent(cartpole, CARTPOLE)

    assert evaluate(agent, CARTPOLE, n_workers=2, n_envs=2).returns == evaluate(agent, CARTPOLE).returns


def test_games_step_while_an_agent_elsewhere_chooses_for_the_others(cartpole):
    agent = load_agent(cartpole, CARTPOLE)
    elsewhere = Elsewhere(agent)

    result = evaluate(elsewhere, CARTPOLE, n_envs=12)

    assert result.returns == evaluate(agent, CARTPOLE).returns
    assert elsewhere.events[:6] == ["asked 6", "asked 6", "answered 6", "asked 6", "answered 6", "asked 6"]


def test_other_seeds_give_other_games(cartpole):
    agent = load_agent(cartpole, CARTPOLE)
    result = evaluate(agent, CARTPOLE, seeds=(5, *range(20), 5))

    assert result.seeds == (5, *range(20), 5)
    assert result.returns[0] == result.returns[-1]
    assert len(set(result.returns)) > 1


def test_the_result_says_how_it_came_about(cartpole):
    seen = []
    agent = load_agent(cartpole, CARTPOLE)
    result = evaluate(agent, CARTPOLE, on_episode=seen.append)

    assert (result.env_id, result.algo, result.protocol_id, result.protocol_version) == (
        "CartPole-v1",
        "ppo",
        "cart-pole",
        1,
    )
    assert (result.agent_sha256, result.is_deterministic, result.n_episodes) == (agent.sha256, True, 12)
    assert result.versions["stable-baselines3"]
    assert sorted(episode.index for episode in seen) == list(range(12))


@pytest.mark.parametrize("action", [2, -1, float("nan"), "left"], ids=str)
def test_an_action_outside_the_space_is_refused(action):
    with pytest.raises(EvaluationError, match="not an action"):
        evaluate(Misbehaving(action), CARTPOLE)


def test_a_worker_that_dies_is_a_sentence():
    with pytest.raises(EvaluationError, match="worker process"):
        evaluate(Dying(0), dataclasses.replace(CARTPOLE, n_episodes=100), n_workers=2, n_envs=2)


def test_an_error_in_a_worker_arrives_here():
    with pytest.raises(EvaluationError, match="not an action"):
        evaluate(MisbehavingAbroad(0), dataclasses.replace(CARTPOLE, n_episodes=100), n_workers=2, n_envs=2)


class Duel(gym.Env):
    """Its return says against whom it was played, from which seat, and with which seed."""

    observation_space, action_space = gym.spaces.Discrete(2), gym.spaces.Discrete(2)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        """Notes what the game is."""
        self.game = 1000 * ["weak", "strong"].index(options["opponent"]) + 100 * options["seat"] + seed
        return 0, {}

    def step(self, action):
        """Ends the game."""
        return 0, self.game, True, False, {}


@pytest.mark.parametrize("n_envs", [1, 3])
def test_every_opponent_is_met_from_both_seats_with_the_same_seeds(n_envs, monkeypatch):
    monkeypatch.setitem(gym.registry, "Duel-v0", gym.envs.registration.EnvSpec("Duel-v0", entry_point=Duel))
    protocol = Protocol("duel", 1, "Duel-v0", n_episodes=4, opponents=("weak", "strong"))

    result = evaluate(Misbehaving(1), protocol, seeds=(7, 8, 9, 10), n_envs=n_envs)

    assert result.seeds == (7, 7, 9, 9)
    assert result.returns == (7, 107, 1009, 1109)
