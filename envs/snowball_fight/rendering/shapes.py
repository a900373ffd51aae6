"""What a picture is made of: a list of shapes, painted one over the other."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

CAPSULE: Final = 0
BALL: Final = 1
ARC: Final = 2
BOX: Final = 3


class Shape(NamedTuple):
    """One shape in pixels; x grows to the right and y downwards.

    Every shape has two colours. A capsule goes over from the first to the second along its axis, a ball from its lit to
    its shaded side, a box from top to bottom; an arc has the first alone.

    Attributes:
        kind: `CAPSULE` (a thick line with round ends), `BALL` (a shaded disc), `ARC` or `BOX`.
        x: Start of a capsule, centre of the others.
        y: Likewise.
        end_x: End of a capsule; half the width of a box; x of the direction to the middle of an arc.
        end_y: End of a capsule; half the height of a box; y of the direction to the middle of an arc.
        radius: Of the start of a capsule, of a ball, of an arc's middle line, or of a box's corners.
        end_radius: Of the end of a capsule; half the angle of an arc, radians.
        hollow: Thickness of the line when only the outline is drawn, 0 to fill the shape; an arc's thickness.
        softness: Width of the edge: 1 for a smooth edge, more for a blurred one.
        red: Of the first colour, 0 to 255.
        green: Likewise.
        blue: Likewise.
        alpha: Opacity of the first colour, 0 to 1.
        end_red: Of the second colour.
        end_green: Likewise.
        end_blue: Likewise.
        end_alpha: Likewise.
    """

    kind: int
    x: float
    y: float
    end_x: float
    end_y: float
    radius: float
    end_radius: float
    hollow: float
    softness: float
    red: int
    green: int
    blue: int
    alpha: float
    end_red: int
    end_green: int
    end_blue: int
    end_alpha: float


_RECORD: Final = np.dtype([(name, np.int32 if name == "kind" else np.float32) for name in Shape._fields])


def table_of(shapes: list[Shape]) -> NDArray[np.void]:
    """The shapes as an array of records, a field for each attribute, as `painting.paint` takes them."""
    return np.array(shapes, _RECORD).view(np.recarray)
