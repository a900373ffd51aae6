"""`import mlagents_envs.envs` downloads a list of environments, so without a network nothing below it can be imported.

Here the list is downloaded when somebody asks for one of its environments.
"""

import importlib
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

_FACTORY = "mlagents_envs.envs.pettingzoo_env_factory"
_OWN = {"PettingZooEnvFactory": _FACTORY, "logger": _FACTORY, "default_registry": "mlagents_envs.registry"}


def concerns(name: str) -> bool:
    """Whether the fix is for the module of this name."""
    return name == "mlagents_envs.envs"


def is_needed() -> bool:
    """It is what this release does everywhere."""
    return True


def execute(module: ModuleType, run: Callable[[], None]) -> None:  # noqa: ARG001 - the signature of a fix
    """Fills the package with names that are looked up when they are asked for."""
    vars(module)["__getattr__"] = _look_up


def _look_up(name: str) -> Any:
    missing = AttributeError(f"module 'mlagents_envs.envs' has no attribute {name!r}")
    if name in _OWN:
        return getattr(importlib.import_module(_OWN[name]), name)
    # The import system asks for a module of the package before it imports it.
    if name.startswith("_") or importlib.util.find_spec(f"mlagents_envs.envs.{name}") is not None:
        raise missing
    registry = importlib.import_module("mlagents_envs.registry").default_registry
    for key in registry:
        if name == (key.replace("3", "Three") if key[0].isdigit() else key):
            return importlib.import_module(_FACTORY).PettingZooEnvFactory(key)
    raise missing
