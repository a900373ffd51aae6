"""What passes between a trainer and an environment, whichever side is ours: behaviours, and their agents' rows."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

PLAIN: Final = 0
GOAL: Final = 1
"""Kinds of observations (`ObservationTypeProto`)."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Sensor:
    """One of the observations of a behaviour's agents.

    Attributes:
        name: What the environment calls it.
        shape: Of one agent's observation; pictures are channels, height, width.
        kind: `PLAIN` or `GOAL`.
        dimension_properties: For each dimension 1 for none, 2 for translational equivariance, 4 for variable size;
            empty where the environment says nothing.
        png: Whether it comes as compressed pictures, whose values are from 0 to 1.
    """

    name: str
    shape: tuple[int, ...]
    kind: int = PLAIN
    dimension_properties: tuple[int, ...] = ()
    png: bool = False


@dataclass(frozen=True)
class Behavior:
    """Agents that are controlled alike.

    Attributes:
        name: With its team, for example `SnowballFight?team=0`.
        sensors: What such an agent observes.
        n_continuous: How many continuous actions it has, each from -1 to 1.
        branches: How many choices each of its discrete actions has.
    """

    name: str
    sensors: tuple[Sensor, ...]
    n_continuous: int = 0
    branches: tuple[int, ...] = ()

    @property
    def base_name(self) -> str:
        """The name without its team."""
        return self.name.partition("?team=")[0]


@dataclass(frozen=True)
class AgentRows:
    """What an environment says about `n` agents of a behaviour after a step, the finished ones among them.

    An agent whose episode ends has a row that is done. The next episode's agent has an id of its own.

    Attributes:
        ids: int32 `[n]`.
        observations: float32 `[n, *shape]` for each sensor.
        rewards: float32 `[n]`, since the agent's last row.
        done: bool `[n]`: the agent's episode has ended; it takes no action.
        interrupted: bool `[n]`: it has ended for another reason than the game's rules, such as the time limit.
        group_ids: int32 `[n]`: agents that share a reward, or 0.
        group_rewards: float32 `[n]`.
        masks: bool `[n, sum of branches]`, true where a choice is forbidden; None where all are allowed.
    """

    ids: NDArray[np.int32]
    observations: tuple[Floats, ...]
    rewards: Floats
    done: NDArray[np.bool_]
    interrupted: NDArray[np.bool_]
    group_ids: NDArray[np.int32]
    group_rewards: Floats
    masks: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Actions:
    """Actions of `n` agents, in the order of the rows that were not done.

    Attributes:
        continuous: float32 `[n, n_continuous]`.
        discrete: int32 `[n, len(branches)]`.
    """

    continuous: Floats
    discrete: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.discrete)


@dataclass(frozen=True)
class Exchange:
    """An environment's message to the trainer.

    Attributes:
        rows: For each behaviour by name.
        side_channel: Messages beside the game, see `side_channels`.
    """

    rows: dict[str, AgentRows]
    side_channel: bytes = b""


@dataclass(frozen=True)
class Instruction:
    """A trainer's message to the environment.

    Attributes:
        actions: For each behaviour by name; agents without an action do nothing.
        reset: Whether all episodes begin anew, in which case there are no actions.
        side_channel: Messages beside the game.
    """

    actions: dict[str, Actions] = field(default_factory=dict)
    reset: bool = False
    side_channel: bytes = b""
