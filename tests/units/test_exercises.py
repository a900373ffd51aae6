"""What a notebook says about a student's answer."""

import numpy as np
import pytest
import torch as th

from rl_units.exercises import check


def test_a_right_answer_is_right(capsys):
    check(th.tensor([[0.1], [0.2]]), np.array([[0.1], [0.2]]))
    assert capsys.readouterr().out == "Right.\n"


def test_an_open_exercise_does_not_stop_the_notebook(capsys):
    check(..., 1.0)
    assert "Still to be written" in capsys.readouterr().out


def test_a_wrong_answer_shows_both():
    with pytest.raises(AssertionError, match=r"answer is\s+0\.5\s+and right is\s+1\.0"):
        check(0.5, 1.0)


def test_another_shape_is_not_silently_broadcast():
    with pytest.raises(AssertionError, match=r"shape \(1,\)"):
        check(th.ones(1), th.ones(8, 1))


def test_not_a_number_is_wrong():
    with pytest.raises(AssertionError, match="nan"):
        check(float("nan"), 1.0)
