"""Snowball fights for training, all stepped by one call; the Zoo would step one after the other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stable_baselines3.common.vec_env import VecEnv

from rl_units.self_play.arenas_vec_env import ArenasVecEnv
from rl_units.self_play.episode_log import EpisodeLog

_ENV_ID = "SnowballFight-v0"
_DEFAULT_OPPONENT = "aim_and_shoot"


def make_arenas(
    env_id: str, n_envs: int, *, seed: int, arguments: Mapping[str, Any], run_folder: Path | None
) -> VecEnv | None:
    """An environment with `n_envs` slots, each a fight against an opponent.

    Args:
        env_id: Gymnasium's id.
        n_envs: How many.
        seed: Of the fights.
        arguments: Of the environment's constructor.
        run_folder: Where the episodes are logged; None for nowhere.

    Returns:
        None if it is another environment, or the arguments want what only a single one can do.
    """
    if env_id != _ENV_ID or not set(arguments) <= {"opponent"}:
        return None
    opponent = arguments.get("opponent", _DEFAULT_OPPONENT)
    return ArenasVecEnv(n_envs, opponent=opponent, seed=seed, log=EpisodeLog(run_folder))
