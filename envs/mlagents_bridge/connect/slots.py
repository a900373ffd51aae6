"""Agents whose ids change with every episode, in slots that stay."""

from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

NO_SLOT = -1


class Slots:
    """The slots of one behaviour.

    An agent that ends leaves its slot, and the next new agent takes it; slots that were left first are taken first.
    Agents for whom there is no slot have none until one is left.

    Args:
        n_slots: How many there are.
    """

    def __init__(self, n_slots: int) -> None:
        self._slot_of: dict[int, int] = {}
        self._free = deque(range(n_slots))

    @property
    def free(self) -> list[int]:
        """The slots without an agent."""
        return list(self._free)

    def begin(self, ids: Iterable[int]) -> None:
        """Frees the slots of all who are not there any more.

        Args:
            ids: Those who are, after all episodes have begun anew. Who has a slot keeps it.
        """
        kept = set(ids)
        for agent, slot in list(self._slot_of.items()):
            if agent not in kept:
                del self._slot_of[agent]
                self._free.append(slot)
        self._free = deque(sorted(self._free))

    def take(self, ids: NDArray[np.int32], done: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The slots of a message's rows.

        Args:
            ids: Of the agents, `[n]`.
            done: Which of them have ended, `[n]`; their slots are free for the others of the same message.

        Returns:
            int64 `[n]`, each row's slot or `NO_SLOT`; and bool `[n]`, who has taken it with this message.
        """
        slots = np.full(len(ids), NO_SLOT, np.int64)
        is_new = np.zeros(len(ids), np.bool_)
        ended = ids[done].tolist()
        if ended:
            slots[done] = [self._leave(agent) for agent in ended]
        others = set(ended)
        places = np.flatnonzero(~done).tolist()
        for place, agent in zip(places, ids[~done].tolist(), strict=True):
            slot = self._slot_of.get(agent, NO_SLOT)
            if slot == NO_SLOT and self._free and agent not in others:
                slot = self._slot_of[agent] = self._free.popleft()
                is_new[place] = True
            slots[place] = slot
        return slots, is_new

    def _leave(self, agent: int) -> int:
        slot = self._slot_of.pop(agent, NO_SLOT)
        if slot != NO_SLOT:
            self._free.append(slot)
        return slot
