"""numpy 1.24 and later have no `numpy.float`, the type that ML-Agents notes for one argument."""

from collections.abc import Callable
from types import ModuleType


def concerns(name: str) -> bool:
    """Whether the fix is for the module of this name."""
    return name == "mlagents.trainers.buffer"


def is_needed() -> bool:
    """Whether the name is missing."""
    import numpy as np

    return not hasattr(np, "float")


def execute(module: ModuleType, run: Callable[[], None]) -> None:  # noqa: ARG001 - the signature of a fix
    """Runs the module with the name in place; it is looked up then and never again."""
    import numpy as np

    vars(np)["float"] = float
    try:
        run()
    finally:
        del vars(np)["float"]
