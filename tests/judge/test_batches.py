from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_leaderboard.rules.batches import (
    CONFIRMATION,
    MOST_BATCHES,
    RANKING_BATCHES,
    Plan,
    Played,
    Request,
    Round,
    next_confirmation,
    plan,
    ranking_batch,
)

AUTUMN = Round("cartpole", 1, "2026-autumn")
ALICE = Request("a" * 64, "hub", "alice", AUTUMN, submission_id=1)
BOB = Request("a" * 64, "hub", "bob", AUTUMN, submission_id=100)


def played(request, batch):
    return Played(
        request.agent_sha256, request.source, request.student_key, request.round, batch, request.submission_id
    )


def push_again(request, times):
    """What is known after a student has pushed the same weights so often, and the plans that were made."""
    known, plans = [], []
    for number in range(times):
        again = replace(request, submission_id=request.submission_id + number)
        plans.append(plan(again, known))
        if plans[-1].play:
            known.append(played(again, plans[-1].play))
    return known, plans


def test_an_agent_begins_with_the_first_batch():
    assert plan(ALICE, []) == Plan("ranking-1", ["ranking-1"])


def test_the_same_weights_pool_a_further_batch_with_every_push():
    _, plans = push_again(ALICE, 4)

    assert [found.play for found in plans] == list(RANKING_BATCHES)
    assert plans[2].pool == ["ranking-1", "ranking-2", "ranking-3"]


def test_after_the_last_batch_the_pooled_result_is_published_again():
    _, plans = push_again(ALICE, MOST_BATCHES + 2)

    assert plans[-1] == Plan(None, list(RANKING_BATCHES))


@given(st.integers(1, 12))
def test_no_batch_is_drawn_twice_however_often_an_agent_is_pushed(times):
    known, _ = push_again(ALICE, times)

    assert [one.batch for one in known] == list(RANKING_BATCHES)[:times]


def test_a_submission_that_is_judged_again_plays_nothing_twice():
    assert plan(ALICE, [played(ALICE, "ranking-1")]) == Plan(None, ["ranking-1"])


def test_an_earlier_submission_that_is_judged_again_publishes_all_that_is_known():
    known, _ = push_again(ALICE, 3)

    assert plan(ALICE, known) == Plan(None, ["ranking-1", "ranking-2", "ranking-3"])


def test_somebody_else_with_the_same_weights_does_not_draw_again():
    assert plan(BOB, [played(ALICE, "ranking-1")]) == Plan(None, ["ranking-1"])


def test_the_same_name_on_another_hub_is_somebody_else():
    elsewhere = replace(ALICE, source="other", submission_id=7)

    assert plan(elsewhere, [played(ALICE, "ranking-1")]).play is None


def test_other_weights_begin_anew():
    known, _ = push_again(ALICE, 4)

    assert plan(replace(ALICE, agent_sha256="b" * 64, submission_id=9), known) == Plan("ranking-1", ["ranking-1"])


@pytest.mark.parametrize(
    "change", [{"protocol_version": 2}, {"season": "2027-spring"}, {"protocol_id": "lunar"}], ids=str
)
def test_another_protocol_or_season_begins_anew(change):
    known, _ = push_again(ALICE, 4)
    request = replace(ALICE, round=replace(AUTUMN, **change))

    assert plan(request, known) == Plan("ranking-1", ["ranking-1"])


def test_a_batch_that_is_missing_in_between_is_played_first():
    known = [played(ALICE, "ranking-1"), played(ALICE, "ranking-3")]

    assert plan(replace(ALICE, submission_id=5), known) == Plan("ranking-2", ["ranking-1", "ranking-2", "ranking-3"])


def test_the_confirmation_is_never_pooled():
    known = [played(ALICE, "ranking-1"), played(ALICE, CONFIRMATION)]

    assert plan(replace(ALICE, submission_id=5), known) == Plan("ranking-2", ["ranking-1", "ranking-2"])
    assert CONFIRMATION not in RANKING_BATCHES


def test_a_pooled_score_that_passes_is_confirmed():
    assert next_confirmation(ALICE, [played(ALICE, "ranking-1")], 200.0, threshold=200.0) == CONFIRMATION


@pytest.mark.parametrize("score", [199.9, float("nan")])
def test_a_score_that_does_not_pass_is_not_confirmed(score):
    assert next_confirmation(ALICE, [played(ALICE, "ranking-1")], score, threshold=200.0) is None


def test_an_open_challenge_confirms_nothing():
    assert next_confirmation(ALICE, [played(ALICE, "ranking-1")], 1e9, threshold=None) is None


def test_an_agent_is_confirmed_once_whoever_hands_it_in():
    known = [played(ALICE, "ranking-1"), played(ALICE, CONFIRMATION)]

    assert next_confirmation(ALICE, known, 500.0, threshold=200.0) is None
    assert next_confirmation(BOB, known, 500.0, threshold=200.0) is None


def test_another_season_is_confirmed_anew():
    known = [played(ALICE, "ranking-1"), played(ALICE, CONFIRMATION)]
    request = replace(ALICE, round=replace(AUTUMN, season="2027-spring"))

    assert next_confirmation(request, known, 500.0, threshold=200.0) == CONFIRMATION


@pytest.mark.parametrize("number", [0, MOST_BATCHES + 1])
def test_there_are_no_other_ranking_batches(number):
    with pytest.raises(ValueError, match="no batch"):
        ranking_batch(number)
