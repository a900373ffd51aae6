"""Games of an agent against one opponent."""

from collections.abc import Callable
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv


def play_matches(act: Callable[[Any], Any], env: VecEnv) -> float:
    """Plays one game in every slot.

    Args:
        act: The agent's actions for observations.
        env: An `ArenasVecEnv` with an opponent, wrapped as the agent's observations are.

    Returns:
        Share of points, 0 to 1; a draw or a time-out counts half.
    """
    points = np.full(env.num_envs, np.nan)
    observations = env.reset()
    while np.isnan(points).any():
        observations, _, dones, infos = env.step(act(observations))
        for slot in np.flatnonzero(dones):
            if np.isnan(points[slot]):  # only the first game of each slot counts: short ones would be too many
                points[slot] = infos[slot]["points"]
    return float(points.mean())
