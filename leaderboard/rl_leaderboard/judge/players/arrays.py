"""Batches of observations and actions as bytes."""

import functools
import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_units.agents.base import Observations

_DESCRIPTION = struct.Struct(">H")
_WHOLE = ""
"""Key of observations that are no dictionary."""


def encode(observations: Observations) -> list[bytes | memoryview]:
    """A batch as the pieces of a message's body: what it is, then its arrays' own bytes, none of them copied.

    Each message describes itself, because some environments' observations have another dtype than their space says,
    and an agent has to see here what it would see without a sandbox.

    Args:
        observations: `(n, ...)` array or a dictionary of them; a dictionary goes in the order of its sorted keys.
    """
    whole = observations if isinstance(observations, dict) else {_WHOLE: observations}
    arrays = {key: np.ascontiguousarray(whole[key]) for key in sorted(whole)}
    description = _describe(tuple((key, array.dtype.str, array.shape) for key, array in arrays.items()))
    return [description, *(content(array) for array in arrays.values())]


def decode(body: bytearray | memoryview) -> Observations:
    """The batch that `encode` was given; its arrays share the body's memory."""
    (length,) = _DESCRIPTION.unpack_from(body)
    start = _DESCRIPTION.size + length
    arrays: dict[str, NDArray[Any]] = {}
    for key, dtype, shape in json.loads(bytes(body[_DESCRIPTION.size : start])):
        count = int(np.prod(shape))
        arrays[key] = np.frombuffer(body, dtype, count, start).reshape(shape)
        start += arrays[key].nbytes
    return arrays[_WHOLE] if set(arrays) == {_WHOLE} else arrays


def content(array: NDArray[Any]) -> memoryview:
    """The bytes of a contiguous array, not copied."""
    return array.reshape(-1).view(np.uint8).data


@functools.lru_cache(maxsize=256)
def _describe(entries: Sequence[tuple[str, str, tuple[int, ...]]]) -> bytes:
    text = json.dumps(entries).encode()
    return _DESCRIPTION.pack(len(text)) + text
