import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_leaderboard.rules.intervals import score_interval
from rl_units.errors import ResultError
from rl_units.results import score

RETURNS = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60)


def normal_returns(count, seed=0):
    return np.random.default_rng(seed).normal(500, 150, count).tolist()


@given(RETURNS)
def test_an_interval_is_finite_and_includes_the_score(returns):
    low, high = score_interval(returns)

    assert np.isfinite([low, high]).all()
    assert low <= score(returns) <= high


@given(RETURNS, st.randoms(use_true_random=False))
def test_the_same_episodes_in_any_order_have_the_same_interval(returns, order: random.Random):
    shuffled = list(returns)
    order.shuffle(shuffled)

    assert score_interval(shuffled) == score_interval(returns)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=60), st.sampled_from([0.25, 2.0, 1024.0]))
def test_another_unit_of_reward_changes_the_interval_as_it_changes_the_returns(returns, unit):
    low, high = score_interval(returns)

    assert score_interval([unit * value for value in returns]) == pytest.approx((unit * low, unit * high))


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=60), st.integers(-1000, 1000))
def test_a_bonus_for_every_episode_moves_the_interval_and_leaves_its_length(returns, bonus):
    low, high = score_interval(returns)

    moved = score_interval([value + bonus for value in returns])
    assert moved == pytest.approx((low + bonus, high + bonus), abs=1e-6)


@pytest.mark.parametrize("value", [0.0, 500.0, -1e12, 0.1])
def test_equal_returns_have_an_interval_of_no_length(value):
    assert score_interval([value] * 50) == (score([value] * 50),) * 2


def test_the_interval_is_the_same_on_every_machine_and_with_every_release_of_numpy():
    returns = [float(5 * (number * number % 101)) for number in range(50)]

    assert score_interval(returns) == pytest.approx((41.80186851171632, 139.25965222232423), rel=1e-12)


def test_more_episodes_make_a_shorter_interval():
    lengths = [high - low for low, high in (score_interval(normal_returns(count)) for count in (50, 200, 800))]

    assert lengths == sorted(lengths, reverse=True)
    assert lengths[2] < lengths[0] / 3


def test_a_higher_level_makes_a_longer_interval_around_the_other():
    (low, high), (lowest, highest) = score_interval(normal_returns(50)), score_interval(normal_returns(50), level=0.99)

    assert lowest < low < high < highest


def test_an_agent_that_fails_once_may_fail_more_often_than_it_has_been_seen_to():
    low, high = score_interval([500.0] * 49 + [400.0])

    assert low < 450
    assert high <= 500


@pytest.mark.parametrize("frequent", [0.146, 0.2, 0.7])
def test_wins_and_losses_have_intervals_that_include_the_true_score_nearly_always(frequent):
    true_score = frequent - (frequent * (1 - frequent)) ** 0.5
    wins = np.random.default_rng(5).random((200, 50)) < frequent
    intervals = [score_interval(sample.astype(float).tolist()) for sample in wins]

    assert sum(low <= true_score <= high for low, high in intervals) >= 0.9 * 200


@pytest.mark.parametrize("count", [50, 100])
def test_normal_returns_have_intervals_that_include_the_true_score_as_promised(count):
    samples = np.random.default_rng(6).normal(500, 150, (400, count))
    intervals = [score_interval(sample.tolist()) for sample in samples]

    assert sum(low <= 350 <= high for low, high in intervals) >= 0.93 * 400


def test_a_huge_evaluation_is_resampled_in_little_memory():
    low, high = score_interval(normal_returns(5000))

    assert low < 350 < high


@pytest.mark.parametrize("returns", [[], [1.0]], ids=["none", "one"])
def test_too_few_episodes_have_no_interval(returns):
    with pytest.raises(ValueError, match="2 episodes or more"):
        score_interval(returns)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 95.0, float("nan")])
def test_a_level_is_a_share(level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        score_interval([1.0, 2.0], level)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e200])
def test_returns_that_cannot_be_scored_have_no_interval(value):
    with pytest.raises(ResultError):
        score_interval([0.0, value])


def test_the_rules_are_imported_without_numpy():
    modules = "intervals, seeds, ties, batches"
    code = f"from rl_leaderboard.rules import {modules}; import sys; sys.exit('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
