"""Paints shapes onto a picture. An edge is as sharp as its distance says, so that nothing is jagged.

A shape is known by its signed distance: how far a point lies outside (above 0) or inside (below 0) of it. The formulas
for capsule, box and arc are well known; Inigo Quilez has collected them ("2D distance functions", iquilezles.org).
"""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from snowball_fight.compiling import compiled, driver
from snowball_fight.rendering.shapes import ARC, BALL, BOX, CAPSULE

Real = np.float32
Record = Any
"""A record of `shapes.table_of`."""

_0 = Real(0)
_HALF = Real(0.5)
_1 = Real(1)
_LEAST = Real(1e-6)
"""Stands for 0 in a divisor."""

SHADE_X: Final = Real(0.6)
SHADE_Y: Final = Real(0.8)
"""Where shadows fall, right and down the picture: the light comes from the upper left."""


@compiled
def _held(value: Real) -> Real:
    return min(max(value, _0), _1)


@compiled
def _capsule(x: Real, y: Real, axis_x: Real, axis_y: Real, radius: Real, end_radius: Real) -> tuple[Real, Real]:
    """Distance to a line that may grow thinner, and how far along it the nearest point is, 0 to 1."""
    along = _held((x * axis_x + y * axis_y) / max(axis_x * axis_x + axis_y * axis_y, _LEAST))
    off_x, off_y = x - axis_x * along, y - axis_y * along
    return np.sqrt(off_x * off_x + off_y * off_y) - radius - (end_radius - radius) * along, along


@compiled
def _ball(x: Real, y: Real, radius: Real) -> tuple[Real, Real]:
    """Distance to a disc, and how far on its shaded side the point is, 0 to 1."""
    shaded = _HALF + _HALF * (x * SHADE_X + y * SHADE_Y) / max(radius, _LEAST)
    return np.sqrt(x * x + y * y) - radius, _held(shaded)


@compiled
def _box(x: Real, y: Real, half_x: Real, half_y: Real, corner: Real) -> tuple[Real, Real]:
    """Distance to a box with round corners, and how far down it the point is, 0 to 1."""
    off_x = abs(x) - half_x + corner
    off_y = abs(y) - half_y + corner
    out_x, out_y = max(off_x, _0), max(off_y, _0)
    distance = np.sqrt(out_x * out_x + out_y * out_y) + min(max(off_x, off_y), _0) - corner
    return distance, _held(_HALF + _HALF * y / max(half_y, _LEAST))


@compiled
def _arc(along: Real, off: Real, radius: Real, cosine: Real, sine: Real) -> Real:
    """Distance to the middle line of an arc, from a point so far along its middle direction and so far off it.

    `cosine` and `sine` are those of half the arc's angle.
    """
    if off * cosine <= along * sine:
        return np.float32(abs(np.sqrt(along * along + off * off) - radius))
    along, off = along - radius * cosine, off - radius * sine
    return np.float32(np.sqrt(along * along + off * off))


@compiled
def _box_around(shape: Record, height: int, width: int) -> tuple[int, int, int, int]:
    """First and last row, first and last column (the last ones excluded) that a shape can touch."""
    left, right, top, bottom = shape.x, shape.x, shape.y, shape.y
    reach_x = reach_y = max(shape.radius, shape.end_radius)
    if shape.kind == CAPSULE:
        left, right = min(left, shape.end_x), max(right, shape.end_x)
        top, bottom = min(top, shape.end_y), max(bottom, shape.end_y)
    elif shape.kind == BOX:
        reach_x, reach_y = shape.end_x, shape.end_y
    edge = _HALF * (shape.hollow + shape.softness) + _1
    return (
        max(int(top - reach_y - edge), 0),
        min(int(bottom + reach_y + edge) + 1, height),
        max(int(left - reach_x - edge), 0),
        min(int(right + reach_x + edge) + 1, width),
    )


@compiled
def _columns(shape: Record, y: Real, left: int, right: int) -> tuple[int, int]:
    """First and last column (excluded) of a row that a shape can touch; `y` is how far the row lies below its start."""
    reach = max(shape.radius, shape.end_radius) + _HALF * (shape.hollow + shape.softness) + _1
    if shape.kind == BALL or shape.kind == ARC:
        half = np.sqrt(max(reach * reach - y * y, _0))
        return max(int(shape.x - half), left), min(int(shape.x + half) + 1, right)
    axis_x, axis_y = shape.end_x - shape.x, shape.end_y - shape.y
    if shape.kind == CAPSULE and abs(axis_y) > _1:
        middle = shape.x + y * axis_x / axis_y
        half = reach * np.sqrt(axis_x * axis_x + axis_y * axis_y) / abs(axis_y)
        return max(int(middle - half), left), min(int(middle + half) + 1, right)
    return left, right


@compiled
def _hole(shape: Record, y: Real) -> tuple[int, int]:
    """First and last column (excluded) of a row that lie inside a circle's line, where nothing is painted."""
    inner = shape.radius - _HALF * (shape.hollow + shape.softness) - _1
    if (shape.kind != ARC and shape.kind != BALL) or shape.hollow == _0 or inner <= abs(y):
        return 0, 0
    half = np.sqrt(inner * inner - y * y)
    return int(shape.x - half) + 1, int(shape.x + half)


@compiled
def _laid_over(below: np.uint8, colour: Real, opacity: Real) -> np.uint8:
    """A channel of a pixel with a colour laid over it."""
    under = Real(below)
    return np.uint8(under + (colour - under) * opacity + _HALF)


@compiled
def _coverage(distance: Real, hollow: Real, softness: Real) -> Real:
    """How much of a pixel at this distance a shape covers, 0 to 1."""
    if hollow > _0:
        distance = abs(distance) - hollow * _HALF
    share = _held(_HALF - distance / softness)
    return share * share * (Real(3) - Real(2) * share) if softness > Real(2) else share


@compiled
def _paint_shape(canvas: NDArray[np.uint8], shape: Record) -> None:
    """Paints one shape. Its fields are read once: the compiler cannot know that pixels are not among them."""
    kind, start_x, start_y, end_x, end_y = shape.kind, shape.x, shape.y, shape.end_x, shape.end_y
    radius, end_radius, hollow, softness = shape.radius, shape.end_radius, shape.hollow, shape.softness
    red, green, blue, alpha = shape.red, shape.green, shape.blue, shape.alpha
    more_red, more_green, more_blue = shape.end_red - red, shape.end_green - green, shape.end_blue - blue
    more_alpha = shape.end_alpha - alpha
    cosine, sine = Real(math.cos(end_radius)), Real(math.sin(end_radius))
    top, bottom, left, right = _box_around(shape, canvas.shape[0], canvas.shape[1])
    for row in range(top, bottom):
        y = Real(row) + _HALF - start_y
        first, last = _columns(shape, y, left, right)
        hole, beyond = _hole(shape, y)
        for column in range(first, last):
            if hole <= column < beyond:
                continue
            x = Real(column) + _HALF - start_x
            share = _0
            if kind == CAPSULE:
                distance, share = _capsule(x, y, end_x - start_x, end_y - start_y, radius, end_radius)
            elif kind == BALL:
                distance, share = _ball(x, y, radius)
            elif kind == BOX:
                distance, share = _box(x, y, end_x, end_y, radius)
            else:
                distance = _arc(x * end_x + y * end_y, abs(y * end_x - x * end_y), radius, cosine, sine)
            opacity = _coverage(distance, hollow, softness) * (alpha + more_alpha * share)
            if opacity > _0:
                canvas[row, column, 0] = _laid_over(canvas[row, column, 0], red + more_red * share, opacity)
                canvas[row, column, 1] = _laid_over(canvas[row, column, 1], green + more_green * share, opacity)
                canvas[row, column, 2] = _laid_over(canvas[row, column, 2], blue + more_blue * share, opacity)


@driver
def paint(canvas: NDArray[np.uint8], shapes: NDArray[np.void]) -> None:
    """Paints shapes, the first one lowest.

    Args:
        canvas: uint8 `[height, width, 3]`, painted over.
        shapes: Records of `shapes.table_of`, `[n]`.
    """
    for index in range(len(shapes)):
        _paint_shape(canvas, shapes[index])
