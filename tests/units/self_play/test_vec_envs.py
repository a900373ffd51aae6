"""Snowball fights as environments of stable-baselines3, against opponents and against oneself."""

import numpy as np
import pytest
from stable_baselines3 import PPO

from rl_units.self_play.arenas_vec_env import ArenasVecEnv
from rl_units.self_play.matches import play_matches
from rl_units.self_play.vec_env import SelfPlayVecEnv, arenas_for
from snowball_fight.arenas import Arenas
from snowball_fight.spec import TWO_VS_TWO


def random_actions(n, rng):
    return rng.integers([3, 3, 3, 2], size=(n, 4))


class Past:
    """A past self that turns clockwise always, and notes for how many seats it was asked."""

    def __init__(self):
        self.asked = []

    def draw(self, count, rng):
        """The one there is, so many times."""
        return [self] * count

    def predict(self, observations):
        """As SB3's policies."""
        self.asked.append(len(observations))
        return np.tile([0, 0, 1, 0], (len(observations), 1)), None


def test_both_seats_learn_where_there_is_no_opponent():
    env = ArenasVecEnv(3, seed=1)
    seen = env.reset()

    assert env.num_envs == 6
    assert seen.shape == (6, 129)
    assert env.observation_space.contains(seen[0])


def test_slots_play_what_the_arenas_play():
    env, arenas, rng = ArenasVecEnv(2, seed=1), Arenas(n_arenas=2), np.random.default_rng(0)
    env.reset()
    arenas.reset(env.arenas.state.seed.copy())
    for _ in range(700):  # beyond the time limit, so that episodes end
        actions = random_actions(4, rng)
        observations, rewards, dones, _ = env.step(actions)
        outcome = arenas.step(actions.reshape(2, 2, 4))
        np.testing.assert_array_equal(observations.reshape(2, 2, -1), outcome.observations)
        np.testing.assert_array_equal(rewards.reshape(2, 2), outcome.rewards)
        np.testing.assert_array_equal(dones.reshape(2, 2), outcome.terminated | outcome.truncated)


def test_what_is_given_out_is_not_written_into_again():
    env = ArenasVecEnv(2, seed=1)
    first = env.reset()
    kept = first.copy()
    env.step(np.tile([1, 0, 1, 1], (4, 1)))

    np.testing.assert_array_equal(first, kept)


def test_the_end_of_an_episode_says_return_length_points_and_what_was_seen_last():
    env, rng = ArenasVecEnv(4, opponent="still", seed=3), np.random.default_rng(0)
    env.reset()
    returns = np.zeros(4)
    for _ in range(600):
        observations, rewards, dones, infos = env.step(random_actions(4, rng))
        returns += rewards
    last = [info for info in infos if info]

    assert dones.all()
    assert len(last) == 4
    for slot, info in enumerate(last):
        assert info["TimeLimit.truncated"]
        assert info["episode"]["l"] == 600
        assert info["episode"]["r"] == pytest.approx(returns[slot], abs=1e-6)
        assert info["points"] == 0.5
        assert not np.array_equal(info["terminal_observation"], observations[slot])


def test_the_agent_sits_in_either_seat():
    env = ArenasVecEnv(2, opponent="still", seed=1)
    env.reset()
    before = env.arenas.state.position.copy()
    env.step(np.tile([1, 0, 0, 0], (2, 1)))
    moved = (env.arenas.state.position != before).any(axis=-1)

    np.testing.assert_array_equal(moved, [[True, False], [False, True]])


def test_an_agent_can_be_the_opponent():
    env = ArenasVecEnv(2, opponent=lambda seen: np.tile([1, 0, 0, 0], (len(seen), 1)), seed=1)
    env.reset()
    before = env.arenas.state.position.copy()
    env.step(np.zeros((2, 4), np.int64))
    moved = (env.arenas.state.position != before).any(axis=-1)

    np.testing.assert_array_equal(moved, [[False, True], [True, False]])


def test_a_seed_makes_the_same_games():
    seen = []
    for _ in range(2):
        env, rng = ArenasVecEnv(2, seed=5), np.random.default_rng(0)
        env.reset()
        seen.append([env.step(random_actions(4, rng))[0] for _ in range(50)])

    np.testing.assert_array_equal(*seen)


def test_an_opponent_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="There is no opponent 'strong'"):
        ArenasVecEnv(2, opponent="strong")


def test_teams_of_two_are_refused():
    with pytest.raises(ValueError, match="one agent"):
        ArenasVecEnv(2, spec=TWO_VS_TWO)


def test_stable_baselines3_trains_on_it():
    model = PPO("MlpPolicy", ArenasVecEnv(4, seed=0), n_steps=16, batch_size=32, device="cpu").learn(256)

    assert model.num_timesteps == 256


def test_a_match_is_one_game_in_every_slot():
    points = play_matches(lambda seen: np.zeros((len(seen), 4), np.int64), ArenasVecEnv(4, opponent="still"))

    assert points.tolist() == [0.5] * 4


@pytest.mark.parametrize(("n_envs", "ratio", "expected"), [(64, 0.5, (16, 32)), (64, 1, (32, 0)), (64, 0, (0, 64)),
                                                          (1, 0.5, (0, 1)), (7, 0.5, (2, 3))])  # fmt: skip
def test_the_share_of_experience_against_the_latest_self_is_kept(n_envs, ratio, expected):
    mirrors, others = arenas_for(n_envs, ratio)

    assert (mirrors, others) == expected
    assert 2 * mirrors + others == n_envs


def self_play(n_mirrors, past, n_arenas=4, monitor=None):
    inner = ArenasVecEnv(n_arenas, seed=2)
    return inner, SelfPlayVecEnv(inner, n_mirrors, past, monitor)


def test_past_selves_play_the_seats_that_the_learner_does_not():
    past = Past()
    inner, env = self_play(1, past)
    env.meet(np.random.default_rng(0))
    env.reset()
    headings = inner.arenas.state.heading.copy()
    env.step(np.zeros((env.num_envs, 4), np.int64))
    turned = inner.arenas.state.heading != headings

    assert env.num_envs == 5
    np.testing.assert_array_equal(turned, [[False, False], [True, False], [False, True], [True, False]])
    assert past.asked == [1] * 3


def test_the_learner_gets_its_own_part_of_a_step():
    _, env = self_play(1, Past())
    env.meet(np.random.default_rng(0))
    seen = env.reset()
    observations, rewards, dones, infos = env.step(np.zeros((5, 4), np.int64))

    assert seen.shape == observations.shape == (5, 129)
    assert rewards.shape == dones.shape == (5,)
    assert len(infos) == 5


def test_the_learners_episodes_are_noted_in_a_file(tmp_path):
    _, env = self_play(1, Past(), monitor=str(tmp_path / "0.monitor.csv"))
    env.meet(np.random.default_rng(0))
    env.reset()
    for _ in range(600):
        env.step(np.zeros((5, 4), np.int64))
    env.close()

    assert len((tmp_path / "0.monitor.csv").read_text().splitlines()) == 2 + 5
