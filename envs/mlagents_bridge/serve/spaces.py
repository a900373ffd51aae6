"""Gymnasium's spaces in ML-Agents' terms: sensors for observations, continuous and discrete actions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mlagents_bridge.behaviors import Floats, Sensor
from mlagents_bridge.errors import BridgeError

ACTION_MASK: Final = "action_mask"
"""The key, in an observation or in `info`, of which choices are allowed."""

_LEAST_PIXELS: Final = 20
"""ML-Agents' networks for pictures need as many in both directions; smaller ones go as plain numbers."""


@dataclass(frozen=True)
class Sense:
    """An observation's part that is a sensor of its own.

    Attributes:
        sensor: How ML-Agents sees it.
        read: Takes an agent's whole observation, and gives float32 of the sensor's shape.
    """

    sensor: Sensor
    read: Callable[[Any], Floats]


@dataclass(frozen=True)
class ActionForm:
    """How actions of ML-Agents become those of a space.

    Attributes:
        n_continuous: As in `Behavior`.
        branches: As in `Behavior`.
        value: Takes an agent's continuous and discrete actions, and gives what the space contains.
    """

    n_continuous: int
    branches: tuple[int, ...]
    value: Callable[[Floats, NDArray[np.int32]], Any]


def senses_of(space: spaces.Space[Any], whose: str) -> tuple[Sense, ...]:
    """The sensors of an observation space.

    Args:
        space: A Box, Discrete, MultiDiscrete or MultiBinary, or a Dict of those; its action mask is no sensor.
        whose: The agent's name, for the sentence.

    Raises:
        BridgeError: If it is another space.
    """
    if not isinstance(space, spaces.Dict):
        return (_sense("observation", space, lambda observation: observation, whose),)

    def part_of(key: str) -> Callable[[Any], Any]:
        return lambda observation: observation[key]

    return tuple(_sense(key, part, part_of(key), whose) for key, part in space.items() if key != ACTION_MASK)


def _sense(name: str, space: spaces.Space[Any], part: Callable[[Any], Any], whose: str) -> Sense:
    if isinstance(space, spaces.Box) and _is_picture(space):
        height, width, channels = space.shape
        scale = np.float32(255 if space.dtype == np.uint8 else 1)
        return Sense(
            Sensor(name, (channels, height, width), dimension_properties=(1, 2, 2)),
            lambda observation: np.moveaxis(np.asarray(part(observation), np.float32) / scale, -1, 0),
        )
    if isinstance(space, spaces.Box):
        return Sense(
            Sensor(name, (int(np.prod(space.shape)),)),
            lambda observation: np.asarray(part(observation), np.float32).reshape(-1),
        )
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        return Sense(
            Sensor(name, (spaces.flatdim(space),)),
            lambda observation: np.asarray(spaces.flatten(space, part(observation)), np.float32),
        )
    raise BridgeError(
        f"{whose} observes {name!r} in a space of the kind {type(space).__name__}. ML-Agents can be shown Box, "
        "Discrete, MultiDiscrete, MultiBinary, and a Dict of those: wrap the environment so that it observes these."
    )


def _is_picture(space: spaces.Box) -> bool:
    return (
        len(space.shape) == 3
        and min(space.shape[:2]) >= _LEAST_PIXELS
        and space.shape[2] <= 4
        and (space.dtype == np.uint8 or bool((space.low >= 0).all() and (space.high <= 1).all()))
    )


def action_form(space: spaces.Space[Any], whose: str) -> ActionForm:
    """The actions of a space.

    Args:
        space: A Box, whose bounds ML-Agents' -1 and 1 stand for; a Discrete, MultiDiscrete or MultiBinary.
        whose: The agent's name, for the sentence.

    Raises:
        BridgeError: If it is another space.
    """
    if isinstance(space, spaces.Box):
        return ActionForm(int(np.prod(space.shape)), (), _scaling(space))
    if isinstance(space, spaces.Discrete):
        return ActionForm(0, (int(space.n),), lambda _, discrete: int(discrete[0]) + int(space.start))
    if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1:
        return ActionForm(
            0, tuple(int(n) for n in space.nvec), lambda _, discrete: discrete.astype(space.dtype) + space.start
        )
    if isinstance(space, spaces.MultiBinary) and len(space.shape) == 1:
        return ActionForm(0, (2,) * space.shape[0], lambda _, discrete: discrete.astype(space.dtype))
    raise BridgeError(
        f"{whose} acts in a space of the kind {type(space).__name__} of shape {space.shape}. ML-Agents knows Box, "
        "Discrete, and MultiDiscrete and MultiBinary of one dimension: wrap the environment so that it takes these."
    )


def _scaling(space: spaces.Box) -> Callable[[Floats, NDArray[np.int32]], NDArray[Any]]:
    """From -1 and 1 to the bounds. Where there are none the numbers go through as they are."""
    bounded = np.isfinite(space.low) & np.isfinite(space.high)
    low = np.where(bounded, space.low, 0).astype(np.float64)
    high = np.where(bounded, space.high, 0).astype(np.float64)

    def scale(continuous: Floats, _: NDArray[np.int32]) -> NDArray[Any]:
        action = continuous.reshape(space.shape).astype(np.float64)
        within = low + (np.clip(action, -1, 1) + 1) / 2 * (high - low)
        return np.clip(np.where(bounded, within, action), space.low, space.high).astype(space.dtype)

    return scale


def forbidden(allowed: Any, n_choices: int, whose: str) -> NDArray[np.bool_]:
    """An action mask as ML-Agents has it, bool `[n_choices]`.

    Args:
        allowed: True or 1 for each choice that is allowed, branch after branch.
        n_choices: Of all branches.
        whose: The agent's name, for the sentence.

    Raises:
        BridgeError: If there are not as many.
    """
    mask = np.asarray(allowed).reshape(-1).astype(np.bool_)
    if len(mask) != n_choices:
        raise BridgeError(f"The action mask of {whose} is for {len(mask)} choices, but there are {n_choices}.")
    return ~mask
