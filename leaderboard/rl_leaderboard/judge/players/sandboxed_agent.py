"""The trusted half of an agent that plays in a sandbox."""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_leaderboard.judge.players import failures
from rl_leaderboard.judge.players.arrays import encode
from rl_leaderboard.judge.players.failures import AgentFailed
from rl_leaderboard.judge.players.messages import Kind, frame
from rl_leaderboard.judge.players.service import Service, Task
from rl_units.agents.base import Observations, batch_size
from rl_units.agents.excerpts import excerpt

_CHOOSE = "choose the actions of one batch of observations"


class SandboxedAgent:
    """An agent whose network is in a sandboxed process; see `rl_units.agents.Agent`.

    Every answer is checked before anybody plays it: size, finiteness, and whether each action is one of the space. So
    a hostile process can choose its actions, and nothing else.

    Args:
        service: Of the submission; its agent is loaded.
        algo: Algorithm name, as the process says.
        sha256: Hash of the weights, as the process says; it has loaded nothing but converted files.
        action_space: Of our environment.
    """

    def __init__(self, service: Service, algo: str, sha256: str, action_space: spaces.Space[Any]) -> None:
        self.algo = algo
        self.sha256 = sha256
        self._service = service
        self._space = action_space
        self._dtype = np.dtype(action_space.dtype)
        self._shape = action_space.shape or ()
        self._seconds_left = service.limits.total_seconds
        self._unanswered = 0
        self._failure: AgentFailed | None = None

    def act(self, observations: Observations) -> NDArray[Any]:
        """Chooses the deterministic action for each observation; see `rl_units.agents.Agent.act`.

        Raises:
            AgentFailed: If it does not answer, or with anything else than actions of the space. From then on always
                the same.
        """
        return self.begin(observations)()

    def begin(self, observations: Observations) -> Callable[[], NDArray[Any]]:
        """Lets the sandboxed process choose while the caller does something else; see `agents.base.AgentElsewhere`.

        Raises:
            AgentFailed: As `act`; so does what it returns.
        """
        with self._counted():
            task = self._task()
            message = frame(Kind.OBSERVATIONS, *encode(observations))
            self._service.send(message, task, ahead=self._unanswered > 0)
            self._unanswered += 1
        return functools.partial(self._answer, (batch_size(observations), *self._shape))

    def _answer(self, shape: tuple[int, ...]) -> NDArray[Any]:
        with self._counted():
            size = int(np.prod(shape)) * self._dtype.itemsize
            body = self._service.receive(Kind.ACTIONS, size, self._task())
            self._unanswered -= 1
            if len(body) != size:
                told = f"answered {shape[0]} observations with {len(body):,} bytes instead of {size:,}"
                raise failures.bad_answer(told)
            return self._checked(np.frombuffer(body, self._dtype).reshape(shape))

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        """Counts the time that is spent in it, and remembers a failure."""
        if self._failure is not None:
            raise self._failure
        began = time.monotonic()
        try:
            yield
        except AgentFailed as error:
            self._failure = error
            raise
        finally:
            self._seconds_left -= time.monotonic() - began

    def _task(self) -> Task:
        limits = self._service.limits
        if self._seconds_left <= 0:
            raise failures.too_slow("play all games", limits.total_seconds)
        if self._seconds_left < limits.batch_seconds:
            return Task("play all games", limits.total_seconds, time.monotonic() + self._seconds_left)
        return Task.begin(_CHOOSE, limits.batch_seconds)

    def _checked(self, actions: NDArray[Any]) -> NDArray[Any]:
        if not np.isfinite(actions).all():
            raise failures.non_finite("answered with")
        if not _are_all_in(self._space, actions):
            wrong = next(action for action in actions if not self._space.contains(action))
            raise failures.bad_answer(f"chose {excerpt(repr(wrong))}, which is not an action of {excerpt(self._space)}")
        return actions


@functools.singledispatch
def _are_all_in(space: spaces.Space[Any], actions: NDArray[Any]) -> bool:
    return all(space.contains(action) for action in actions)


@_are_all_in.register
def _(space: spaces.Discrete, actions: NDArray[Any]) -> bool:
    # A twentieth of the time of `contains` for each.
    return bool(((actions >= space.start) & (actions < space.start + space.n)).all())
