"""The native vector environment, against Gymnasium's own vector of single environments."""

import copy

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import snowball_fight
from snowball_players import still, turret

gym.register_envs(snowball_fight)

N_ENVS = 6
SEEDS = [30, None, 50, None, None, 80]


def vector(num_envs=N_ENVS, env_id="SnowballFight-v0", **kwargs):
    return gym.make_vec(env_id, num_envs=num_envs, **kwargs)


def one_by_one(env_id="SnowballFight-v0", mode=AutoresetMode.NEXT_STEP, **kwargs):
    return SyncVectorEnv([lambda: gym.make(env_id, **kwargs)] * N_ENVS, autoreset_mode=mode)


def assert_same(ours, theirs):
    """Vector infos, and arrays of objects among them."""
    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        if isinstance(value, dict):
            assert_same(value, theirs[key])
        elif f"_{key}" in ours:
            for mine, other in zip(value[ours[f"_{key}"]], theirs[key][ours[f"_{key}"]], strict=True):
                np.testing.assert_array_equal(mine, other)
        else:
            np.testing.assert_array_equal(value, theirs[key])


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_it_gives_what_a_vector_of_single_environments_gives(mode):
    ours, theirs = vector(autoreset_mode=mode, opponent="still"), one_by_one(mode=mode, opponent="still")
    (observations, infos), (expected, expected_infos) = ours.reset(seed=0), theirs.reset(seed=0)
    n_ended = 0
    for _ in range(450):
        np.testing.assert_array_equal(observations, expected)
        assert_same(infos, expected_infos)
        actions = turret(observations)
        observations, *signals, infos = ours.step(actions)
        expected, *expected_signals, expected_infos = theirs.step(actions)
        np.testing.assert_array_equal(signals, expected_signals)
        assert [signal.dtype for signal in signals] == [signal.dtype for signal in expected_signals]
        n_ended += int(signals[1].sum())
    assert n_ended > N_ENVS


def test_target_practice_gives_what_a_vector_of_single_environments_gives():
    ours, theirs = vector(env_id="SnowballTarget-v0"), one_by_one(env_id="SnowballTarget-v0")
    observations, expected = ours.reset(seed=0)[0], theirs.reset(seed=0)[0]
    for _ in range(602):
        np.testing.assert_array_equal(observations, expected)
        actions = turret(observations)
        observations, rewards, *_, infos = ours.step(actions)
        expected, expected_rewards, *_, expected_infos = theirs.step(actions)
        np.testing.assert_array_equal(rewards, expected_rewards)
        assert_same(infos, expected_infos)


def test_without_autoreset_an_arena_waits_for_its_reset():
    env = vector(autoreset_mode=AutoresetMode.DISABLED, opponent="still")
    observations, _ = env.reset(seed=0)
    terminated = np.zeros(N_ENVS, np.bool_)
    while not terminated.any():
        observations, _, terminated, _, _ = env.step(turret(observations))
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(turret(observations))
    after, infos = env.reset(options={"reset_mask": terminated})
    np.testing.assert_array_equal(after[~terminated], observations[~terminated])
    np.testing.assert_array_equal(infos["_ticks"], terminated)
    env.step(turret(after))


def test_spaces_are_those_of_the_single_environment_and_a_batch_of_them():
    env, single = vector(), gym.make("SnowballFight-v0")
    assert (env.single_observation_space, env.single_action_space) == (single.observation_space, single.action_space)
    assert env.observation_space.shape == (N_ENVS, *single.observation_space.shape)
    assert env.reset(seed=0)[0] in env.observation_space
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP


def test_a_list_of_seeds_gives_each_arena_its_own_and_none_goes_on():
    env, singles = vector(), [gym.make("SnowballFight-v0") for _ in range(N_ENVS)]
    env.reset(seed=range(N_ENVS))
    observations, _ = env.reset(seed=SEEDS)
    for single, seed in zip(singles, range(N_ENVS), strict=True):
        single.reset(seed=seed)
    expected = [single.reset(seed=seed)[0] for single, seed in zip(singles, SEEDS, strict=True)]
    np.testing.assert_array_equal(observations, expected)


def test_without_a_seed_arenas_differ():
    assert len(np.unique(np.concatenate([vector().reset()[0], vector().reset()[0]]), axis=0)) == 2 * N_ENVS


def test_a_reset_changes_the_opponent_for_all():
    env = vector(opponent="still")
    env.reset(seed=0, options={"opponent": turret, "seat": 1})
    for _ in range(150):
        *_, infos = env.step(still(range(N_ENVS)))
    assert infos["opponent_hits"].any()


def test_threads_change_nothing():
    one, two = vector(64, opponent=turret), vector(64, opponent=turret, threads=2)
    observations, others = one.reset(seed=0)[0], two.reset(seed=0)[0]
    for _ in range(100):
        observations, others = one.step(turret(observations))[0], two.step(turret(others))[0]
    np.testing.assert_array_equal(observations, others)
    two.close()


def test_gymnasiums_statistics_record_its_episodes():
    env = RecordEpisodeStatistics(vector(opponent="still"))
    observations, _ = env.reset(seed=0)
    infos = {}
    while "episode" not in infos:
        observations, *_, infos = env.step(turret(observations))
    assert (infos["episode"]["r"][infos["_episode"]] > 1).all()


def test_gymnasiums_workers_play_the_same_game():
    workers = AsyncVectorEnv([lambda: gym.make("SnowballFight-v0", opponent="still")] * N_ENVS)
    env = vector(opponent="still")
    observations, others = env.reset(seed=0)[0], workers.reset(seed=0)[0]
    for _ in range(20):
        observations, others = env.step(turret(observations))[0], workers.step(turret(others))[0]
    workers.close()
    np.testing.assert_array_equal(observations, others)


def test_a_copy_goes_on_exactly_as_the_original():
    env = vector(opponent="still")
    env.reset(seed=0)
    other = copy.deepcopy(env)
    actions = np.tile([1, 1, 0, 1], (N_ENVS, 1))
    for _ in range(10):
        np.testing.assert_array_equal(env.step(actions)[0], other.step(actions)[0])


@pytest.mark.parametrize(
    ("actions", "error"),
    [(np.zeros((N_ENVS, 4)), TypeError), (np.zeros(4, np.int64), ValueError), (np.full((N_ENVS, 4), 3), ValueError)],
    ids=["floats", "of one arena", "out of range"],
)
def test_bad_actions_are_refused(actions, error):
    env = vector()
    env.reset(seed=0)
    with pytest.raises(error):
        env.step(actions)


def test_a_step_before_the_first_reset_is_refused():
    with pytest.raises(RuntimeError, match="call reset first"):
        vector().step(np.zeros((N_ENVS, 4), np.int64))


BAD_RESETS = {
    "seeds": ({"seed": [1]}, ValueError, "1 seeds for 6 environments"),
    "mask of numbers": ({"options": {"reset_mask": [1] * N_ENVS}}, TypeError, "array of booleans"),
    "empty mask": ({"options": {"reset_mask": np.zeros(N_ENVS, np.bool_)}}, ValueError, "at least one"),
    "mask and opponent": (
        {"options": {"reset_mask": np.arange(N_ENVS) == 0, "opponent": "still"}},
        ValueError,
        "leave reset_mask out",
    ),
}


@pytest.mark.parametrize(("arguments", "error", "sentence"), BAD_RESETS.values(), ids=BAD_RESETS)
def test_a_bad_reset_is_refused(arguments, error, sentence):
    env = vector()
    env.reset(seed=0)
    with pytest.raises(error, match=sentence):
        env.reset(**arguments)


def test_the_first_reset_is_of_all():
    with pytest.raises(ValueError, match="The first reset"):
        vector().reset(options={"reset_mask": np.arange(N_ENVS) == 0})


@pytest.mark.parametrize("arguments", [{"num_envs": 0}, {"threads": 0}, {"autoreset_mode": "never"}])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match=r"at least one|never"):
        vector(**arguments)


def test_every_arena_has_its_picture():
    env = vector(2, render_mode="rgb_array")
    env.reset(seed=0)
    first, second = env.render()
    assert first.shape == (640, 640, 3)
    assert (first != second).any()
