"""A player's strength on the scale of the fixed opponents."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_units.self_play.rating import SCALE, expected_score, rating_of

OPPONENTS = {"weak": 0.0, "strong": 400.0}
SHARES = st.floats(0, 1)


def test_400_points_are_odds_of_ten_to_one():
    assert expected_score(SCALE, 0.0) == pytest.approx(10 / 11)


def test_half_the_points_against_one_opponent_is_that_opponents_rating():
    assert rating_of({"strong": 0.5}, 100, OPPONENTS) == pytest.approx(400, abs=0.01)


@given(st.floats(-300, 700))
def test_the_expected_scores_of_a_rating_give_it_back(rating):
    scores = {name: expected_score(rating, other) for name, other in OPPONENTS.items()}

    assert rating_of(scores, 1_000_000, OPPONENTS) == pytest.approx(rating, abs=0.5)


@given(SHARES, SHARES, SHARES)
def test_more_points_are_no_lower_rating(weak, strong, more):
    better = {"weak": max(weak, more), "strong": strong}

    assert rating_of(better, 20, OPPONENTS) >= rating_of({"weak": weak, "strong": strong}, 20, OPPONENTS)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_who_wins_or_loses_everything_has_a_rating(share):
    rating = rating_of(dict.fromkeys(OPPONENTS, share), 32, OPPONENTS)

    assert math.isfinite(rating)
    assert (rating > 400) == (share == 1.0)


@pytest.mark.parametrize("scores", [{}, {"nobody": 0.5}])
def test_a_rating_needs_known_opponents(scores):
    with pytest.raises(ValueError, match="needs scores against some of weak, strong"):
        rating_of(scores, 32, OPPONENTS)
