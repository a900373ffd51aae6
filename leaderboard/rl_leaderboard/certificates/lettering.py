"""Letters that run from right to left, put in the order and the shapes in which they are drawn.

PDF draws one glyph after the other from left to right. This is the part of the Unicode bidirectional algorithm
(UAX 9) and of Arabic joining that a name needs, without marks of direction and levels within levels.
"""

import unicodedata
from collections.abc import Container
from functools import cache
from itertools import groupby

_RIGHT_TO_LEFT = {"R", "AL"}
_FORMS = ("<isolated>", "<final>", "<initial>", "<medial>")  # numbered by: joined before 1, joined after 2
_PRESENTATION_FORMS = (range(0xFB50, 0xFDFE), range(0xFE70, 0xFEFD))
_ALEFS = "آأإا"
_TATWEEL, _JOINER = "ـ", "\u200d"


def arrange(text: str, drawable: Container[int]) -> str:
    """A line of text in the order in which it is drawn, from left to right.

    Args:
        text: One line.
        drawable: Code points that the font has; a joined shape that it lacks stays a plain letter.

    Returns:
        The text without invisible characters.
    """
    visible = _without_invisible(text)
    if not any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in visible):
        return visible
    joined = _without_invisible(_join(text, drawable))
    directions = _directions(joined)
    runs = [
        (right_to_left, "".join(character for _, character in run))
        for right_to_left, run in groupby(zip(directions, joined, strict=True), key=lambda pair: pair[0])
    ]
    drawn = [_mirror(run) if right_to_left else run for right_to_left, run in runs]
    first = next(right for right, character in zip(directions, joined, strict=True) if _strong(character) is not None)
    return "".join(reversed(drawn) if first else drawn)


def _without_invisible(text: str) -> str:
    return "".join(character for character in text if unicodedata.category(character) not in {"Cf", "Cc"})


def _strong(character: str) -> bool | None:
    """Whether a character runs from right to left; None if it goes with its neighbours."""
    direction = unicodedata.bidirectional(character)
    return True if direction in _RIGHT_TO_LEFT else False if direction in {"L", "EN", "AN"} else None


def _directions(text: str) -> list[bool]:
    """For each character whether it runs from right to left; the neutral between two runs goes with the line."""
    known = [_strong(character) for character in text]
    line = next(direction for direction in known if direction is not None)
    found: list[bool] = []
    for index, direction in enumerate(known):
        if direction is not None:
            found.append(direction)
            continue
        before = found[-1] if found else line
        after = next((later for later in known[index:] if later is not None), line)
        is_mark = unicodedata.bidirectional(text[index]) == "NSM"
        found.append(before if is_mark or before == after else line)
    return found


def _mirror(run: str) -> str:
    """A run backwards, with marks still after their letter and brackets turned round."""
    clusters: list[str] = []
    for character in run:
        if clusters and unicodedata.combining(character):
            clusters[-1] += character
        else:
            clusters.append(character.translate(_BRACKETS))
    return "".join(reversed(clusters))


_BRACKETS = str.maketrans("()[]{}<>«»", ")(][}{><»«")


@cache
def _shapes() -> dict[str, dict[int, str]]:
    """For each letter, or lam and alef, its joined shapes by number in `_FORMS`."""
    shapes: dict[str, dict[int, str]] = {}
    for code in (code for block in _PRESENTATION_FORMS for code in block):
        form, *letters = unicodedata.decomposition(chr(code)).split() or [""]
        if form in _FORMS:
            base = "".join(chr(int(letter, 16)) for letter in letters)
            shapes.setdefault(base, {})[_FORMS.index(form)] = chr(code)
    return shapes


def _joins(character: str, side: int) -> bool:
    """Whether a letter can be joined to the one before it (1) or after it (2)."""
    return character in {_TATWEEL, _JOINER} or any(form & side for form in _shapes().get(character, ()))


def _join(text: str, drawable: Container[int]) -> str:
    """Arabic letters in the shapes that they have between their neighbours."""
    result: list[str] = []
    letters = [index for index, character in enumerate(text) if not unicodedata.combining(character)]
    skipped = -1
    for place, index in enumerate(letters):
        end = letters[place + 1] if place + 1 < len(letters) else len(text)
        if index == skipped:  # the alef that its lam has taken in
            result.append(text[index + 1 : end])
            continue
        before = text[letters[place - 1]] if place else ""
        after = text[end] if end < len(text) else ""
        letter = text[index]
        if letter == "ل" and after and after in _ALEFS:
            letter, skipped = letter + after, end
        number = (_joins(before, 2) and _joins(letter[0], 1)) + 2 * (
            len(letter) == 1 and _joins(letter, 2) and _joins(after, 1)
        )
        shape = _shapes().get(letter, {}).get(number, "")
        if shape and ord(shape) in drawable:
            result.append(shape + text[index + 1 : end])
        else:
            result.append(letter + text[index + 1 : end])
    return "".join(result)
