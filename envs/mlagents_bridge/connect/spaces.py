"""A behaviour's observations and actions as Gymnasium's spaces, and back.

One sensor is a `Box`, several are a `Dict` by their names, numbered where a name repeats. Only discrete actions are a
`MultiDiscrete`, or a `Discrete` for one branch; only continuous ones a `Box` from -1 to 1; both together a `Dict` of
`"continuous"` and `"discrete"`, or, for libraries without such actions, `flat_action_space`.
"""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mlagents_bridge.behaviors import Actions, Behavior, Floats, Sensor


@functools.cache
def sensor_names(behavior: Behavior) -> tuple[str, ...]:
    """A name for each sensor, no two alike."""
    names = [sensor.name or "observation" for sensor in behavior.sensors]
    repeated = {name for name, count in Counter(names).items() if count > 1}
    numbers: Counter[str] = Counter()
    numbered: list[str] = []
    for name in names:
        chosen = name
        while chosen in numbered or (name in repeated and chosen == name):
            chosen = f"{name}_{numbers[name]}"
            numbers[name] += 1
        numbered.append(chosen)
    return tuple(numbered)


def observation_space(behavior: Behavior) -> spaces.Space[Any]:
    """What one agent observes. Pictures are from 0 to 1, channels first."""
    boxes: list[spaces.Space[Any]] = [_box(sensor) for sensor in behavior.sensors]
    # Pairs, because Gymnasium sorts the keys of a mapping, and a network knows sensors by their place.
    return boxes[0] if len(boxes) == 1 else spaces.Dict(list(zip(sensor_names(behavior), boxes, strict=True)))


def _box(sensor: Sensor) -> spaces.Box:
    low, high = (0.0, 1.0) if sensor.png else (-np.inf, np.inf)
    return spaces.Box(low, high, sensor.shape, np.float32)


def show(behavior: Behavior, observations: Sequence[Floats]) -> Any:
    """Arrays of all sensors as an element of `observation_space`, or a batch of them."""
    if len(behavior.sensors) == 1:
        return observations[0]
    return dict(zip(sensor_names(behavior), observations, strict=True))


def action_space(behavior: Behavior) -> spaces.Space[Any]:
    """What one agent does."""
    parts: dict[str, spaces.Space[Any]] = {}
    if behavior.n_continuous or not behavior.branches:
        parts["continuous"] = spaces.Box(-1, 1, (behavior.n_continuous,), np.float32)
    if behavior.branches:
        parts["discrete"] = _choices(behavior)
    return spaces.Dict(parts) if len(parts) == 2 else next(iter(parts.values()))


def _choices(behavior: Behavior) -> spaces.Space[Any]:
    if len(behavior.branches) == 1:
        return spaces.Discrete(behavior.branches[0])
    return spaces.MultiDiscrete(list(behavior.branches))


def actions_of(behavior: Behavior, given: Any, n_agents: int) -> Actions:
    """Actions of several agents.

    Args:
        behavior: Theirs.
        given: A batch of elements of `action_space`.
        n_agents: How many there have to be. Continuous actions are clipped to their range.

    Raises:
        ValueError: If something is missing, of another shape, out of range or not finite.
    """
    if behavior.n_continuous and behavior.branches:
        if not isinstance(given, Mapping) or set(given) != {"continuous", "discrete"}:
            raise ValueError(f"Actions of {behavior.name} are a dictionary of 'continuous' and 'discrete'.")
        continuous, discrete = given["continuous"], given["discrete"]
    else:
        continuous, discrete = (None, given) if behavior.branches else (given, None)
    return Actions(_continuous(behavior, continuous, n_agents), _discrete(behavior, discrete, n_agents))


def _continuous(behavior: Behavior, given: Any, n_agents: int) -> Floats:
    shape = (n_agents, behavior.n_continuous)
    if given is None:
        return np.zeros(shape, np.float32)
    values = np.asarray(given, np.float32)
    if values.shape != shape or not np.isfinite(values).all():
        raise ValueError(
            f"Continuous actions of {behavior.name} are finite numbers of the shape {shape}, not {values.shape}."
        )
    return np.clip(values, -1, 1)


def _discrete(behavior: Behavior, given: Any, n_agents: int) -> NDArray[np.int32]:
    shape = (n_agents, len(behavior.branches))
    if given is None:
        return np.zeros(shape, np.int32)
    values = np.asarray(given)
    if len(behavior.branches) == 1 and values.shape == (n_agents,):
        values = values[:, None]
    if values.shape != shape or values.dtype.kind not in "iu":
        raise ValueError(
            f"Discrete actions of {behavior.name} are integers of the shape {shape}, not {values.dtype} {values.shape}."
        )
    if ((values < 0) | (values >= np.array(behavior.branches))).any():
        raise ValueError(f"Discrete actions of {behavior.name} are below {list(behavior.branches)}, and not negative.")
    return values.astype(np.int32)


def flat_action_space(behavior: Behavior) -> spaces.Space[Any]:
    """`action_space`, but continuous and discrete actions together are a `Box` from -1 to 1.

    It holds the continuous ones, and then a score for every choice of every branch.
    """
    if behavior.n_continuous and behavior.branches:
        return spaces.Box(-1, 1, (behavior.n_continuous + sum(behavior.branches),), np.float32)
    return action_space(behavior)


def actions_of_flat(behavior: Behavior, given: Any, forbidden: NDArray[np.bool_]) -> Actions:
    """Actions of several agents, from a batch of elements of `flat_action_space`.

    Args:
        behavior: Theirs.
        given: For each agent. Of every branch, the choice with the highest score is taken.
        forbidden: bool `[n, sum of branches]`, the choices that are left out.

    Raises:
        ValueError: If something is of another shape, out of range or not finite.
    """
    if not (behavior.n_continuous and behavior.branches):
        return actions_of(behavior, given, len(forbidden))
    values = np.asarray(given, np.float32)
    shape = (len(forbidden), behavior.n_continuous + sum(behavior.branches))
    if values.shape != shape or not np.isfinite(values).all():
        raise ValueError(f"Actions of {behavior.name} are finite numbers of the shape {shape}, not {values.shape}.")
    scores = np.where(forbidden, -np.inf, values[:, behavior.n_continuous :])
    branches = np.split(scores, np.cumsum(behavior.branches)[:-1], axis=1)
    discrete = np.stack([branch.argmax(axis=1) for branch in branches], axis=1).astype(np.int32)
    return Actions(np.clip(values[:, : behavior.n_continuous], -1, 1), discrete)
