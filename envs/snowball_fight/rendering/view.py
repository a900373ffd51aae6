"""Where the arena lies in the picture, and a drawing board that takes metres."""

import math
from dataclasses import dataclass
from typing import Final

from snowball_fight.rendering.palette import Colour
from snowball_fight.rendering.shapes import ARC, BALL, BOX, CAPSULE, Shape
from snowball_fight.spec import ArenaSpec

WALL_THICKNESS: Final = 0.45
"""Metres, outwards from where the arena ends."""
_SURROUNDING: Final = 0.3
"""Metres of ground outside the walls that are always seen."""
STRIP_HEIGHT: Final = 0.085
"""Share of the picture that the strip on top takes."""


@dataclass(frozen=True)
class View:
    """A square picture of an arena, seen from above, team 0 at the bottom; a strip on top keeps the score.

    Attributes:
        size: Height and width, pixels.
        scale: Pixels a metre.
        middle_x: Where the middle of the arena lies, pixels from the left.
        middle_y: Likewise, pixels from the top.
    """

    size: int
    scale: float
    middle_x: float
    middle_y: float

    @classmethod
    def of(cls, spec: ArenaSpec, size: int) -> "View":
        """The view that shows the whole arena as large as it fits."""
        outside = WALL_THICKNESS + _SURROUNDING
        strip = size * STRIP_HEIGHT
        scale = min(size / (spec.half_width + outside), (size - strip) / (spec.half_length + outside)) / 2
        return cls(size, scale, size / 2, strip + (size - strip) / 2)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Pixels from the left and from the top of a place in the arena, metres."""
        return self.middle_x + x * self.scale, self.middle_y - y * self.scale


class Board:
    """Collects shapes given in metres, with y along the arena, and hands them out in pixels.

    Args:
        view: Where metres lie in the picture.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self.shapes: list[Shape] = []

    def line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        radius: float,
        colour: Colour,
        alpha: float = 1.0,
        *,
        end_radius: float | None = None,
        end_alpha: float | None = None,
    ) -> None:
        """A thick line with round ends, which may grow thinner and fade."""
        thin = radius if end_radius is None else end_radius
        fade = alpha if end_alpha is None else end_alpha
        self._add(CAPSULE, start, self.view.pixel(*end), radius, thin * self.view.scale, colour, colour, alpha, fade)

    def disc(self, x: float, y: float, radius: float, colour: Colour, alpha: float = 1.0, *, blur: float = 0.0) -> None:
        """A disc of one colour, its edge blurred over so many metres."""
        self._add(BALL, (x, y), (0.0, 0.0), radius, 0.0, colour, colour, alpha, alpha, softness=blur)

    def ball(self, x: float, y: float, radius: float, lit: Colour, shaded: Colour) -> None:
        """A disc that light falls on."""
        self._add(BALL, (x, y), (0.0, 0.0), radius, 0.0, lit, shaded, 1.0, 1.0)

    def ring(self, x: float, y: float, radius: float, thickness: float, colour: Colour, alpha: float = 1.0) -> None:
        """A circle."""
        self._add(BALL, (x, y), (0.0, 0.0), radius, 0.0, colour, colour, alpha, alpha, hollow=thickness)

    def arc(
        self,
        centre: tuple[float, float],
        radius: float,
        thickness: float,
        middle: float,
        angle: float,
        colour: Colour,
        alpha: float = 1.0,
    ) -> None:
        """A part of a circle, `angle` wide around the direction `middle`; radians counter-clockwise from +x."""
        direction = (math.cos(middle), -math.sin(middle))
        self._add(ARC, centre, direction, radius, angle / 2, colour, colour, alpha, alpha, hollow=thickness)

    def box(
        self,
        centre: tuple[float, float],
        half: tuple[float, float],
        corner: float,
        top: Colour,
        bottom: Colour | None = None,
        alpha: float = 1.0,
        *,
        end_alpha: float | None = None,
        hollow: float = 0.0,
        blur: float = 0.0,
    ) -> None:
        """A box with round corners, `half` as wide and high to each side of its centre."""
        extent = (half[0] * self.view.scale, half[1] * self.view.scale)
        low = top if bottom is None else bottom
        fade = alpha if end_alpha is None else end_alpha
        self._add(BOX, centre, extent, corner, 0.0, top, low, alpha, fade, hollow=hollow, softness=blur)

    def _add(
        self,
        kind: int,
        place: tuple[float, float],
        end: tuple[float, float],
        radius: float,
        end_radius: float,
        colour: Colour,
        end_colour: Colour,
        alpha: float,
        end_alpha: float,
        *,
        hollow: float = 0.0,
        softness: float = 0.0,
    ) -> None:
        scale = self.view.scale
        x, y = self.view.pixel(*place)
        edge = max(softness * scale, 1.0)
        sizes = (radius * scale, end_radius, hollow * scale, edge)
        self.shapes.append(Shape(kind, x, y, *end, *sizes, *colour, alpha, *end_colour, end_alpha))
