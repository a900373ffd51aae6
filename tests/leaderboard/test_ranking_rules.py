import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_leaderboard.rules.ranking import CLAIMED, UNSCORED, VERIFIED, Candidate, counted, sort_key

numbers = st.floats(-1e12, 1e12)
moments = st.integers(0, 2**53)


@st.composite
def candidates(draw):
    tier = draw(st.sampled_from([VERIFIED, CLAIMED, UNSCORED]))
    mean = None if tier == UNSCORED else draw(numbers)
    score = None if mean is None else mean - draw(st.floats(0, 1e6))
    return Candidate(draw(st.integers(1, 10**6)), tier, score, mean, draw(moments), draw(st.booleans()))


def key(candidate):
    return sort_key(candidate.tier, candidate.score, candidate.mean, candidate.submitted_us, candidate.submission_id)


def scored(submission_id, score, *, tier=CLAIMED, mean=100.0, at=0, declared=False):
    return Candidate(submission_id, tier, score, mean, at, declared)


different = st.lists(candidates(), max_size=20, unique_by=lambda candidate: candidate.submission_id)


def test_a_verified_score_stands_before_a_higher_claim_and_a_claim_before_no_score():
    verified, claimed, unscored = scored(1, 5.0, tier=VERIFIED), scored(2, 900.0), Candidate(3, 2, None, None, 0, False)

    assert sorted([unscored, claimed, verified], key=key) == [verified, claimed, unscored]


def test_equal_scores_are_told_apart_by_the_mean_then_by_arrival_then_by_number():
    higher_mean = scored(9, 50.0, mean=200.0, at=30)
    early = scored(8, 50.0, at=10)
    first_of_two, second_of_two = scored(6, 50.0, at=20), scored(7, 50.0, at=20)

    ranked = sorted([second_of_two, early, first_of_two, higher_mean], key=key)

    assert ranked == [higher_mean, early, first_of_two, second_of_two]


@given(mean=numbers, stds=st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), moment=moments)
def test_a_larger_standard_deviation_never_ranks_higher(mean, stds, moment):
    steady, wavering = sorted(stds)

    # The steadier one arrives first, so that equal scores do not decide.
    assert sort_key(CLAIMED, mean - steady, mean, moment, 1) < sort_key(CLAIMED, mean - wavering, mean, moment + 1, 2)


@given(different, st.randoms(use_true_random=False))
def test_ranking_is_a_permutation_that_does_not_depend_on_the_order_before(submissions, chance: random.Random):
    shuffled = submissions.copy()
    chance.shuffle(shuffled)

    ranked = sorted(submissions, key=key)

    assert sorted(shuffled, key=key) == ranked
    assert {candidate.submission_id for candidate in ranked} == {candidate.submission_id for candidate in submissions}


@given(numbers, numbers, moments, moments)
def test_ties_are_broken_by_earlier_arrival(score, mean, one, other):
    early, late = sorted([one, other + 2**53])

    assert sort_key(VERIFIED, score, mean, early, 2) < sort_key(VERIFIED, score, mean, late, 1)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_has_no_rank(number):
    with pytest.raises(ValueError, match="no rank"):
        sort_key(CLAIMED, number, 1.0, 0, 1)
    with pytest.raises(ValueError, match="no rank"):
        sort_key(CLAIMED, 1.0, number, 0, 1)


@given(different)
def test_the_best_is_the_one_that_ranks_first(submissions):
    assert counted(submissions, "best") == next(iter(sorted(submissions, key=key)), None)


def test_the_latest_is_the_newest_whatever_its_score():
    old, new = scored(1, 900.0, at=1), Candidate(2, UNSCORED, None, None, 2, False)

    assert counted([new, old], "latest") == new
    assert counted([scored(3, 1.0, at=5), scored(4, 0.0, at=5)], "latest").submission_id == 4


def test_the_declared_one_counts_although_a_newer_and_a_better_one_exist():
    declared = scored(2, 10.0, at=2, declared=True)
    others = [scored(1, 900.0, at=1), scored(3, 20.0, at=3)]

    assert counted([*others, declared], "declared") == declared


def test_of_several_declared_ones_the_newest_counts():
    assert (
        counted([scored(1, 2.0, at=9, declared=True), scored(2, 1.0, at=8, declared=True)], "declared").submitted_us
        == 9
    )


def test_the_latest_counts_until_one_is_declared():
    assert counted([scored(1, 900.0, at=1), scored(2, 1.0, at=2)], "declared").submission_id == 2


@pytest.mark.parametrize("rule", ["best", "latest", "declared"])
def test_without_submissions_nothing_counts(rule):
    assert counted([], rule) is None


@given(different.filter(bool), st.sampled_from(["best", "latest", "declared"]))
def test_what_counts_does_not_depend_on_the_order_of_submissions(submissions, rule):
    assert counted(submissions, rule) == counted(submissions[::-1], rule)
