"""Random numbers as a function of where they are needed: nothing is drawn in turn, so no order can matter.

The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", 2011):
64 bits of key, 128 bits of counter, four words of 32 bits. The key is an arena's seed; the counter says episode, tick,
purpose and index. Products of two 32-bit words fit into 64 bits, so that the same code runs compiled and as plain
Python.
"""

from typing import Final

import numpy as np

from snowball_fight.compiling import compiled

START: Final = 0
TARGET: Final = 1
PLAYER: Final = 2
OPPONENT: Final = 3
"""What a random number is for."""

_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_8 = np.uint64(8)
_TO_FRACTION = np.float32(2.0**-24)

Words = tuple[np.uint64, np.uint64, np.uint64, np.uint64]


@compiled
def philox(c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64) -> Words:
    """Ten rounds of Philox4x32 on a counter and a key, all of them 32-bit words in uint64."""
    for _ in range(10):
        product_0 = _MULTIPLIER_0 * c0
        product_1 = _MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (
            (product_1 >> _32) ^ c1 ^ k0,
            product_1 & _LOW,
            (product_0 >> _32) ^ c3 ^ k1,
            product_0 & _LOW,
        )
        k0 = (k0 + _WEYL_0) & _LOW
        k1 = (k1 + _WEYL_1) & _LOW
    return c0, c1, c2, c3


@compiled
def draw(seed: np.uint64, episode: np.uint64, tick: int, purpose: int, index: int) -> Words:
    """Four random words for one need.

    Args:
        seed: The arena's.
        episode: Number of the episode under this seed.
        tick: Physics tick of the episode.
        purpose: `START`, `TARGET`, `PLAYER` or `OPPONENT`.
        index: Which agent or target.

    Returns:
        Four independent words, uniform in 0 to 2**32 - 1.
    """
    need = (np.uint64(purpose) << _8) | np.uint64(index)
    return philox(np.uint64(tick), need, episode & _LOW, episode >> _32, seed & _LOW, seed >> _32)


@compiled
def fraction(word: np.uint64) -> np.float32:
    """A word as a float32 in [0, 1), by its upper 24 bits."""
    return np.float32(word >> _8) * _TO_FRACTION


@compiled
def below(word: np.uint64, n: int) -> int:
    """A word as an integer from 0 to `n - 1`."""
    return int((word * np.uint64(n)) >> _32)
