"""What every loaded agent can do, whatever file it came from."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Observations: TypeAlias = NDArray[Any] | dict[str, NDArray[Any]]
"""A batch of observations, batch axis first; a dictionary of such arrays for Dict observation spaces."""


class Agent(Protocol):
    """A trained agent.

    Attributes:
        algo: Algorithm name as the Zoo spells it, for example `"dqn"`.
        sha256: Hash of the weights, independent of the file format.
    """

    @property
    def algo(self) -> str:
        """Algorithm name as the Zoo spells it."""
        ...

    @property
    def sha256(self) -> str:
        """Hexadecimal hash of the weights."""
        ...

    def act(self, observations: Observations) -> NDArray[Any]:
        """Chooses the deterministic action for each observation.

        The action for an observation never depends on what else is in the batch: a batch of one and a batch of
        fifty give the same actions, so that an evaluation has the same result however many episodes run abreast.

        Args:
            observations: `(n, ...)`, dtype and shape of the protocol's observation space.

        Returns:
            `(n, ...)` actions: int64 for Discrete spaces, the space's dtype and within its bounds for Box.
        """
        ...


@runtime_checkable
class AgentElsewhere(Agent, Protocol):
    """An agent whose network runs in another process, so that environments can step while it chooses."""

    def begin(self, observations: Observations) -> Callable[[], NDArray[Any]]:
        """Hands over a batch and does not wait for the actions.

        Args:
            observations: As `Agent.act`.

        Returns:
            Waits for the actions and returns them, as `Agent.act`. To be called once, in the order of the batches.
        """
        ...


def batch_size(observations: Observations) -> int:
    """Number of observations in a batch."""
    if isinstance(observations, dict):
        return len(next(iter(observations.values())))
    return len(observations)


def rows(observations: Observations, index: NDArray[np.intp] | slice) -> Observations:
    """The observations at `index` of a batch, as a batch."""
    if isinstance(observations, dict):
        return {key: value[index] for key, value in observations.items()}
    return observations[index]
