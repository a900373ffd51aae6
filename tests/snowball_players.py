"""Players for the tests of Snowball Fight."""

import functools

import gymnasium as gym
import numpy as np

from snowball_fight import layout


def turret(observations):
    """Walks up to what it sees, turned to it, and throws; walks in circles while it sees nothing."""
    seen = observations[:, layout.SLICES["opponents"]].reshape(len(observations), layout.N_FORWARD_RAYS, -1)[:, :, 0]
    rays = np.arange(layout.N_FORWARD_RAYS) - (layout.N_FORWARD_RAYS - 1) / 2
    sees = seen.any(axis=1)
    right = seen @ rays / np.maximum(seen.sum(axis=1), 1)
    actions = np.zeros((len(observations), 4), np.int64)
    actions[:, 0] = 1
    # Sideways as if at random, so that no shelter stays in the way for ever.
    actions[:, 1] = (observations[:, layout.SLICES["own"]][:, -1] * 1000).astype(int) // 50 % 3
    actions[:, 2] = np.where(sees & (right < -0.5), 2, np.where(~sees | (right > 0.5), 1, 0))
    actions[:, 3] = sees & (np.abs(right) <= 0.5)
    return actions


def still(observations):
    """Does nothing."""
    return np.zeros((len(observations), 4), np.int64)


def play(env, player, seed):
    """Plays an episode of a single environment; gives back all that its steps gave."""
    observation, _ = env.reset(seed=seed)
    steps = []
    while not steps or not (steps[-1][2] or steps[-1][3]):
        steps.append(env.step(player(observation[None])[0]))
        observation = steps[-1][0]
    return steps


@functools.cache
def decided_seed():
    """The first seed under which the turret beats who stands still; a shelter between the two can last a whole game."""
    env = gym.make("SnowballFight-v0", opponent="still")
    return next(seed for seed in range(100) if play(env, turret, seed)[-1][2])
