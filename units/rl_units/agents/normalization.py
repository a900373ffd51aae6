"""Observation statistics of SB3's `VecNormalize`, frozen, as `vec_normalize.json`, and applied as SB3 applies them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.preprocessing import is_image_space

from rl_units.agents.architecture import Space
from rl_units.agents.base import Agent, Observations
from rl_units.agents.documents import parse_json
from rl_units.agents.weights import hash_arrays
from rl_units.errors import UnsafeAgentError

FILE_NAME = "vec_normalize.json"
FORMAT_VERSION = 1
_FIELDS = frozenset({"format_version", "mean", "var", "epsilon", "clip_obs", "norm_obs_keys"})
_WHOLE = ""
"""Key of the statistics of an observation that is no dictionary."""


@dataclass(frozen=True)
class NormalizationStatistics:
    """Mean and variance of observations. Rewards are never normalised in scoring, so theirs are not kept.

    Attributes:
        mean: float64 array by observation key; `""` for observations that are plain arrays.
        var: Variances, like `mean`.
        epsilon: Added to the variance.
        clip_obs: Normalised values lie within plus and minus this.
        norm_obs_keys: Keys that are normalised; None for plain arrays.
    """

    mean: Mapping[str, NDArray[np.float64]]
    var: Mapping[str, NDArray[np.float64]]
    epsilon: float
    clip_obs: float
    norm_obs_keys: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuses numbers that could not have been measured.

        Raises:
            UnsafeAgentError: `bad-normalization`.
        """
        keys = {_WHOLE} if self.norm_obs_keys is None else set(self.norm_obs_keys)
        numbers = [*self.mean.values(), *self.var.values(), np.array([self.epsilon, self.clip_obs])]
        problems = {
            "mean and var must have the normalised keys": not keys == set(self.mean) == set(self.var),
            "a number is not finite": not all(bool(np.isfinite(array).all()) for array in numbers),
            "a variance is negative": any(bool((array < 0).any()) for array in self.var.values()),
            "epsilon and clip_obs must be positive": not (self.epsilon > 0 and self.clip_obs > 0),
        }
        for problem, is_found in problems.items():
            if is_found:
                raise UnsafeAgentError("bad-normalization", f"Normalisation statistics: {problem}.")

    @property
    def sha256(self) -> str:
        """Hash of all numbers."""
        arrays = {f"mean.{key}": array for key, array in self.mean.items()}
        arrays |= {f"var.{key}": array for key, array in self.var.items()}
        return hash_arrays({**arrays, "limits": np.array([self.epsilon, self.clip_obs])})

    def check_space(self, space: Space) -> None:
        """Refuses statistics of other observations than the space has.

        Raises:
            UnsafeAgentError: `bad-normalization`.
        """
        is_dict = isinstance(space, spaces.Dict)
        entries: Mapping[str, Space] = space.spaces if isinstance(space, spaces.Dict) else {_WHOLE: space}
        if (self.norm_obs_keys is not None) != is_dict or not set(self.mean) <= set(entries):
            raise UnsafeAgentError("bad-normalization", f"The normalised keys are not those of {space}.")
        for key, mean in self.mean.items():
            entry = entries[key]
            if not mean.shape == self.var[key].shape == entry.shape or not isinstance(entry, spaces.Box):
                raise UnsafeAgentError("bad-normalization", f"Statistics of shape {mean.shape} do not fit {entry}.")
            if is_image_space(entry):
                raise UnsafeAgentError("bad-normalization", "Statistics of images are not supported.")

    def apply(self, observations: Observations) -> Observations:
        """Normalises a batch exactly as `VecNormalize.normalize_obs`.

        Args:
            observations: `(n, ...)` or a dictionary of such arrays; left as they are.

        Returns:
            float32 arrays for the normalised keys, the others unchanged.
        """
        if isinstance(observations, dict):
            return {
                key: self._normalize(value, key) if key in self.mean else value for key, value in observations.items()
            }
        return self._normalize(observations, _WHOLE)

    def _normalize(self, values: NDArray[Any], key: str) -> NDArray[np.float32]:
        scaled = (values - self.mean[key]) / np.sqrt(self.var[key] + self.epsilon)
        return np.clip(scaled, -self.clip_obs, self.clip_obs).astype(np.float32)

    def to_json(self) -> str:
        """The text of `vec_normalize.json`; numbers read back to the last bit."""
        document = {
            "format_version": FORMAT_VERSION,
            "mean": {key: array.tolist() for key, array in self.mean.items()},
            "var": {key: array.tolist() for key, array in self.var.items()},
            "epsilon": self.epsilon,
            "clip_obs": self.clip_obs,
            "norm_obs_keys": None if self.norm_obs_keys is None else list(self.norm_obs_keys),
        }
        return json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, content: bytes) -> "NormalizationStatistics":
        """Reads `vec_normalize.json`; every field must be there, and no other.

        Raises:
            UnsafeAgentError: `bad-json` or `bad-normalization`.
        """
        document = parse_json(content, FILE_NAME)
        if set(document) != _FIELDS or document["format_version"] is not FORMAT_VERSION:
            raise UnsafeAgentError("bad-normalization", f"{FILE_NAME} must have exactly {', '.join(sorted(_FIELDS))}.")
        keys = document["norm_obs_keys"]
        if keys is not None and not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
            raise UnsafeAgentError("bad-normalization", f"{FILE_NAME}: norm_obs_keys must be a list of names or null.")
        return cls(
            mean=_arrays(document["mean"]),
            var=_arrays(document["var"]),
            epsilon=_number(document["epsilon"]),
            clip_obs=_number(document["clip_obs"]),
            norm_obs_keys=None if keys is None else tuple(keys),
        )


@dataclass(frozen=True)
class NormalizedAgent:
    """An agent that sees normalised observations; see `base.Agent`.

    Attributes:
        agent: The agent that was trained on them.
        statistics: Of its training.
    """

    agent: Agent
    statistics: NormalizationStatistics

    @property
    def algo(self) -> str:
        """Algorithm name as the Zoo spells it."""
        return self.agent.algo

    @property
    def sha256(self) -> str:
        """Hash of weights and statistics."""
        return hash_arrays({f"{self.agent.sha256}.{self.statistics.sha256}": np.zeros(0)})

    def act(self, observations: Observations) -> NDArray[Any]:
        """Chooses the deterministic action for each observation; see `base.Agent.act`."""
        return self.agent.act(self.statistics.apply(observations))


def _arrays(table: Any) -> dict[str, NDArray[np.float64]]:
    if not isinstance(table, dict):
        raise UnsafeAgentError("bad-normalization", f"{FILE_NAME}: mean and var must be tables of arrays.")
    try:
        arrays = {key: np.array(value) for key, value in table.items()}
        if any(array.dtype.kind not in "fi" for array in arrays.values()):
            raise TypeError("not all of it are numbers")
        return {key: array.astype(np.float64) for key, array in arrays.items()}
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise UnsafeAgentError("bad-normalization", f"{FILE_NAME}: mean and var are no arrays: {error}.") from error


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e300:
        raise UnsafeAgentError("bad-normalization", f"{FILE_NAME}: epsilon and clip_obs must be finite numbers.")
    return float(value)
