"""A Unity environment, or our own behind the same protocol, for Gymnasium, stable-baselines3 and PettingZoo.

    from mlagents_bridge.connect import UnityVecEnv

    env = UnityVecEnv("./SnowballFight", seed=1)

No Unity executable was at hand when this was written: it was tried with environments of our own that speak the
protocol as ML-Agents 1.1.0 does.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlagents_bridge.connect.gym_vector import UnityVectorEnv
    from mlagents_bridge.connect.pettingzoo import UnityParallelEnv
    from mlagents_bridge.connect.sb3_vec_env import UnityVecEnv

__all__ = ["UnityParallelEnv", "UnityVecEnv", "UnityVectorEnv"]

_MODULES = {"UnityVectorEnv": "gym_vector", "UnityVecEnv": "sb3_vec_env", "UnityParallelEnv": "pettingzoo"}


def __getattr__(name: str) -> Any:
    """Each face is loaded when it is used: nobody needs all three libraries."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
