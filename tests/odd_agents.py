"""Agents that misbehave; in a module of their own, so that worker processes can import them."""

import os

import numpy as np


class Misbehaving:
    """Answers the same whatever it sees."""

    algo, sha256 = "dqn", ""

    def __init__(self, action):
        self.action = action

    def act(self, observations):
        """The same answer for each observation."""
        return np.array([self.action] * len(observations))


class Dying(Misbehaving):
    """Takes its process with it."""

    def act(self, observations):
        """Never returns."""
        os._exit(1)
