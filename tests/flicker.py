"""A game of random images, in which no frame is like another, and its player, who fills replay buffers."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack, VecTransposeImage

ACTIONS = spaces.Discrete(3)


class Flicker(gym.Env):
    """Random images and rewards, in episodes of given lengths, each with whether it runs out of time then."""

    action_space = ACTIONS

    def __init__(self, episodes, shape, seed):
        self.observation_space = spaces.Box(0, 255, shape, np.uint8)
        self._episodes, self._episode, self._random = episodes, -1, np.random.default_rng(seed)

    def _image(self):
        return self._random.integers(0, 256, self.observation_space.shape, np.uint8)

    def reset(self, *, seed=None, options=None):
        self._episode += 1
        self._left, self._timeout = self._episodes[self._episode % len(self._episodes)]
        return self._image(), {}

    def step(self, action):
        self._left -= 1
        over = self._left == 0
        return self._image(), self._random.normal(), over and not self._timeout, over and self._timeout, {}


def flickering(episodes, n_envs, n_stack, shape):
    """Games side by side, whose frames are stacked, channels first."""
    envs = DummyVecEnv([lambda seed=seed: Flicker(episodes, shape, seed) for seed in range(n_envs)])
    return VecTransposeImage(VecFrameStack(envs, n_stack))


def play(env, buffers, steps, observation=None, random=None):
    """Steps an environment with random actions into buffers, as SB3 does; returns the observation it ends with."""
    observation = env.reset() if observation is None else observation
    random = random or np.random.default_rng(7)
    for _ in range(steps):
        actions = random.integers(0, ACTIONS.n, env.num_envs)
        following, rewards, dones, infos = env.step(actions)
        real = following.copy()
        for index in np.flatnonzero(dones):
            real[index] = infos[index]["terminal_observation"]
        for buffer in buffers:
            buffer.add(observation, real, actions, rewards, dones, infos)
        observation = following
    return observation
