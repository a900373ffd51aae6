"""The agents of equal behaviours side by side, each in a slot of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlagents_bridge.behaviors import Actions, AgentRows, Behavior, Exchange, Floats
from mlagents_bridge.connect.slots import NO_SLOT, Slots

Flags = NDArray[np.bool_]


@dataclass
class Moment:
    """What `n` slots see after a step.

    A slot whose agent has not asked for an action still shows what it saw last, has no reward, and its next action is
    ignored. The same goes for a slot whose agent has left, until the next one comes.

    Attributes:
        observations: float32 `[n, *shape]` for each sensor. Of a slot whose episode has ended, already the next one's
            first, if the next agent has come.
        rewards: float32 `[n]`, without those of groups.
        group_rewards: float32 `[n]`.
        terminated: bool `[n]`: the slot's episode has ended by the game's rules.
        truncated: bool `[n]`: it has ended for another reason, such as the time limit.
        awaits_action: bool `[n]`.
        forbidden: bool `[n, sum of branches]`, the choices that the agent must not take now.
        finals: The last observations of each slot whose episode has ended, one array a sensor.
    """

    observations: list[Floats]
    rewards: Floats
    group_rewards: Floats
    terminated: Flags
    truncated: Flags
    awaits_action: Flags
    forbidden: Flags
    finals: dict[int, tuple[Floats, ...]] = field(default_factory=dict)

    @property
    def ended(self) -> Flags:
        """Whether the slot's episode has ended, one way or the other; bool `[n]`."""
        return self.terminated | self.truncated


class Lineup:
    """Slots for the agents of one behaviour, or of several that are alike.

    Args:
        behaviors: Alike apart from their names.
        first: What the environment has said after its first reset: so many slots there are from then on.

    Attributes:
        names: Of the behaviours.
        behavior: The first of them.
        n_slots: Of all of them. Those of the first behaviour come first.
        moment: What the slots see now.
    """

    def __init__(self, behaviors: Sequence[Behavior], first: Exchange) -> None:
        self.names = [behavior.name for behavior in behaviors]
        self.behavior = behaviors[0]
        counts = [int((~rows.done).sum()) for rows in _rows(self.names, first)]
        self._offsets = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int).tolist()
        self._slots = [Slots(count) for count in counts]
        self._asking = [np.zeros(0, np.int64) for _ in counts]
        self.n_slots = sum(counts)
        n, shapes = self.n_slots, [sensor.shape for sensor in self.behavior.sensors]
        self.moment = self._after([np.zeros((n, *shape), np.float32) for shape in shapes])

    @property
    def vacant(self) -> list[int]:
        """The slots without an agent."""
        pairs = zip(self._slots, self._offsets, strict=True)
        return [offset + slot for slots, offset in pairs for slot in slots.free]

    def begin(self, exchange: Exchange) -> None:
        """Takes what the environment says after a reset."""
        self.start_step()
        for slots, rows in zip(self._slots, _rows(self.names, exchange), strict=True):
            slots.begin(rows.ids[~rows.done].tolist())
        self.hear(exchange)
        # What had ended before belongs to no episode that anybody has seen.
        for values in (self.moment.rewards, self.moment.group_rewards, self.moment.terminated, self.moment.truncated):
            values[:] = 0
        self.moment.finals.clear()

    def start_step(self) -> None:
        """Begins a new moment, in which nobody has said anything yet."""
        self.moment = self._after([values.copy() for values in self.moment.observations])

    def hear(self, exchange: Exchange) -> None:
        """Takes what the environment says after a step, or in the course of one."""
        heard = zip(self._slots, self._offsets, _rows(self.names, exchange), strict=True)
        for index, (slots, offset, rows) in enumerate(heard):
            self._asking[index] = np.zeros(0, np.int64)
            if not len(rows):
                continue
            taken, is_new = slots.take(rows.ids, rows.done)
            taken[taken != NO_SLOT] += offset
            if rows.done.any():
                self._end(rows, taken)
            self._ask(rows, taken, is_new)
            self._asking[index] = taken[~rows.done]

    def instruct(self, actions: Actions) -> dict[str, Actions]:
        """Actions for those who have asked, behaviour by behaviour.

        Args:
            actions: For each slot. Agents without a slot do nothing.
        """
        instructed = {}
        for name, slots in zip(self.names, self._asking, strict=True):
            if len(slots):
                continuous, discrete = actions.continuous[slots], actions.discrete[slots]
                waits = slots == NO_SLOT
                continuous[waits] = 0
                discrete[waits] = 0
                instructed[name] = Actions(continuous, discrete)
        return instructed

    def _after(self, observations: list[Floats]) -> Moment:
        n = self.n_slots
        return Moment(
            observations,
            rewards=np.zeros(n, np.float32),
            group_rewards=np.zeros(n, np.float32),
            terminated=np.zeros(n, np.bool_),
            truncated=np.zeros(n, np.bool_),
            awaits_action=np.zeros(n, np.bool_),
            forbidden=np.zeros((n, sum(self.behavior.branches)), np.bool_),
        )

    def _end(self, rows: AgentRows, slots: NDArray[np.int64]) -> None:
        """Notes the ends of episodes."""
        moment = self.moment
        for row in np.flatnonzero(rows.done & (slots != NO_SLOT)).tolist():
            slot = int(slots[row])
            moment.rewards[slot] += rows.rewards[row]
            moment.group_rewards[slot] += rows.group_rewards[row]
            moment.terminated[slot] = not rows.interrupted[row]
            moment.truncated[slot] = rows.interrupted[row]
            moment.finals[slot] = tuple(values[row].copy() for values in rows.observations)
            # Shown until the next agent comes.
            for mine, theirs in zip(moment.observations, rows.observations, strict=True):
                mine[slot] = theirs[row]

    def _ask(self, rows: AgentRows, slots: NDArray[np.int64], is_new: Flags) -> None:
        """Notes who asks for an action, and what they see."""
        moment = self.moment
        asking = ~rows.done & (slots != NO_SLOT)
        slots = slots[asking]
        for mine, theirs in zip(moment.observations, rows.observations, strict=True):
            mine[slots] = theirs[asking]
        # A reward that a new agent comes with belongs to no action of its own; ML-Agents drops it, too.
        counts = ~is_new[asking]
        moment.rewards[slots] += rows.rewards[asking] * counts
        moment.group_rewards[slots] += rows.group_rewards[asking] * counts
        moment.awaits_action[slots] = True
        if rows.masks is not None:
            moment.forbidden[slots] = rows.masks[asking]


def _rows(names: Sequence[str], exchange: Exchange) -> list[AgentRows]:
    return [exchange.rows.get(name, _NOBODY) for name in names]


_NOBODY = AgentRows(
    ids=np.zeros(0, np.int32),
    observations=(),
    rewards=np.zeros(0, np.float32),
    done=np.zeros(0, np.bool_),
    interrupted=np.zeros(0, np.bool_),
    group_ids=np.zeros(0, np.int32),
    group_rewards=np.zeros(0, np.float32),
)
