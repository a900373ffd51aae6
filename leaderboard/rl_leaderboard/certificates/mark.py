"""The mark of RL Classroom: a way through a small grid world to its goal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

# Columns and rows from the upper left, as in the pages' own drawing; a cell is 6 of 20 wide, its corner 1.5.
_FIELD = ((0, 0), (1, 0), (0, 1), (2, 1), (2, 2))
_WAY = ((0, 2), (1, 2), (1, 1))


def draw_mark(canvas: "Canvas", x: float, y: float, size: float, *, field: str, way: str, goal: str) -> None:
    """Draws the mark.

    Args:
        canvas: Where.
        x: Left edge, in points.
        y: Lower edge.
        size: Width and height.
        field: Colour of the cells beside the way.
        way: Colour of the cells on the way.
        goal: Colour of the goal.
    """
    unit = size / 20
    for colour, cells in ((field, _FIELD), (way, _WAY)):
        canvas.setFillColor(colour)
        for column, row in cells:
            left, lower = x + 7 * column * unit, y + (14 - 7 * row) * unit
            canvas.roundRect(left, lower, 6 * unit, 6 * unit, 1.5 * unit, stroke=0, fill=1)
    canvas.setFillColor(goal)
    canvas.circle(x + 17 * unit, y + 17 * unit, 3 * unit, stroke=0, fill=1)
