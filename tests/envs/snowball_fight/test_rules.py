"""Motion, throws, hits and endings of a duel."""

from dataclasses import replace

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from snowball_fight import ONE_VS_ONE
from snowball_scenes import DOWN, FORWARD, STILL, THROW, UP, act, play, play_until_hit, scene

OPEN = replace(ONE_VS_ONE, shelters=())
FACING = ([[0, -2], [0, 2]], [UP, DOWN])
STAYS = {"autoreset": AutoresetMode.DISABLED}


def test_an_agent_reaches_its_full_speed_and_not_more():
    arenas = scene([[0, -5], [0, 5]], [UP, DOWN], OPEN)
    play(arenas, act(FORWARD, STILL), 8)
    assert arenas.state.velocity[0, 0, 1] == pytest.approx(OPEN.agent_speed, rel=1e-3)


def test_a_diagonal_is_as_fast_as_a_straight_way():
    arenas = scene([[-4, -5], [0, 5]], [UP, DOWN], OPEN)
    play(arenas, act((1, 1, 0, 0), STILL), 8)
    assert np.hypot(*arenas.state.velocity[0, 0]) == pytest.approx(OPEN.agent_speed, rel=1e-3)


@pytest.mark.parametrize(
    ("branch", "axis", "sign"), [((0, 1, 0, 0), 0, 1), ((0, 2, 0, 0), 0, -1), ((2, 0, 0, 0), 1, -1)]
)
def test_strafing_and_backing_go_where_their_names_say(branch, axis, sign):
    arenas = scene([[0, -3], [0, 3]], [UP, DOWN], OPEN)
    play(arenas, act(branch, STILL), 1)
    assert arenas.state.velocity[0, 0, axis] * sign > 0


def test_clockwise_turns_from_up_to_the_right():
    arenas = scene(*FACING, OPEN)
    play(arenas, act((0, 0, 1, 0), (0, 0, 2, 0)), 1)
    turned = OPEN.turn_per_tick * OPEN.ticks_per_decision
    assert arenas.state.heading[0].tolist() == [UP - turned, DOWN + turned]


def test_the_frontier_stops_agents():
    arenas = scene(*FACING, OPEN)
    play(arenas, act(FORWARD, FORWARD), 30)
    assert arenas.state.position[0, :, 1].tolist() == [-OPEN.agent_radius, OPEN.agent_radius]
    assert not arenas.state.velocity.any()


def test_a_shelter_stops_an_agent_at_its_edge():
    arenas = scene([[0, -5.4], [0, 5]], [UP, DOWN])
    play(arenas, act(FORWARD, STILL), 20)
    assert arenas.state.position[0, 0, 1] == pytest.approx(-3.6 - 0.7 - 0.5, abs=1e-5)


def test_a_snowball_crosses_the_frontier_and_hits():
    arenas = scene(*FACING, OPEN)
    outcome = play_until_hit(arenas, act(THROW, STILL))
    assert arenas.state.health[0].tolist() == [3, 2]
    assert outcome.hits[0].tolist() == [1, 0]
    assert outcome.rewards[0].tolist() == [pytest.approx(0.1), 0]


def test_a_shelter_stops_a_snowball():
    arenas = scene([[0, -2], [0, 5]], [UP, DOWN])
    play(arenas, act(THROW, STILL), 10)
    assert arenas.state.health[0].tolist() == [3, 3]


def test_a_snowball_is_thrown_every_two_seconds():
    arenas = scene([[-4, -1], [5, 5]], [UP, DOWN], OPEN)
    throws = [arenas.step(act(THROW, STILL)).throws[0, 0] for _ in range(41)]
    assert np.flatnonzero(throws).tolist() == [0, 20, 40]


def test_the_winner_gains_what_time_is_left_and_the_loser_loses_one():
    arenas = scene(*FACING, OPEN, **STAYS)
    arenas.state.health[0, 1] = 1
    arenas.state.tick[0] = 1500
    outcome = play_until_hit(arenas, act(THROW, STILL))
    played = int(outcome.ticks[0]) - 1
    assert outcome.rewards[0].tolist() == [pytest.approx(0.1 + 1 - played / 3000), -1]
    assert outcome.terminated.all()
    assert not outcome.truncated.any()
    assert (outcome.ended[0], outcome.winner[0]) == (True, 0)


def test_the_winners_last_reward_is_above_zero_in_the_last_tick():
    arenas = scene(*FACING, OPEN, **STAYS)
    arenas.state.health[0, 1] = 1
    play(arenas, act(THROW, STILL), 1)
    arenas.state.ball_position[0, 0] = (0, 1.2)
    arenas.state.tick[0] = 2999
    outcome = arenas.step(act(STILL, STILL))
    assert outcome.team_rewards[0, 0] > 0
    assert outcome.rewards[0, 1] < 0


def test_two_who_fall_in_the_same_tick_draw():
    arenas = scene(*FACING, OPEN, **STAYS)
    arenas.state.health[0] = 1
    outcome = play_until_hit(arenas, act(THROW, THROW))
    assert outcome.terminated.all()
    assert outcome.winner[0] == -1
    assert outcome.rewards[0].tolist() == [pytest.approx(0.1)] * 2
    assert not outcome.team_rewards.any()


def test_the_time_limit_truncates_without_an_ending_reward():
    arenas = scene(*FACING, replace(OPEN, max_ticks=12), **STAYS)
    outcome = play(arenas, act(STILL, STILL), 3)
    assert outcome.truncated.all()
    assert not outcome.terminated.any()
    assert not outcome.rewards.any()
    assert outcome.ticks[0] == 12
