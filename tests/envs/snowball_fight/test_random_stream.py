"""The random numbers are Philox's, and independent of anything but their need."""

import numpy as np
import pytest

from snowball_fight.random_stream import below, draw, fraction, philox

# Known answers published with the generator (Random123, kat_vectors, philox4x32 with 10 rounds).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_gives_its_published_answers(counter, key, answer):
    words = philox(*(np.uint64(word) for word in (*counter, *key)))
    assert tuple(int(word) for word in words) == answer


def test_every_part_of_a_need_makes_other_numbers():
    def words(seed=1, episode=2, tick=3, purpose=1, index=0):
        return draw(np.uint64(seed), np.uint64(episode), tick, purpose, index)

    variants = [words(), words(seed=2), words(seed=1 + 2**40), words(episode=3), words(episode=2 + 2**40)]
    variants += [words(tick=4), words(purpose=2), words(index=1)]
    assert len(set(variants)) == len(variants)


def test_fractions_and_choices_stay_in_their_range():
    least, most = np.uint64(0), np.uint64(2**32 - 1)
    assert (fraction(least), below(least, 3)) == (0.0, 0)
    assert fraction(most) < 1.0
    assert below(most, 3) == 2
