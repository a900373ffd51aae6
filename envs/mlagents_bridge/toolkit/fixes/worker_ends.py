"""Worker processes outlive a learner that is killed, and Ctrl-C can catch one inside a lock that it never leaves.

Here a worker ends with its learner, and leaves Ctrl-C to it: the learner saves the model and tells workers to close.
And of a worker that has failed the learner tells the reason, where it would have told that it could not be written to.
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
    _tell_reasons(module)


def _tell_reasons(module: ModuleType) -> None:
    """Lets the learner read a worker's last words when it finds the worker gone."""
    env_worker, exception = vars(module)["UnityEnvWorker"], vars(module)["UnityCommunicationException"]
    original = env_worker.send

    @functools.wraps(original)
    def send(self: Any, *arguments: Any, **options: Any) -> None:
        try:
            original(self, *arguments, **options)
        except exception:
            while self.conn.poll():
                self.recv()  # raises what has ended the worker
            raise

    env_worker.send = send


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # the environment sees its connection break, and ends too
