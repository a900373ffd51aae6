"""Digits as strokes of a round pen, in a box one wide and two high, from the lower left."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

Points = tuple[tuple[float, float], ...]


def _bend(x: float, y: float, half_width: float, half_height: float, start: float, end: float) -> Points:
    """A part of an ellipse around a point, from one angle to another, degrees counter-clockwise from +x."""
    n_parts = max(3, round(abs(end - start) / 30))
    angles = [math.radians(start + (end - start) * part / n_parts) for part in range(n_parts + 1)]
    return tuple((x + half_width * math.cos(angle), y + half_height * math.sin(angle)) for angle in angles)


_STROKES: Final[tuple[tuple[Points, ...], ...]] = (
    (_bend(0.5, 1.0, 0.5, 1.0, 0, 360),),
    (((0.2, 1.6), (0.6, 2.0), (0.6, 0.0)),),
    ((*_bend(0.5, 1.45, 0.48, 0.55, 165, -30), (0.0, 0.0), (1.0, 0.0)),),
    (_bend(0.48, 1.53, 0.42, 0.47, 150, -90), _bend(0.48, 0.53, 0.5, 0.53, 90, -150)),
    (((0.78, 0.0), (0.78, 2.0), (0.0, 0.62), (1.05, 0.62)),),
    (((0.9, 2.0), (0.15, 2.0), (0.06, 1.12)), _bend(0.46, 0.63, 0.54, 0.63, 138, -150)),
    (_bend(0.5, 0.62, 0.5, 0.62, 0, 360), ((0.76, 2.0), (0.3, 1.45), (0.0, 0.7))),
    (((0.0, 2.0), (1.0, 2.0), (0.35, 0.0)),),
    (_bend(0.5, 1.52, 0.42, 0.48, 0, 360), _bend(0.5, 0.52, 0.5, 0.52, 0, 360)),
    (_bend(0.5, 1.38, 0.5, 0.62, 0, 360), ((0.24, 0.0), (0.7, 0.55), (1.0, 1.3))),
)


def strokes_of(digit: int) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Start and end of each straight part of a digit, 0 to 9."""
    for points in _STROKES[digit]:
        yield from pairwise(points)
