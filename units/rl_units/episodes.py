"""Playing episodes: each in its own slot, with its own seed and its own stream of exploration coins."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rl_units.agents.base import Agent, AgentElsewhere, Observations
from rl_units.course import Protocol
from rl_units.environments import make_environment, sample_action
from rl_units.errors import EvaluationError


@dataclass(frozen=True)
class Episode:
    """One finished game.

    Attributes:
        index: Its place in the evaluation.
        seed: Its seed.
        episode_return: Full, unclipped return.
        length: Steps of the bare environment (Atari: emulator frames).
    """

    index: int
    seed: int
    episode_return: float
    length: int


class EpisodePlayer:
    """Plays one episode at a time in one environment.

    The coins of the epsilon-greedy action mode come from a generator of the episode's own, so that they depend on
    nothing but its seed.

    Args:
        protocol: How the episode is played.
        render_mode: Gymnasium's render mode.
    """

    def __init__(self, protocol: Protocol, render_mode: str | None = None) -> None:
        self.env = make_environment(protocol, render_mode)
        self.observation: Any = None
        self._protocol = protocol
        self._index = self._seed = 0
        self._rng = np.random.default_rng(0)

    def start(self, index: int, seed: int) -> None:
        """Starts episode `index` with `seed`."""
        self._index, self._seed = index, seed
        # The second word keeps the coins apart from the environment's own stream of the same seed.
        self._rng = np.random.default_rng([seed, 1])
        self.observation, _ = self.env.reset(seed=seed, options=self._protocol.reset_options(index))

    def step(self, action: Any) -> Episode | None:
        """Plays one decision, or the random action that replaces it.

        Args:
            action: The agent's deterministic action.

        Returns:
            The episode if this ended the full game, else None; a lost life starts the next one.

        Raises:
            EvaluationError: If the action is not an element of the action space.
        """
        if not self.env.action_space.contains(action):
            raise EvaluationError(f"The agent chose {action!r}, which is not an action of {self.env.action_space}.")
        epsilon = self._protocol.epsilon
        if epsilon > 0 and self._rng.random() < epsilon:
            action = sample_action(self.env.action_space, self._rng)
        self.observation, _, terminated, truncated, info = self.env.step(action)
        if not (terminated or truncated):
            return None
        if "episode" in info:
            return Episode(self._index, self._seed, float(info["episode"]["r"]), int(info["episode"]["l"]))
        self.observation, _ = self.env.reset()
        return None

    def close(self) -> None:
        """Closes the environment."""
        self.env.close()


def play_episodes(
    agent: Agent, protocol: Protocol, episodes: Iterator[tuple[int, int]], n_envs: int
) -> Iterator[Episode]:
    """Plays episodes, up to `n_envs` abreast, and yields each as it ends.

    Args:
        agent: The agent.
        protocol: How they are played.
        episodes: Index and seed of each; a new one is taken whenever a slot is free.
        n_envs: Number of slots.

    Raises:
        EvaluationError: As `EpisodePlayer.step`.
    """
    players: list[EpisodePlayer] = []
    try:
        for _, (index, seed) in zip(range(n_envs), episodes, strict=False):
            players.append(EpisodePlayer(protocol))
            players[-1].start(index, seed)
        begin = agent.begin if isinstance(agent, AgentElsewhere) else partial(partial, agent.act)
        asked = deque((group, begin(_batch(group))) for group in _groups(agent, players))
        while asked:
            group, answer = asked.popleft()
            for player, action in zip(tuple(group), answer(), strict=True):
                episode = player.step(action)
                if episode is None:
                    continue
                yield episode
                following = next(episodes, None)
                if following is None:
                    group.remove(player)
                else:
                    player.start(*following)
            if group:
                asked.append((group, begin(_batch(group))))
    finally:
        for player in players:
            player.close()


def _groups(agent: Agent, players: list[EpisodePlayer]) -> list[list[EpisodePlayer]]:
    """Who is asked for actions together: two groups in turn, where one can step while the agent chooses for the other.

    PufferLib and EnvPool call it double buffering.
    """
    middle = len(players) // 2 if isinstance(agent, AgentElsewhere) else 0
    return [group for group in (players[:middle], players[middle:]) if group]


def _batch(players: list[EpisodePlayer]) -> Observations:
    observations = [player.observation for player in players]
    if isinstance(observations[0], dict):
        return {key: np.stack([observation[key] for observation in observations]) for key in observations[0]}
    return np.stack(observations)
