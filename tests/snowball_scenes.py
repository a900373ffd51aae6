"""Arenas in a chosen position, for tests."""

import numpy as np

from snowball_fight import ONE_VS_ONE, Arenas

FORWARD = (1, 0, 0, 0)
STILL = (0, 0, 0, 0)
THROW = (0, 0, 0, 1)
UP, DOWN = 180, 540
"""Headings along +y and -y."""


def scene(positions, headings, spec=ONE_VS_ONE, **options):
    """One arena in which agents stand at `positions` with `headings`; its observations are those of the scene."""
    arenas = Arenas(spec, **options)
    arenas.reset(0)
    arenas.state.position[0] = positions
    arenas.state.heading[0] = headings
    arenas.observe()
    return arenas


def act(*choices):
    """The actions of one arena's agents."""
    return np.array([choices], np.int64)


def play_until_hit(arenas, actions):
    """The same actions until a snowball hits; that step's outcome."""
    for _ in range(30):
        outcome = arenas.step(actions)
        if outcome.hits.any():
            return outcome
    raise AssertionError("no snowball has hit in three seconds")


def play(arenas, actions, steps):
    """The same actions for some steps; the outcome of the last."""
    for _ in range(steps):
        outcome = arenas.step(actions)
    return outcome
