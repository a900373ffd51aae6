"""Snowball Fight as Gymnasium and SB3 know environments."""

import copy
import pickle
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common import env_checker as sb3

import snowball_fight
from snowball_fight.registration import IDS
from snowball_players import decided_seed, play, still, turret

gym.register_envs(snowball_fight)


def fight(**kwargs):
    return gym.make("SnowballFight-v0", **{"opponent": "still", **kwargs})


@pytest.mark.parametrize("env_id", IDS)
def test_gymnasiums_checker_has_nothing_to_say(env_id):
    check_env(gym.make(env_id, render_mode="rgb_array").unwrapped)


@pytest.mark.parametrize("env_id", IDS)
def test_sb3s_checker_has_nothing_to_say(env_id):
    sb3.check_env(gym.make(env_id, render_mode="rgb_array").unwrapped)


def test_making_an_environment_loads_no_compiler():
    program = (
        "import sys, gymnasium as gym, snowball_fight\n"
        "from snowball_fight.parallel import fight_2vs2\n"
        "gym.make('SnowballFight-v0').action_space, gym.make('SnowballTarget-v0').observation_space\n"
        "gym.make_vec('SnowballFight-v0', num_envs=8), fight_2vs2.parallel_env().state_space\n"
        "print('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"


def test_a_seed_names_a_whole_series_of_episodes():
    env, other = fight(), fight()
    series = [env.reset(seed=5)[0], env.reset()[0], env.reset()[0]]
    np.testing.assert_array_equal(series, [other.reset(seed=5)[0], other.reset()[0], other.reset()[0]])
    assert len(np.unique(series, axis=0)) == 3


def test_without_a_seed_every_environment_plays_its_own_game():
    assert not np.array_equal(fight().reset()[0], fight().reset()[0])


def test_who_beats_the_opponent_has_won_and_is_rewarded():
    steps = play(fight(), turret, seed=decided_seed())
    *_, terminated, truncated, info = steps[-1]
    assert (terminated, truncated, info["won"]) == (True, False, True)
    assert (info["hits"], info["opponent_hits"]) == (3, 0)
    spec = snowball_fight.ONE_VS_ONE
    share_of_time = (info["ticks"] - 1) / spec.max_ticks  # that the time penalty has taken before the last tick
    assert sum(step[1] for step in steps) == pytest.approx(3 * spec.hit_reward + 1 - share_of_time)


def test_who_is_beaten_has_lost():
    steps = play(fight(opponent=turret), still, seed=decided_seed())
    _, reward, terminated, _, info = steps[-1]
    assert (reward, terminated, info["won"], info["opponent_hits"]) == (-1.0, True, False, 3)


def test_when_time_is_up_nobody_has_won():
    _, reward, terminated, truncated, info = play(fight(), still, seed=0)[-1]
    assert (reward, terminated, truncated, info["won"]) == (0.0, False, True, None)
    assert info["ticks"] == snowball_fight.ONE_VS_ONE.max_ticks


def test_the_seats_are_mirror_images():
    first, second = (play(fight(seat=seat), turret, seed=decided_seed()) for seat in (0, 1))
    np.testing.assert_array_equal([step[0] for step in first], [step[0] for step in second])
    assert [step[1:] for step in first] == [step[1:] for step in second]


def test_a_function_as_opponent_sees_what_its_own_seat_sees():
    seen = []
    env = fight(opponent=lambda observations: seen.append(observations) or still(observations), seat=0)
    env.reset(seed=3)
    env.step(still([None])[0])
    np.testing.assert_array_equal(seen, [[fight(seat=1).reset(seed=3)[0]]])


def test_a_reset_changes_opponent_and_seat_from_then_on():
    env = fight(seat=1)
    env.reset(seed=0, options={"opponent": turret, "seat": 0})
    expected = play(fight(opponent=turret, seat=0), still, seed=decided_seed())
    np.testing.assert_array_equal(
        [step[0] for step in play(env, still, seed=decided_seed())], [step[0] for step in expected]
    )


def test_target_practice_counts_hits_and_throws_and_ends_with_its_time():
    steps = play(gym.make("SnowballTarget-v0"), turret, seed=0)
    _, _, terminated, truncated, info = steps[-1]
    assert (terminated, truncated) == (False, True)
    assert 0 < info["hits"] <= info["throws"] <= 30
    assert sum(step[1] for step in steps) == info["hits"]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"])
def test_a_copy_goes_on_exactly_as_the_original(copied):
    env = fight(opponent=turret).unwrapped
    observation, _ = env.reset(seed=1)
    for _ in range(20):
        observation, *_ = env.step(turret(observation[None])[0])
    other = copied(env)
    action = np.array([1, 1, 0, 1])
    ours, theirs = ([env.step(action) for _ in range(30)] for env in (env, other))
    np.testing.assert_array_equal([step[0] for step in ours], [step[0] for step in theirs])
    assert [step[1:] for step in ours] == [step[1:] for step in theirs]


BAD_ACTIONS = {
    "floats": (np.zeros(4), TypeError, "integers"),
    "too few": (np.zeros(3, np.int64), ValueError, r"shape \(4,\)"),
    "one number": (0, ValueError, r"shape \(4,\)"),
    "too large": (np.array([0, 0, 0, 2]), ValueError, r"\[0, 0, 0, 2\] .* out of range"),
    "negative": (np.array([0, -1, 0, 0]), ValueError, "out of range"),
}


@pytest.mark.parametrize(("action", "error", "sentence"), BAD_ACTIONS.values(), ids=BAD_ACTIONS)
def test_a_bad_action_is_refused_before_anything_is_played(action, error, sentence):
    env, untouched = fight(opponent=turret).unwrapped, fight(opponent=turret).unwrapped
    for one in (env, untouched):
        one.reset(seed=0)
    with pytest.raises(error, match=sentence):
        env.step(action)
    good = np.array([1, 0, 0, 1])
    np.testing.assert_array_equal(env.step(good)[0], untouched.step(good)[0])


@pytest.mark.parametrize(
    ("answer", "error"), [(np.zeros((1, 4)), TypeError), (np.zeros(4, np.int64), ValueError), (None, TypeError)]
)
def test_an_opponent_that_answers_nonsense_is_refused(answer, error):
    env = fight(opponent=lambda _: answer)
    env.reset(seed=0)
    with pytest.raises(error, match="What the opponent gives back"):
        env.unwrapped.step(np.zeros(4, np.int64))


BAD_ARGUMENTS = {
    "name": ({"opponent": "nobody"}, ValueError, "no opponent 'nobody': take one of still, random"),
    "one of several names": ({"opponent": ["still", "nobody"]}, ValueError, "no opponent 'nobody'"),
    "no names": ({"opponent": []}, ValueError, "at least one name"),
    "kind": ({"opponent": 7}, TypeError, "not int"),
    "seat": ({"seat": 2}, ValueError, "A seat is 0 or 1"),
}


@pytest.mark.parametrize(("arguments", "error", "sentence"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_bad_arguments_are_refused_when_made_and_as_options(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        fight(**arguments)
    with pytest.raises(error, match=sentence):
        fight().reset(options=arguments)


def test_an_unknown_option_is_refused():
    with pytest.raises(ValueError, match="no option 'side': take 'opponent' or 'seat'"):
        fight().reset(options={"side": 1})
    with pytest.raises(ValueError, match="no option 'seat': there are none"):
        gym.make("SnowballTarget-v0").reset(options={"seat": 1})


def test_an_unknown_render_mode_is_refused():
    with pytest.raises(ValueError, match="None or one of rgb_array, not 'ansi'"):
        snowball_fight_env = gym.spec("SnowballFight-v0").entry_point
        gym.envs.registration.load_env_creator(snowball_fight_env)(render_mode="ansi")


@pytest.mark.parametrize("ended", [False, True], ids=["before the first reset", "after the end"])
def test_a_step_without_an_episode_is_refused(ended):
    env = fight().unwrapped
    if ended:
        play(env, turret, seed=decided_seed())
    with pytest.raises(RuntimeError, match="call reset first"):
        env.step(np.zeros(4, np.int64))


def test_a_picture_shows_rays_only_when_asked():
    plain, rays = fight(render_mode="rgb_array"), fight(render_mode="rgb_array", show_rays=True)
    plain.reset(seed=0)
    rays.reset(seed=0)
    assert plain.render().shape == rays.render().shape == (640, 640, 3)
    assert (plain.render() != rays.render()).any()
