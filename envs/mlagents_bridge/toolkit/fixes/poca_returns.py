"""numpy 2.4 and later store no array of one number as a number, which MA-POCA does with the value of the last step."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from mlagents_bridge.toolkit.versions import is_at_least


def concerns(name: str) -> bool:
    """Whether the fix is for the module of this name."""
    return name == "mlagents.trainers.poca.trainer"


def is_needed() -> bool:
    """Whether numpy refuses it."""
    import numpy as np

    return is_at_least(np.__version__, 2, 4)


def execute(module: ModuleType, run: Callable[[], None]) -> None:
    """Lets the module compute returns from a plain number."""
    run()
    original = vars(module)["lambda_return"]

    def lambda_return(*arguments: Any, value_next: Any = 0.0, **options: Any) -> Any:
        import numpy as np

        return original(*arguments, value_next=np.asarray(value_next).item(), **options)

    vars(module)["lambda_return"] = lambda_return
