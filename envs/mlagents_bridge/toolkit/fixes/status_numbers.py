"""numpy 2 keeps float32 where numpy 1 made float64 of it, and JSON has no float32: a run could not save its status."""

import functools
import json
from collections.abc import Callable
from types import ModuleType

from mlagents_bridge.toolkit.fixes.substitutes import Overlay
from mlagents_bridge.toolkit.versions import is_at_least


def concerns(name: str) -> bool:
    """Whether the fix is for the module of this name."""
    return name == "mlagents.trainers.training_status"


def is_needed() -> bool:
    """Whether numpy promotes numbers so."""
    import numpy as np

    return is_at_least(np.__version__, 2)


def execute(module: ModuleType, run: Callable[[], None]) -> None:
    """Lets the module write numpy's numbers as plain ones."""
    run()
    vars(module)["json"] = Overlay(json, dump=functools.partial(json.dump, default=float))
