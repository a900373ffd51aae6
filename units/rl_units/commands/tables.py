"""Tables of plain text, their columns aligned."""

import unicodedata
from collections.abc import Collection, Sequence


def render_table(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[str] = ()) -> str:
    """The lines of a table.

    Args:
        headings: One a column.
        rows: One text a column.
        numbers: Headings of the columns that are aligned to the right.

    Returns:
        One line for the headings and one a row, without spaces at their ends.
    """
    widths = [max(map(_width, column)) for column in zip(headings, *rows, strict=True)]
    lines = []
    for row in (headings, *rows):
        cells = [
            " " * (width - _width(cell)) + cell if heading in numbers else cell + " " * (width - _width(cell))
            for heading, cell, width in zip(headings, row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def number(value: float | None) -> str:
    """A score or a return, to two decimals; `-` for none, and a power of ten for what would fill the line."""
    if value is None:
        return "-"
    return f"{value:.2f}" if abs(value) < 1e9 else f"{value:.3g}"


def moment(text: str) -> str:
    """A UTC time of ISO 8601 to the minute."""
    return text[:16].replace("T", " ")


def evidence(verified: bool) -> str:
    """Who says so: the classroom, which has played the agent, or its model card."""
    return "verified" if verified else "claimed"


def _width(text: str) -> int:
    """Columns that a terminal gives to a text: two to a Chinese character, none to an accent of its own."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
