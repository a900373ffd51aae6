"""The order of a board, and cursors: places in it that a page continues from."""

import base64
import binascii
import json
import math
from typing import Any

from rl_leaderboard.database.tables import standings
from rl_leaderboard.errors import BadRequest

Key = tuple[int, float, float, int, int]
ORDER = (
    standings.c.tier,
    standings.c.minus_score,
    standings.c.minus_mean,
    standings.c.submitted_us,
    standings.c.submission_id,
)
"""Columns that are all ascending, so that one comparison of rows finds the next page; no two rows are equal."""


def key_of(row: Any) -> Key:
    """Where a row stands that has the columns of the order."""
    return row.tier, row.minus_score, row.minus_mean, row.submitted_us, row.submission_id


def write_cursor(key: Key) -> str:
    """A place as the text that addresses carry."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> Key:
    """The place that a cursor names.

    Raises:
        BadRequest: If it is not one of ours.
    """
    try:
        text = base64.urlsafe_b64decode(cursor[:200] + "=" * (-len(cursor[:200]) % 4))
        tier, score, mean, microseconds, number = json.loads(text)
        key = int(tier), float(score), float(mean), int(microseconds), int(number)
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        raise BadRequest("This cursor is not known: start from the first page.") from None
    whole = all(abs(part) < 2**62 for part in (key[0], key[3], key[4]))
    if not whole or not math.isfinite(key[1]) or not math.isfinite(key[2]):
        raise BadRequest("This cursor is not known: start from the first page.")
    return key
