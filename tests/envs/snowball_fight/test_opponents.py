"""Scripted players: a graded scale without a better seat."""

from dataclasses import replace

import numpy as np
import pytest

from snowball_fight import ONE_VS_ONE, Arenas
from snowball_fight.opponents import Player, choose_actions
from snowball_scenes import DOWN, UP, scene
from snowball_tournaments import play

GAMES = 400


@pytest.mark.parametrize(("weaker", "stronger"), list(zip(Player, list(Player)[1:], strict=False)))
def test_each_player_beats_the_one_before_it(weaker, stronger):
    record = play(ONE_VS_ONE, (stronger, weaker), GAMES)
    assert record.wins[0] > 5 * record.wins[1]
    assert record.wins[0] > GAMES / 20


@pytest.mark.parametrize("player", [Player.AIM_AND_SHOOT, Player.LEADER])
def test_players_that_aim_seldom_run_out_of_time(player):
    assert play(ONE_VS_ONE, (player, player), GAMES).time_outs < GAMES / 10


@pytest.mark.slow
@pytest.mark.parametrize("player", [Player.AIM_AND_SHOOT, Player.LEADER])
def test_both_seats_win_equally_often(player):
    record = play(ONE_VS_ONE, (player, player), 40_000)
    assert record.wins[0] / sum(record.wins) == pytest.approx(0.5, abs=0.01)


def test_a_seat_is_played_the_same_from_both_sides():
    near = play(ONE_VS_ONE, (Player.LEADER, Player.DODGER), 2000).win_rates[0]
    far = play(ONE_VS_ONE, (Player.DODGER, Player.LEADER), 2000).win_rates[1]
    assert near == pytest.approx(far, abs=0.05)


def test_aiming_without_leading_misses_one_who_strafes():
    aims = play(ONE_VS_ONE, (Player.AIM_AND_SHOOT, Player.DODGER), GAMES).hit_rates[0]
    leads = play(ONE_VS_ONE, (Player.LEADER, Player.DODGER), GAMES).hit_rates[0]
    assert aims < 0.7 * leads


def test_shelters_matter():
    bare = play(replace(ONE_VS_ONE, shelters=()), (Player.LEADER, Player.LEADER), GAMES).hit_rates[0]
    assert play(ONE_VS_ONE, (Player.LEADER, Player.LEADER), GAMES).hit_rates[0] > 1.5 * bare


@pytest.mark.parametrize("player", [Player.AIM_AND_SHOOT, Player.LEADER])
def test_no_player_sees_through_a_shelter(player):
    hidden = scene([[0, -2], [0, 5.3]], [UP, DOWN])
    moved = scene([[0, -2], [0.2, 5.4]], [UP, DOWN])
    chosen = []
    for arenas in (hidden, moved):
        actions = np.zeros((1, 2, 4), np.int64)
        choose_actions(arenas, 0, player, actions)
        chosen.append(actions)
    assert np.array_equal(*chosen)


def test_every_arena_can_have_a_player_of_its_own():
    arenas = Arenas(ONE_VS_ONE, 5)
    arenas.reset(0)
    mixed, alone = np.zeros((2, 5, 2, 4), np.int64)
    choose_actions(arenas, 1, np.array(list(Player)), mixed)
    choose_actions(arenas, 1, Player.LEADER, alone)
    assert np.array_equal(mixed[4, 1], alone[4, 1])
    assert not mixed[0].any()


def test_of_several_players_one_is_drawn_for_every_episode():
    several = [Player.STILL, Player.LEADER, Player.LEADER, Player.LEADER]
    arenas = Arenas(ONE_VS_ONE, 400)
    arenas.reset(0)
    drawn, leader = np.zeros((2, 400, 2, 4), np.int64)
    leads = []
    for _ in range(2):
        choose_actions(arenas, 1, several, drawn)
        choose_actions(arenas, 1, Player.LEADER, leader)
        leads.append((drawn == leader).all((1, 2)))
        arenas.reset()
    assert 0.7 < np.mean(leads) < 0.8
    assert (leads[0] != leads[1]).any()


def test_who_was_drawn_stays_for_the_episode():
    arenas = Arenas(replace(ONE_VS_ONE, hits_to_fall=9), 50)
    arenas.reset(0)
    actions = np.zeros((50, 2, 4), np.int64)
    moved = []
    for _ in range(60):
        choose_actions(arenas, 0, [Player.STILL, Player.RANDOM], actions)
        moved.append(actions[:, 0].any(1))
        arenas.step(actions)
    shares = np.mean(moved, 0)
    assert ((shares == 0) | (shares > 0.5)).all()
    assert 0 < (shares == 0).sum() < 50


@pytest.mark.parametrize(
    ("agent", "player", "shape", "sentence"),
    [
        (2, Player.STILL, (5, 2, 4), "no agent 2"),
        (0, [], (5, 2, 4), "at least one player"),
        (0, np.zeros(3, np.int64), (5, 2, 4), "5 players"),
        (0, Player.STILL, (5, 2, 3), "actions to write into"),
    ],
)
def test_wrong_requests_are_refused(agent, player, shape, sentence):
    with pytest.raises(ValueError, match=sentence):
        choose_actions(Arenas(ONE_VS_ONE, 5), agent, player, np.zeros(shape, np.int64))
