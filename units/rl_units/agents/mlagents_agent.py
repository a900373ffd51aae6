"""Agents that Unity ML-Agents trained, played from the `<Behavior>.onnx` that it exports, with onnxruntime alone."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_units.agents.architecture import Space
from rl_units.agents.archives import MAX_WEIGHT_BYTES, read_file
from rl_units.agents.base import Observations
from rl_units.agents.choices import branches_of
from rl_units.agents.excerpts import excerpt
from rl_units.agents.mlagents_graph import REMEDY, MlagentsGraph, read_mlagents_graph
from rl_units.agents.mlagents_policy import MlagentsPolicy
from rl_units.errors import UnsafeAgentError

ACTION_MASK = "action_mask"
"""The entry of a dictionary of observations that says which choices are allowed, as PettingZoo calls it."""
MLAGENTS = "mlagents"
"""Stands for the algorithm, which ML-Agents does not write into its files."""


@dataclass(frozen=True)
class MlagentsAgent:
    """A graph of ML-Agents that plays one of our environments; see `base.Agent`.

    Attributes:
        policy: What it plays by.
        content: The file.
        keys: Of a dictionary of observations, in the order of the graph's; empty for observations in one array.
        action_space: Of our environment.
        sha256: Hash of the file.
    """

    policy: MlagentsPolicy
    content: bytes = field(repr=False)
    keys: tuple[str, ...]
    action_space: Space
    sha256: str

    @property
    def algo(self) -> str:
        """`MLAGENTS`."""
        return MLAGENTS

    def act(self, observations: Observations, action_masks: NDArray[Any] | None = None) -> NDArray[Any]:
        """Chooses an action for each observation; a deterministic one for each observation alone.

        Args:
            observations: As `base.Agent.act`.
            action_masks: As `MlagentsPolicy.act`; None takes those among the observations, if they are there.

        Returns:
            As `base.Agent.act`.

        Raises:
            EvaluationError: As `MlagentsPolicy.act`.
        """
        if action_masks is None and isinstance(observations, dict):
            action_masks = observations.get(ACTION_MASK)
        continuous, discrete = self.policy.act(self._sensors(observations), action_masks)
        space = self.action_space
        actions = _within(space, continuous) if isinstance(space, spaces.Box) else discrete
        return actions.reshape(-1, *(space.shape or ()))

    def _sensors(self, observations: Observations) -> list[NDArray[Any]]:
        shapes = self.policy.graph.observations
        if isinstance(observations, dict):
            parts = [observations[key] for key in self.keys]
        else:
            ends = np.cumsum([math.prod(shape) for shape in shapes])
            parts = np.split(observations.reshape(len(observations), -1), ends[:-1], axis=1)
        return [
            _picture(part.reshape(-1, *shape)) if len(shape) == 3 else part.reshape(-1, *shape)
            for part, shape in zip(parts, shapes, strict=True)
        ]


def _picture(values: NDArray[Any]) -> NDArray[Any]:
    """A picture from 0 to 1."""
    return values / np.float32(255) if values.dtype == np.uint8 else values


def _within(space: spaces.Box, actions: NDArray[np.float32]) -> NDArray[Any]:
    """Actions from -1 to 1 within a space's bounds, for which these stand; as they are where there are none."""
    bounded = np.isfinite(space.low) & np.isfinite(space.high)
    low, high = (np.where(bounded, bound, 0).reshape(-1).astype(np.float64) for bound in (space.low, space.high))
    scaled = np.where(bounded.reshape(-1), low + (actions + 1.0) / 2 * (high - low), actions)
    return np.clip(scaled, space.low.reshape(-1), space.high.reshape(-1)).astype(space.dtype)


def load_mlagents_onnx(
    path: Path, observation_space: Space, action_space: Space, *, deterministic: bool = True
) -> MlagentsAgent:
    """Loads a file that ML-Agents exported, of at most `MAX_WEIGHT_BYTES`.

    Its observations are the environment's in the same order: the entries of a dictionary, by name where they are
    called `obs_0`, `obs_1` and so on; or one array, divided by the widths that the graph declares. Pictures of bytes
    are divided by 255, and are channels, height, width.

    Args:
        path: The file.
        observation_space: Of our environment: Box, or Dict of such, where `"action_mask"` is no observation but says
            what is allowed.
        action_space: Of our environment: Discrete, MultiDiscrete, or Box, whose bounds ML-Agents' -1 and 1 stand for.
        deterministic: Whether it plays its likeliest actions or samples; see `MlagentsPolicy`.

    Raises:
        UnsafeAgentError: As `archives.read_file` and `mlagents_graph.read_mlagents_graph`; `does-not-fit` if
            observations or actions are not those of our spaces.
    """
    content = read_file(path, MAX_WEIGHT_BYTES)
    graph = read_mlagents_graph(content, path.name, deterministic=deterministic)
    keys = _fitting_keys(graph, observation_space, path.name)
    _check_actions(graph, action_space, path.name)
    policy = MlagentsPolicy(graph, deterministic)
    try:
        _ = policy.session
    except Exception as error:  # onnxruntime's errors have no common base
        raise UnsafeAgentError("damaged-onnx", f"onnxruntime cannot read {path.name}: {excerpt(error)}") from error
    return MlagentsAgent(policy, content, keys, action_space, hashlib.sha256(content).hexdigest())


def _fitting_keys(graph: MlagentsGraph, space: Space, what: str) -> tuple[str, ...]:
    """The keys of a dictionary in the order of the graph's observations; none for one array."""
    shapes, keys = graph.observations, tuple[str, ...]()
    if isinstance(space, spaces.Dict):
        numbered = tuple(f"obs_{index}" for index in range(len(shapes)))
        named = tuple(key for key in space.spaces if key != ACTION_MASK)
        keys = numbered if set(numbered) == set(named) else named
        fits = len(keys) == len(shapes) and all(map(_holds, (space.spaces[key] for key in keys), shapes))
    elif len(shapes) == 1:
        fits = _holds(space, shapes[0])
    else:
        fits = _holds(space, (sum(map(math.prod, shapes)),))
    if not fits:
        sizes = _sizes(map(math.prod, shapes))
        raise UnsafeAgentError(
            "does-not-fit", f"{what} observes {sizes} numbers, and the environment has {_described(space)}. {REMEDY}"
        )
    return keys


def _holds(space: Space, shape: tuple[int, ...]) -> bool:
    """Whether a space's observations can be handed over as arrays of a shape."""
    if not isinstance(space, spaces.Box):
        return False
    return space.shape == shape or (len(shape) == 1 and math.prod(space.shape) == shape[0])


def _check_actions(graph: MlagentsGraph, space: Space, what: str) -> None:
    branches = branches_of(space)
    if branches is None and isinstance(space, spaces.Box):
        fits = (graph.continuous_size, graph.branches) == (math.prod(space.shape), ())
    else:
        fits = (graph.continuous_size, graph.branches) == (0, branches)
    if not fits:
        kinds = [f"{graph.continuous_size} continuous actions"] if graph.continuous_size else []
        kinds += [f"discrete actions of {_sizes(graph.branches)} choices"] if graph.branches else []
        raise UnsafeAgentError(
            "does-not-fit", f"{what} has {' and '.join(kinds)}, and the environment {_described(space)}. {REMEDY}"
        )


def _described(space: Space) -> str:
    return f"a Box of {space.dtype} {space.shape}" if isinstance(space, spaces.Box) else excerpt(space)


def _sizes(numbers: Iterable[int]) -> str:
    return excerpt(" + ".join(map(str, numbers)))
