"""Worker processes outlive a learner that is killed, and Ctrl-C can catch one inside a lock that it never leaves.

Here a worker ends with its learner, and leaves Ctrl-C to it: the learner saves the model and tells workers to close.
"""

import functools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any


def concerns(name: str) -> bool:
    """Whether the fix is for the module of this name."""
    return name == "mlagents.trainers.subprocess_env_manager"


def is_needed() -> bool:
    """It is what this release does everywhere."""
    return True


def execute(module: ModuleType, run: Callable[[], None]) -> None:
    """Lets the module's workers watch the process that started them."""
    run()
    original = vars(module)["worker"]

    @functools.wraps(original)  # spawned processes find it by the original's name
    def worker(*arguments: Any, **options: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        threading.Thread(target=_end_with_parent, daemon=True).start()
        original(*arguments, **options)

    vars(module)["worker"] = worker


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # the environment sees its connection break, and ends too
