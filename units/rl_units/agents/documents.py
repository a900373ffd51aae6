"""JSON of strangers, parsed strictly."""

import json
import math
from typing import Any

from rl_units.agents.excerpts import excerpt
from rl_units.errors import UnsafeAgentError

MAX_BYTES = 16 * 1024**2
"""Largest document; SB3 keeps the last observations of all environments in its `data`, a few hundred kB for Atari."""


def parse_json(content: bytes, what: str) -> dict[str, Any]:
    """Parses a JSON object; repeated keys, NaN and infinities are refused.

    Args:
        content: UTF-8 text.
        what: Its name, for messages.

    Raises:
        UnsafeAgentError: `bad-json`.
    """
    try:
        document = json.loads(
            content.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError) as error:
        raise UnsafeAgentError("bad-json", f"{what} is not JSON that can be read: {excerpt(error)}.") from error
    if not isinstance(document, dict):
        raise UnsafeAgentError("bad-json", f"{what} must be a JSON object, and is a {type(document).__name__}.")
    return document


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_constant(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a key stands twice")
    return table
