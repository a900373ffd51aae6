"""Agents that are not like others; in a module of their own, so that worker processes can import them."""

import os
import time

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
    """Takes its process with it, unless it is the one that it was made in."""

    def __init__(self, action):
        super().__init__(action)
        self.home = os.getpid()

    def act(self, observations):
        """The same answer, at home."""
        if os.getpid() != self.home:
            os._exit(1)
        time.sleep(0.02)  # so that the other process gets something to do
        return super().act(observations)


class MisbehavingAbroad(Dying):
    """Answers nonsense in every process but its own."""

    def act(self, observations):
        """The same answer, at home."""
        if os.getpid() != self.home:
            return np.array([99] * len(observations))
        return super().act(observations)


class Elsewhere:
    """An agent that is asked and answers at different times, and notes when it is what.

    Args:
        agent: The agent.
    """

    def __init__(self, agent):
        self.agent, self.events = agent, []
        self.algo, self.sha256, self.act = agent.algo, agent.sha256, agent.act

    def begin(self, observations):
        """Takes the observations; what it returns chooses."""
        self.events.append(f"asked {len(observations)}")

        def answer():
            self.events.append(f"answered {len(observations)}")
            return self.agent.act(observations)

        return answer
