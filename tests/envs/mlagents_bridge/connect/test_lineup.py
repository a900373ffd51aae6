"""What slots see of an environment's messages, and whose actions go where."""

import numpy as np
import pytest

from mlagents_bridge.behaviors import Actions, AgentRows, Behavior, Exchange, Sensor
from mlagents_bridge.connect.lineup import Lineup

TEAMS = [Behavior(f"Duck?team={team}", (Sensor("id", (1,)),), 1, (2, 2)) for team in range(2)]
ONE, OTHER = (team.name for team in TEAMS)


def rows(*agents, rewards=None, done=(), interrupted=(), group_rewards=None, masks=None):
    n = len(agents)
    ids = np.array(agents, np.int32)
    return AgentRows(
        ids=ids,
        observations=(ids[:, None].astype(np.float32),),
        rewards=np.array(rewards or [0] * n, np.float32),
        done=np.isin(ids, done),
        interrupted=np.isin(ids, interrupted),
        group_ids=np.zeros(n, np.int32),
        group_rewards=np.array(group_rewards or [0] * n, np.float32),
        masks=masks,
    )


def lineup_after(first, *teams):
    lineup = Lineup(teams or TEAMS[:1], Exchange(first))
    lineup.begin(Exchange(first))
    return lineup


def after(lineup, *messages):
    lineup.start_step()
    for message in messages:
        lineup.hear(Exchange(message))
    return lineup.moment


def seen(moment):
    return moment.observations[0][:, 0].tolist()


def test_who_does_not_ask_still_shows_the_last_observation_and_no_reward():
    lineup = lineup_after({ONE: rows(1, 2)})
    moment = after(lineup, {ONE: rows(2, rewards=[3])})
    assert seen(moment) == [1, 2]
    assert moment.rewards.tolist() == [0, 3]
    assert moment.awaits_action.tolist() == [False, True]


def test_an_end_and_the_next_beginning_are_one_step():
    lineup = lineup_after({ONE: rows(1, 2)})
    moment = after(lineup, {ONE: rows(1, 2, 3, rewards=[5, 1, 7], done=[1])})
    assert seen(moment) == [3, 2]
    assert moment.finals[0][0].tolist() == [1]
    assert moment.rewards.tolist() == [5, 1]  # the 7 belongs to no action of the new agent's
    assert moment.terminated.tolist() == [True, False]
    assert moment.awaits_action.all()


def test_a_time_out_is_a_truncation():
    lineup = lineup_after({ONE: rows(1, 2)})
    moment = after(lineup, {ONE: rows(1, 2, done=[1, 2], interrupted=[2])})
    assert moment.terminated.tolist() == [True, False]
    assert moment.truncated.tolist() == [False, True]
    assert seen(moment) == [1, 2]
    assert not moment.awaits_action.any()


def test_rewards_of_several_messages_of_a_step_add_up():
    lineup = lineup_after({ONE: rows(1)})
    moment = after(lineup, {ONE: rows(1, rewards=[1], group_rewards=[4])}, {ONE: rows(1, rewards=[2], done=[1])})
    assert moment.rewards.tolist() == [3]
    assert moment.group_rewards.tolist() == [4]


def test_what_a_moment_says_does_not_change_afterwards():
    lineup = lineup_after({ONE: rows(1)})
    first = after(lineup, {ONE: rows(1, rewards=[1])})
    after(lineup, {ONE: rows(1, 2, done=[1])})
    assert (seen(first), first.rewards.tolist(), first.ended.tolist()) == ([1], [1], [False])


def test_masks_are_those_of_the_agents_that_ask():
    lineup = lineup_after({ONE: rows(1, 2)})
    masks = np.array([[True, False, False, False]])
    assert after(lineup, {ONE: rows(2, masks=masks)}).forbidden.tolist() == [[False] * 4, masks[0].tolist()]
    assert not after(lineup, {ONE: rows(2)}).forbidden.any()


def test_actions_go_to_those_who_ask_in_the_order_of_the_message():
    lineup = lineup_after({ONE: rows(1, 2), OTHER: rows(3)}, *TEAMS)
    after(lineup, {ONE: rows(2, 9, 1), OTHER: rows(3, done=[3])})
    given = lineup.instruct(Actions(np.array([[0.1], [0.2], [0.3]], np.float32), np.array([[0, 1], [1, 0], [1, 1]])))
    assert set(given) == {ONE}  # nobody of the other team asks
    assert given[ONE].continuous[:, 0] == pytest.approx([0.2, 0, 0.1])  # agent 9 has no slot, and does nothing
    assert given[ONE].discrete.tolist() == [[1, 0], [0, 0], [0, 1]]


def test_a_reset_hides_what_has_ended_before():
    lineup = lineup_after({ONE: rows(1)})
    lineup.begin(Exchange({ONE: rows(1, 2, rewards=[9, 9], done=[1])}))
    assert not lineup.moment.ended.any()
    assert lineup.moment.rewards.tolist() == [0]
    assert not lineup.moment.finals
    assert seen(lineup.moment) == [2]
