"""Headings are numbers of half-degree steps, and their directions a table: no trigonometry while the game runs.

Heading 0 looks along +x, 180 along +y (team 0's way forward), and headings grow counter-clockwise.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

N_HEADINGS: Final = 720
QUARTER_TURN: Final = N_HEADINGS // 4
HALF_TURN: Final = N_HEADINGS // 2


def _directions() -> NDArray[np.float32]:
    """Cosine and sine of every heading, float32 `[720, 2]`.

    One eighth of the circle is computed and the rest mirrored, so that turning the arena by 180 degrees, or mirroring
    it, turns or mirrors every direction without a rounding error.
    """
    eighth = [2 * math.pi * heading / N_HEADINGS for heading in range(QUARTER_TURN // 2 + 1)]
    # Nine decimals are far beyond float32, and the same whatever the platform's mathematical library.
    cosines = [round(math.cos(angle), 9) for angle in eighth]
    sines = [round(math.sin(angle), 9) for angle in eighth]
    cosines += sines[-2::-1]
    quarter = np.array(cosines, np.float32)
    half = np.concatenate([quarter, -quarter[-2::-1]])
    circle = np.concatenate([half, half[-2:0:-1]]) + np.float32(0)
    return np.stack([circle, np.roll(circle, QUARTER_TURN)], axis=1)


DIRECTIONS: Final = _directions()
