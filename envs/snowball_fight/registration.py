"""The game's ids in Gymnasium's registry. Nothing is imported or compiled until an environment is made."""

from typing import Final

import gymnasium as gym

IDS: Final = ("SnowballFight-v0", "SnowballTarget-v0")


def register_environments() -> None:
    """Registers the game's ids, each with its native vector environment."""
    for env_id in IDS:
        name = env_id.removesuffix("-v0")
        gym.register(
            env_id,
            entry_point=f"snowball_fight.gym_envs.single:{name}",
            vector_entry_point=f"snowball_fight.gym_envs.vector:{name}Vector",
        )
