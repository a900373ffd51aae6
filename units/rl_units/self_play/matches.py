"""Games of an agent against one opponent."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv


def play_matches(act: Callable[[Any], Any], env: VecEnv) -> NDArray[np.float64]:
    """Plays one game in every slot.

    Args:
        act: The agent's actions for observations.
        env: An `ArenasVecEnv` with an opponent, wrapped as the agent's observations are.

    Returns:
        Points of each game, `[num_envs]`: 1 for a win, a half for a draw or a time-out, 0 for a loss.
    """
    points = np.full(env.num_envs, np.nan)
    observations = env.reset()
    while np.isnan(points).any():
        observations, _, dones, infos = env.step(act(observations))
        for slot in np.flatnonzero(dones):
            if np.isnan(points[slot]):  # only the first game of each slot counts: short ones would be too many
                points[slot] = infos[slot]["points"]
    return points
