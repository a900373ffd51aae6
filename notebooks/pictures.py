"""Draws the pictures of the lessons: `python notebooks/pictures.py [unit]`, of all units by default."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import dqn_pictures
import snowball_pictures

from rl_units.course import load_course

DRAWN: Mapping[str, Callable[[Path], None]] = {
    dqn_pictures.UNIT: dqn_pictures.draw,
    snowball_pictures.UNIT: snowball_pictures.draw,
}
"""Unit to what draws its pictures into a folder."""


def main(units: list[str]) -> None:
    """Draws the pictures of the units into their folders."""
    for unit in units or DRAWN:
        DRAWN[unit](load_course().unit(unit).folder / "pictures")


if __name__ == "__main__":
    main(sys.argv[1:])
