"""Environments that take a step while something else is done."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn


class MeanwhileEnv(VecEnvWrapper):
    """Environments during whose next step some work is done; a context manager.

    What comes out does not depend on whether there is a thread: the work sees nothing of the step. That holds for
    environments that draw from random generators of their own, as Gymnasium's do, and not from those of the process.

    Attributes:
        work: What is done during the next step; None for nothing.

    Args:
        venv: The environments.
        in_a_thread: Whether the step is made at the same time, which needs a core of its own, or after the work.
    """

    def __init__(self, venv: VecEnv, *, in_a_thread: bool) -> None:
        super().__init__(venv)
        self.work: Callable[[], None] | None = None
        self._pool = ThreadPoolExecutor(1, "environments") if in_a_thread else None

    def __enter__(self) -> "MeanwhileEnv":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def step(self, actions: NDArray[Any]) -> VecEnvStepReturn:
        """Steps the environments, and does the work once."""
        work, self.work = self.work, None
        if work is None:
            return self.venv.step(actions)
        if self._pool is None:
            work()
            return self.venv.step(actions)
        step = self._pool.submit(self.venv.step, actions)
        work()
        return step.result()

    def step_wait(self) -> VecEnvStepReturn:
        """As in the environments themselves."""
        return self.venv.step_wait()

    def reset(self) -> VecEnvObs:
        """As in the environments themselves."""
        return self.venv.reset()
