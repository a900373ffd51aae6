"""What a student reads when files are refused: it ends with what to do, however much was said before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_leaderboard.judge.players import AgentFailed
from rl_leaderboard.judge.players.service import _failure
from rl_units.errors import ONNX_REMEDY, UnsafeAgentError


def told(reason, message):
    """The sentence of a refusal, after the judge has cut what came from the sandbox."""
    return _failure(
        {"reason": "refused", "sentence": str(UnsafeAgentError(reason, message)), "refusal": reason}
    ).sentence


@given(length=st.integers(1, 400))
def test_what_to_do_stands_there_once_and_whole_however_long_the_quoted_error_is(length):
    sentence = told("damaged-onnx", f"onnxruntime cannot read agent.onnx: {'x' * length}")

    assert sentence.endswith(f" {ONNX_REMEDY}")
    assert sentence.count("Export") == 1
    assert len(sentence) < 400


def test_a_sentence_that_was_not_cut_is_left_as_it_is():
    assert told("symlink", "agent.zip is a symbolic link.").count("Use ") == 1
    assert AgentFailed("refused", "It is odd.", "damaged-onnx").sentence == "It is odd."


@pytest.mark.parametrize("reason", ["ambiguous-folder", "no such refusal"])
def test_where_the_sentence_says_it_already_nothing_is_added(reason):
    assert told(reason, "Name one of them.") == "Name one of them."
