"""Target practice."""

from dataclasses import replace

import numpy as np

from snowball_fight import TARGET_PRACTICE, Arenas
from snowball_fight.layout import SLICES
from snowball_scenes import STILL, THROW, UP, act, play, play_until_hit, scene

OPEN = replace(TARGET_PRACTICE, shelters=())


def before_a_target():
    """The agent looks at a target four metres off; the others are out of the way."""
    arenas = scene([[0, -2]], [UP], OPEN)
    arenas.state.target_position[0] = [[5, 5], [0, 2], [-5, 5]]
    return arenas


def test_a_hit_target_gives_one_and_comes_back_elsewhere():
    arenas = before_a_target()
    outcome = play_until_hit(arenas, act(THROW))
    assert outcome.rewards[0, 0] == 1
    assert outcome.hits[0, 0] == 1
    assert arenas.state.target_position[0, 1].tolist() != [0, 2]


def test_targets_are_what_the_opponent_rays_see():
    arenas = before_a_target()
    rays = arenas.observe()[0, 0, SLICES["opponents"]].reshape(-1, 3)
    assert rays[4, 0] == 1
    assert rays[4, 2] < 1


def test_gliding_targets_stay_in_the_arena_and_out_of_shelters():
    spec = replace(TARGET_PRACTICE, n_gliding_targets=3)
    arenas = Arenas(spec, 64)
    arenas.reset(0)
    for _ in range(200):
        arenas.step(np.zeros((64, 1, 4), np.int64))
        places = arenas.state.target_position
        assert (np.abs(places[..., 0]) <= spec.half_width - spec.target_radius + 1e-5).all()
        for x, y, radius in spec.shelters:
            distance = np.hypot(places[..., 0] - x, places[..., 1] - y)
            assert (distance >= radius + spec.target_radius - 1e-4).all()


def test_practice_ends_at_the_time_limit_only():
    arenas = scene([[0, -2]], [UP], replace(OPEN, max_ticks=100))
    outcome = play(arenas, act(STILL), 20)
    assert outcome.truncated.all()
    assert not outcome.terminated.any()
