"""What can be played to a trainer, whatever is inside."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from mlagents_bridge.behaviors import Actions, AgentRows, Behavior
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.side_channels import Message, Parameter

Rows = dict[str, AgentRows]
"""For each behaviour by name."""

MAX_ARENAS = 65_536
"""More would be a slip of the keyboard: the stock trainers are at their limit with some hundred agents."""


class World(Protocol):
    """Arenas with agents in them."""

    @property
    def behaviors(self) -> tuple[Behavior, ...]:
        """All kinds of agents that there are."""
        ...

    @property
    def masked(self) -> frozenset[str]:
        """Names of those behaviours whose rows say which choices are forbidden."""
        ...

    def reset(self) -> Rows:
        """Begins an episode in every arena; those at hand are given up."""
        ...

    def step(self, actions: dict[str, Actions]) -> Rows:
        """Plays on, and begins the next episode wherever one ends.

        Args:
            actions: For each behaviour by name, in the order of its last rows that were not done. Behaviours that are
                left out do nothing.

        Returns:
            The rows of those who acted; and of who begins an episode, those with an id that was never used before. The
            next call may overwrite them.

        Raises:
            BridgeError: If there are not as many actions as agents that wait for one.
        """
        ...

    def take(self, parameters: Sequence[Parameter]) -> None:
        """Takes environment parameters. They count for an arena from its next episode on."""
        ...

    def statistics(self) -> list[Message]:
        """What the trainer shall show about the episodes that ended in the last step; empty if none did."""
        ...

    def close(self) -> None:
        """Ends the world."""
        ...


WorldMaker = Callable[[int, int], World]
"""Makes a world from a seed, 0 to 2**31 - 1, and how many times as large as usual it shall be."""


def joined(first: AgentRows, second: AgentRows) -> AgentRows:
    """Rows of two kinds as one list. Both say which choices are forbidden, or neither does."""
    names = ("ids", "rewards", "done", "interrupted", "group_ids", "group_rewards")
    masks = None
    if first.masks is not None and second.masks is not None:
        masks = np.concatenate([first.masks, second.masks])
    return AgentRows(
        observations=tuple(np.concatenate(pair) for pair in zip(first.observations, second.observations, strict=True)),
        masks=masks,
        **{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names},
    )


def check_number(behavior: str, n_actions: int, n_agents: int) -> None:
    """Refuses actions that are not as many as the agents that wait for one.

    Raises:
        BridgeError: If so.
    """
    if n_actions != n_agents:
        raise BridgeError(
            f"The trainer sent {n_actions} actions for {behavior}, and {n_agents} of its agents wait for one. It does "
            "not keep to the protocol."
        )
