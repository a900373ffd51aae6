"""Checks for a notebook's exercises."""

from types import EllipsisType
from typing import Any

import numpy as np

# Between the rounding of 32-bit arithmetic and anything that a wrong formula would make.
_TOLERANCE = 1e-5


def check(answer: Any, expected: Any) -> None:
    """Says whether an exercise's answer is right; a wrong one stops the notebook, an unwritten one does not.

    Args:
        answer: Number, array or CPU tensor; `...` while the exercise is still to be written.
        expected: The right answer.

    Raises:
        AssertionError: If the answer is wrong; the message shows both.
    """
    if isinstance(answer, EllipsisType):
        print("Still to be written. The rest of the notebook runs without it.")  # noqa: T201 # speaks in a notebook
        return
    found, right = np.asarray(answer, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if found.shape != right.shape:
        raise AssertionError(f"Not yet: the answer has the shape {found.shape}, and {right.shape} is right.")
    if not np.allclose(found, right, rtol=_TOLERANCE, atol=_TOLERANCE):
        raise AssertionError(f"Not yet: the answer is\n{found}\nand right is\n{right}")
    print("Right.")  # noqa: T201 # speaks in a notebook
