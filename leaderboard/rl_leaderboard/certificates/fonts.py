"""The faces of certificates: DejaVu Sans, or an operator's own font.

reportlab is imported where it is used, so that a web process which draws no certificate does not pay for it.
"""

import unicodedata
from functools import cache
from pathlib import Path
from typing import NamedTuple

from rl_leaderboard.certificates.lettering import arrange

_FOLDER = Path(__file__).with_name("fonts")
_REGULAR = _FOLDER / "DejaVuSans.ttf"
_BOLD = _FOLDER / "DejaVuSans-Bold.ttf"
_ELLIPSIS = "…"


class Face(NamedTuple):
    """A font by the name under which reportlab knows it.

    Attributes:
        name: For `setFont`.
        characters: Code points that it has glyphs for.
    """

    name: str
    characters: frozenset[int]

    def arrange(self, text: str) -> str:
        """Text as it is drawn: composed, in drawing order, on one line."""
        return arrange(unicodedata.normalize("NFC", " ".join(text.split())), self.characters)

    def width(self, text: str, size: float) -> float:
        """Width of text that is arranged, in points."""
        from reportlab.pdfbase.pdfmetrics import stringWidth

        return float(stringWidth(text, self.name, size))

    def fit(self, text: str, width: float, largest: float, smallest: float) -> tuple[str, float]:
        """Text that fits into a width, and its size.

        Args:
            text: Text that is arranged.
            width: Points.
            largest: The size that it has if there is room.
            smallest: Below this size, the end is left out instead.
        """
        size = min(largest, largest * width / max(self.width(text, largest), 1e-6))
        if size >= smallest:
            return text, size
        while text and self.width(text + _ELLIPSIS, smallest) > width:
            text = text[:-1]
        return text.rstrip() + _ELLIPSIS, smallest


def regular_face(font: Path | None) -> Face:
    """The face of names and text: the operator's TrueType font, or DejaVu Sans.

    Raises:
        ValueError: If the font cannot be read.
    """
    return _load(font or _REGULAR)


def bold_face() -> Face:
    """The face of titles."""
    return _load(_BOLD)


def unprintable(name: str, font: Path | None) -> str:
    """The characters of a name that a certificate could not show, each once, in order.

    Args:
        name: As the student writes it.
        font: The operator's TrueType font, or None for DejaVu Sans.

    Raises:
        ValueError: If the font cannot be read.
    """
    known = regular_face(font).characters
    composed = unicodedata.normalize("NFC", " ".join(name.split()))
    missing = (c for c in composed if unicodedata.category(c) != "Cf" and ord(c) not in known)
    return "".join(dict.fromkeys(missing))


@cache
def _load(path: Path) -> Face:
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    try:
        font = TTFont(str(path), str(path))
    except (TTFError, OSError) as error:
        raise ValueError(f"The font {path} cannot be read ({error}). Set one in the TrueType format.") from error
    registerFont(font)
    return Face(font.fontName, frozenset(font.face.charToGlyph))
