"""Infos of a vector environment as Gymnasium lays them out: an array a key, and a mask of who has it under `_key`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]

_AT_THE_END = ("won",)
"""What only the end of an episode says."""


def masked(name: str, values: Any, of: Flags) -> dict[str, Any]:
    """An entry with its mask."""
    return {name: values, f"_{name}": of.copy()}


def counted(counts: Mapping[str, NDArray[np.integer]], of: Flags) -> dict[str, Any]:
    """Counts, integers `[n]`, of the environments that `of`, bool `[n]`, names, and zeros for the others."""
    return {key: entry for name, values in counts.items() for key, entry in masked(name, values * of, of).items()}


def finished(infos: Mapping[str, Any], last: NDArray[np.float32], ended: Flags) -> dict[str, Any]:
    """Infos after an autoreset within the step.

    Args:
        infos: Those of the step: counts, which every environment has, and what only the end of an episode says.
        last: The last observations, float32 `[n, floats]`.
        ended: Whose episodes have ended, bool `[n]`.

    Returns:
        The counts of the episodes that go on and zeros for those that begin; with what belongs to an episode that ended
        under `final_obs` and `final_info`.
    """
    now: dict[str, Any] = {}
    final: dict[str, Any] = {}
    for name in [key for key in infos if f"_{key}" in infos]:
        if name in _AT_THE_END:
            final |= masked(name, infos[name], ended)
        else:
            now |= masked(name, infos[name] * ~ended, infos[f"_{name}"])
            final |= masked(name, infos[name] * ended, ended)
    rows = np.full(len(ended), None, np.object_)
    for row in np.flatnonzero(ended):
        rows[row] = last[row]
    return now | masked("final_obs", rows, ended) | masked("final_info", final, ended)
