"""Two against two: early leavers, harmless teammates, rewards of the team."""

from dataclasses import replace

import pytest
from gymnasium.vector import AutoresetMode

from snowball_fight import TWO_VS_TWO
from snowball_fight.layout import TEAMMATE_FLOATS, teammate_slice
from snowball_scenes import DOWN, STILL, THROW, UP, act, play, play_until_hit, scene

OPEN = replace(TWO_VS_TWO, shelters=())
STAYS = {"autoreset": AutoresetMode.DISABLED}
HEADINGS = [UP, UP, DOWN, DOWN]
FIRST_THROWS = act(THROW, STILL, STILL, STILL)


def two_pairs():
    """Agent 0 looks at agent 2 across the frontier; agents 1 and 3 stand aside."""
    return scene([[0, -2], [4, -4], [0, 2], [-4, 4]], HEADINGS, OPEN, **STAYS)


def test_a_fallen_agent_leaves_early_and_sees_nothing():
    arenas = two_pairs()
    arenas.state.health[0, 2] = 1
    outcome = play_until_hit(arenas, FIRST_THROWS)
    assert outcome.terminated[0].tolist() == [False, False, True, False]
    assert outcome.standing[0].tolist() == [True, True, False, True]
    assert not outcome.ended[0]
    assert not outcome.observations[0, 2].any()


def test_a_fallen_agent_neither_moves_nor_throws():
    arenas = two_pairs()
    arenas.state.health[0, 2] = 1
    play_until_hit(arenas, FIRST_THROWS)
    before = arenas.state.position[0, 2].copy()
    outcome = arenas.step(act(STILL, STILL, (1, 1, 0, 1), STILL))
    assert (arenas.state.position[0, 2] == before).all()
    assert not outcome.throws.any()
    assert not outcome.terminated.any()


def test_the_ending_reward_goes_to_every_member_fallen_ones_too():
    arenas = two_pairs()
    arenas.state.alive[0, [1, 3]] = False
    arenas.state.health[0] = [3, 0, 1, 0]
    outcome = play_until_hit(arenas, FIRST_THROWS)
    won = outcome.team_rewards[0, 0]
    assert outcome.rewards[0].tolist() == [pytest.approx(won + 0.1), won, -1, -1]
    assert outcome.terminated[0].tolist() == [True, False, True, False]


def test_a_teammate_lets_a_snowball_pass():
    arenas = scene([[0, -4], [0, -2], [0, 2], [-4, 4]], HEADINGS, OPEN, **STAYS)
    play(arenas, FIRST_THROWS, 6)
    assert arenas.state.health[0].tolist() == [3, 3, 2, 3]


def test_the_snowball_of_a_fallen_agent_melts():
    arenas = two_pairs()
    arenas.state.health[0, 2] = 1
    arenas.state.heading[0, 2] = 0
    play_until_hit(arenas, act(THROW, STILL, THROW, STILL))
    assert arenas.state.ball_ticks[0, 2] == 0


def test_a_teammate_is_seen_in_the_own_frame():
    arenas = two_pairs()
    mate = dict(zip(TEAMMATE_FLOATS, arenas.observe()[0, 0, teammate_slice(0)], strict=True))
    assert mate["right"] == pytest.approx(4 / 18)
    assert mate["forward"] == pytest.approx(-2 / 18)
    assert (mate["facing_forward"], mate["alive"], mate["health"], mate["can_shoot"]) == (1, 1, 1, 1)
