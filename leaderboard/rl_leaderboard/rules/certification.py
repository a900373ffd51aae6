"""What a certificate asks for."""

from typing import Literal

Level = Literal["none", "completion", "excellence"]
_RISING: tuple[Level, ...] = ("none", "completion", "excellence")

COMPLETION_PERCENT = 80
"""Share of the required assignments that completes the course; all of them are excellence."""


def level(passed_required: int, required: int) -> Level:
    """What a student has earned.

    Args:
        passed_required: Required assignments that are passed.
        required: Required assignments that the course has.

    Returns:
        "none" for a course that requires nothing: there is nothing to certify.

    Raises:
        ValueError: If the numbers cannot belong together.
    """
    if not 0 <= passed_required <= required:
        raise ValueError(f"{passed_required} of {required} required assignments cannot be passed.")
    if not required or passed_required * 100 < required * COMPLETION_PERCENT:
        return "none"
    return "excellence" if passed_required == required else "completion"


def includes(earned: Level, certified: Level) -> bool:
    """Whether somebody who has earned one level has earned another one as well."""
    return _RISING.index(earned) >= _RISING.index(certified)
