"""The game's spaces in Gymnasium's terms. Light to import: reading them compiles nothing."""

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from snowball_fight import layout
from snowball_fight.spec import ArenaSpec

CHOICES = (3, 3, 3, 2)
"""Choices on each branch of an action: forward or back, right or left, clockwise or counter-clockwise, throw."""

Observations = NDArray[np.float32]
Actions = NDArray[np.integer]


def observation_space(spec: ArenaSpec) -> spaces.Box:
    """What an agent of this kind of game sees: float32 `[floats]`, see `snowball_fight.layout`."""
    low, high = layout.bounds(spec)
    return spaces.Box(low, high, dtype=np.float32)


def action_space() -> spaces.MultiDiscrete[np.int64]:
    """What an agent does: integers `[4]`, 0 for nothing on each branch."""
    return spaces.MultiDiscrete(list(CHOICES))


def checked_actions(actions: Actions, shape: tuple[int, ...], whose: str) -> Actions:
    """Actions of the right kind and shape; their range is checked where they are played.

    Args:
        actions: What came in.
        shape: What it has to have.
        whose: Begins the sentence of an error: `"The action"`.

    Returns:
        The actions as an array.

    Raises:
        TypeError: If they are not integers.
        ValueError: If their shape is wrong.
    """
    actions = np.asarray(actions)
    if actions.dtype.kind not in "iu":
        raise TypeError(f"{whose} has to be of integers, not {actions.dtype}: {shape[-1]} choices, 0 for nothing.")
    if actions.shape != shape:
        raise ValueError(f"{whose} has to have the shape {shape}, not {actions.shape}.")
    return actions
