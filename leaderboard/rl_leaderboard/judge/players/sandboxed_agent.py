"""The trusted half of an agent that plays in a sandbox."""

import functools
import time
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
        self._failure: AgentFailed | None = None

    def act(self, observations: Observations) -> NDArray[Any]:
        """Chooses the deterministic action for each observation; see `rl_units.agents.Agent.act`.

        Raises:
            AgentFailed: If it does not answer, or with anything else than actions of the space. From then on always
                the same.
        """
        if self._failure is not None:
            raise self._failure
        began = time.monotonic()
        try:
            return self._act(observations)
        except AgentFailed as error:
            self._failure = error
            raise
        finally:
            self._seconds_left -= time.monotonic() - began

    def _act(self, observations: Observations) -> NDArray[Any]:
        limits = self._service.limits
        if self._seconds_left <= 0:
            raise failures.too_slow("play all games", limits.total_seconds)
        if self._seconds_left < limits.batch_seconds:
            task = Task("play all games", limits.total_seconds, time.monotonic() + self._seconds_left)
        else:
            task = Task.begin(_CHOOSE, limits.batch_seconds)
        shape = (batch_size(observations), *self._shape)
        size = int(np.prod(shape)) * self._dtype.itemsize
        self._service.send(frame(Kind.OBSERVATIONS, *encode(observations)), task)
        body = self._service.receive(Kind.ACTIONS, size, task)
        if len(body) != size:
            raise failures.bad_answer(f"answered {shape[0]} observations with {len(body):,} bytes instead of {size:,}")
        return self._checked(np.frombuffer(body, self._dtype).reshape(shape))

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
