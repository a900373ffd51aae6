"""Changing ids become slots that stay."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlagents_bridge.connect.slots import NO_SLOT, Slots


def take(slots, decisions, done=()):
    ids = np.array([*done, *decisions], np.int32)
    taken, is_new = slots.take(ids, np.arange(len(ids)) < len(done))
    return taken.tolist(), is_new.tolist()


def test_agents_take_slots_in_their_order_and_keep_them():
    slots = Slots(3)
    assert take(slots, [7, 5, 9]) == ([0, 1, 2], [True] * 3)
    assert take(slots, [9, 7]) == ([2, 0], [False] * 2)


def test_the_next_agent_takes_the_slot_of_one_that_ended_in_the_same_message():
    slots = Slots(2)
    take(slots, [1, 2])
    assert take(slots, [3, 2], done=[1]) == ([0, 0, 1], [False, True, False])


def test_slots_that_were_left_first_are_taken_first():
    slots = Slots(3)
    take(slots, [1, 2, 3])
    take(slots, [], done=[3])
    take(slots, [], done=[1])
    assert take(slots, [4, 5])[0] == [2, 0]


def test_an_agent_without_a_slot_waits_until_one_is_left():
    slots = Slots(1)
    assert take(slots, [1, 2]) == ([0, NO_SLOT], [True, False])
    assert take(slots, [2], done=[1]) == ([0, 0], [False, True])


def test_an_end_of_an_unknown_agent_frees_nothing():
    slots = Slots(1)
    take(slots, [1])
    assert take(slots, [3], done=[2]) == ([NO_SLOT, NO_SLOT], [False, False])


def test_after_a_reset_who_is_still_there_keeps_the_slot():
    slots = Slots(3)
    take(slots, [1, 2, 3])
    slots.begin([2, 8])
    assert take(slots, [8, 2])[0] == [0, 1]


@given(st.integers(1, 6), st.data())
def test_slots_are_never_shared_and_never_lost(n_slots, data):
    slots, holders, new_id = Slots(n_slots), {}, 0
    for _ in range(12):
        alive = sorted(holders.values()) + list(range(new_id, new_id + data.draw(st.integers(0, 4))))
        new_id = max([new_id, *(agent + 1 for agent in alive)])
        done = [agent for agent in holders.values() if data.draw(st.booleans())]
        asking = [agent for agent in alive if agent not in done and data.draw(st.booleans())]
        before = dict(holders)
        taken, is_new = take(slots, asking, done)
        for agent, slot in zip(done, taken, strict=False):
            assert before[slot] == agent  # the slot it had
            del holders[slot]
        for agent, slot, new in zip(asking, taken[len(done) :], is_new[len(done) :], strict=True):
            if slot == NO_SLOT:
                assert len(holders) == n_slots
                continue
            assert new == (slot not in holders)
            assert holders.setdefault(slot, agent) == agent
        assert sorted(slots.free) == [slot for slot in range(n_slots) if slot not in holders]
