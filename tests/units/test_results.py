"""Scores and `results.json`."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_units.errors import ResultError, StorageError
from rl_units.results import EvaluationResult, load_result, mean, score, std

returns = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


def result(**changes):
    fields = {
        "env_id": "CartPole-v1",
        "algo": "dqn",
        "protocol_id": "cart-pole",
        "protocol_version": 1,
        "returns": (10.0, 20.0),
        "lengths": (10, 20),
        "seeds": (1, 2),
        "is_deterministic": True,
        "epsilon": 0.0,
        "agent_sha256": "ab",
        "evaluated_at": "2026-01-01T00:00:00+00:00",
        "versions": {"python": "3.11"},
    }
    return EvaluationResult(**(fields | changes))


@given(returns)
def test_mean_and_std_are_numpys(values):
    scale = max(1.0, max(abs(value) for value in values))
    assert mean(values) == pytest.approx(np.mean(values), abs=1e-9 * scale)
    assert std(values) == pytest.approx(np.std(values), abs=1e-6 * scale)


@given(returns, st.randoms())
def test_the_score_does_not_depend_on_the_order_of_the_episodes(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    assert score(shuffled) == pytest.approx(score(values), abs=1e-6)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e5), st.floats(1e-3, 1e5))
def test_of_two_agents_with_one_mean_the_steadier_scores_higher(centre, spread, more):
    steady, wild = [centre - spread, centre + spread], [centre - spread - more, centre + spread + more]
    assert score(wild) < score(steady) + 1e-6


def test_one_episode_has_no_spread():
    assert score([7.0]) == 7.0


@pytest.mark.parametrize("values", [[], [math.nan], [1.0, math.inf], [-math.inf]])
def test_no_score_without_finite_returns(values):
    with pytest.raises(ResultError):
        score(values)


@pytest.mark.parametrize("values", [(1e200, -1e200), (1.7e308, 1.7e308), (1.7e308, -1.7e308), (10**400,)])
def test_no_score_of_returns_that_are_too_large(values):
    with pytest.raises(ResultError, match="too large"):
        score(values)
    with pytest.raises(ResultError, match="too large"):
        result(returns=values, lengths=values, seeds=values)


def test_a_result_needs_one_seed_and_length_an_episode():
    with pytest.raises(ResultError, match="one entry an episode"):
        result(seeds=(1,))


def test_a_saved_result_is_read_back_equal(tmp_path):
    path = result().save(tmp_path)

    assert load_result(path) == load_result(tmp_path) == result()


def test_the_zoos_readers_find_the_keys_they_know(tmp_path):
    document = json.loads(result().save(tmp_path).read_text())

    zoo = ("mean_reward", "std_reward", "is_deterministic", "n_eval_episodes", "eval_datetime")
    assert [document[key] for key in zoo] == [15.0, 5.0, True, 2, "2026-01-01T00:00:00+00:00"]


def test_a_score_edited_in_the_file_is_computed_again_from_the_episodes():
    document = json.loads(result().to_json()) | {"score": 1e9, "mean_reward": 1e9}

    assert EvaluationResult.from_json(json.dumps(document)).score == 10.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        "{" * 5000,
        '{"returns": [NaN]}',
        result().to_json().replace("10.0", "Infinity"),
        result().to_json().replace("10.0", "1" * 400),
        result().to_json().replace('"protocol_version": 1', '"protocol_version": 1e999'),
    ],
    ids=["empty", "list", "null", "no fields", "deep", "nan", "infinity", "400 digits", "infinite version"],
)
def test_what_is_no_result_is_refused(text):
    with pytest.raises(ResultError):
        EvaluationResult.from_json(text)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(ResultError, match="cannot be read"):
        load_result(tmp_path)


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        result().save(tmp_path / "file")
