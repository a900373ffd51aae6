"""Directions without rounding errors under the arena's symmetries."""

import numpy as np

from snowball_fight.headings import DIRECTIONS, HALF_TURN, N_HEADINGS
from snowball_fight.layout import N_FORWARD_RAYS, ray_directions

ALL = np.arange(N_HEADINGS)


def test_a_half_turn_negates_every_direction_exactly():
    assert np.array_equal(DIRECTIONS[(ALL + HALF_TURN) % N_HEADINGS], -DIRECTIONS)


def test_mirroring_left_and_right_negates_x_exactly():
    assert np.array_equal(DIRECTIONS[(HALF_TURN - ALL) % N_HEADINGS], DIRECTIONS * np.float32([-1, 1]))


def test_mirroring_at_the_frontier_negates_y_exactly():
    assert np.array_equal(DIRECTIONS[-ALL % N_HEADINGS], DIRECTIONS * np.float32([1, -1]))


def test_directions_are_those_of_their_angles():
    angles = 2 * np.pi * ALL / N_HEADINGS
    np.testing.assert_allclose(DIRECTIONS, np.stack([np.cos(angles), np.sin(angles)], 1), atol=1e-7)


def test_left_and_right_rays_are_exact_mirror_images():
    forward, right = ray_directions()
    fan = slice(N_FORWARD_RAYS)
    assert np.array_equal(forward[fan], forward[fan][::-1])
    assert np.array_equal(right[fan], -right[fan][::-1])
