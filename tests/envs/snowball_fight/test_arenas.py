"""The engine's manners: seeds, checks, autoreset, copies."""

import multiprocessing
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from snowball_fight import ONE_VS_ONE, TWO_VS_TWO, Arenas
from snowball_fight.spec import Shelter

SHORT = replace(ONE_VS_ONE, max_ticks=10)
NOTHING = np.zeros((3, 2, 4), np.int64)


def begun(spec=ONE_VS_ONE, n_arenas=3, **options):
    """Arenas in their first episode."""
    arenas = Arenas(spec, n_arenas, **options)
    arenas.reset(5)
    return arenas


def wrong(place, value):
    """Actions with one number out of range."""
    actions = NOTHING.copy()
    actions[place] = value
    return actions


@pytest.mark.parametrize(
    ("actions", "error", "sentence"),
    [
        (NOTHING.astype(float), TypeError, "array of integers, not float64"),
        (NOTHING.tolist(), TypeError, "not list"),
        (NOTHING[:2], ValueError, r"\(3, 2, 4\), not \(2, 2, 4\)"),
        (wrong((2, 1, 0), 3), ValueError, "agent 1 in arena 2 is out of range"),
        (wrong((0, 0, 3), 2), ValueError, "agent 0 in arena 0"),
        (wrong((1, 0, 2), -1), ValueError, "No arena has been stepped"),
    ],
)
def test_wrong_actions_are_refused_before_anything_is_played(actions, error, sentence):
    arenas = begun()
    before = arenas.games.copy()
    with pytest.raises(error, match=sentence):
        arenas.step(actions)
    assert np.array_equal(arenas.games, before)


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint8, np.uint64])
def test_every_type_of_integer_is_an_action(dtype):
    expected = begun().step(NOTHING).observations

    assert np.array_equal(begun().step(NOTHING.astype(dtype)).observations, expected)


def test_a_step_before_the_first_reset_is_refused():
    with pytest.raises(RuntimeError, match="call reset"):
        Arenas(ONE_VS_ONE, 3).step(NOTHING)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"seeds": [1, 2]}, "2 seeds for 3 arenas"),
        ({"seeds": -1}, "whole number from 0"),
        ({"seeds": 2**64 - 1}, "whole number from 0"),
        ({"where": [True]}, "3 booleans"),
        ({"where": [1, 0, 1]}, "3 booleans"),
    ],
)
def test_wrong_seeds_and_places_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        begun().reset(**arguments)


def test_the_first_reset_begins_everywhere():
    with pytest.raises(ValueError, match="every arena"):
        Arenas(ONE_VS_ONE, 2).reset(0, where=[True, False])


def test_no_arenas_are_refused():
    with pytest.raises(ValueError, match="at least one arena"):
        Arenas(ONE_VS_ONE, 0)


def test_a_number_seeds_the_arenas_in_turn():
    assert np.array_equal(begun().reset(5), begun().reset([5, 6, 7]))


def test_a_reset_without_seeds_goes_on_to_the_next_episode():
    arenas = begun()
    first = arenas.reset(5).copy()
    assert not np.array_equal(arenas.reset(), first)
    assert np.array_equal(arenas.reset(5), first)


def test_a_reset_somewhere_leaves_the_other_arenas_alone():
    arenas = begun()
    arenas.step(NOTHING)
    arenas.reset(where=np.array([False, True, False]))
    assert arenas.state.tick.tolist() == [5, 0, 5]
    assert arenas.state.episode.tolist() == [0, 1, 0]


def test_same_step_autoreset_keeps_the_last_observations():
    arenas, stays = begun(SHORT), begun(SHORT, autoreset=AutoresetMode.DISABLED)
    for _ in range(2):
        outcome, last = arenas.step(NOTHING), stays.step(NOTHING)
    assert outcome.ended.all()
    assert np.array_equal(outcome.final_observations, last.observations)
    assert np.array_equal(outcome.observations, stays.reset())
    assert outcome.ticks.tolist() == [10, 10, 10]


def test_next_step_autoreset_begins_in_the_step_after():
    arenas, stays = (begun(SHORT, autoreset=mode) for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED))
    for _ in range(2):
        outcome, last = arenas.step(NOTHING), stays.step(NOTHING)
    assert np.array_equal(outcome.observations, last.observations)
    outcome = arenas.step(NOTHING)
    assert not outcome.ended.any()
    assert not outcome.truncated.any()
    assert np.array_equal(outcome.observations, stays.reset())


def test_without_autoreset_a_finished_arena_waits_for_a_reset():
    arenas = begun(SHORT, autoreset=AutoresetMode.DISABLED)
    arenas.step(NOTHING)
    arenas.step(NOTHING)
    with pytest.raises(RuntimeError, match="arena 0 has ended"):
        arenas.step(NOTHING)


@pytest.mark.parametrize("duplicate", [Arenas.copy, lambda arenas: pickle.loads(pickle.dumps(arenas))])
def test_copies_go_on_alike_and_apart(duplicate):
    arenas = begun(threads=2)
    arenas.step(NOTHING)
    twin = duplicate(arenas)
    walk = np.ones_like(NOTHING)
    assert np.array_equal(arenas.step(walk).observations, twin.step(walk).observations)
    twin.step(walk)
    assert arenas.state.tick.tolist() == [10, 10, 10]
    assert twin.state.tick.tolist() == [15, 15, 15]


FAST = replace(ONE_VS_ONE, agent_speed=7.0, max_ticks=10)


def test_arenas_with_rules_of_their_own_play_as_arenas_of_those_rules():
    mixed, plain, fast = begun(), begun(), begun(FAST)
    mixed.set_rules([FAST], [False, True, False])
    mixed.reset(5)
    for arenas in (mixed, plain, fast):
        for step in range(6):
            arenas.step(NOTHING + (step % 2))
    for arena, alike in enumerate((plain, fast, plain)):
        assert np.array_equal(mixed.games[arena], alike.games[arena])
        assert np.array_equal(mixed.outcome.observations[arena], alike.outcome.observations[arena])


def test_rules_for_all_arenas_replace_those_of_some():
    arenas, fast = begun(), begun(FAST)
    arenas.set_rules([FAST], [False, True, False])
    arenas.set_rules(FAST)
    assert np.array_equal(arenas.step(NOTHING).observations, fast.step(NOTHING).observations)
    assert np.array_equal(arenas.rules, fast.rules)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([FAST],), "1 specs for 3 arenas"),
        ((TWO_VS_TWO,), "not other numbers of teams"),
        (
            (
                replace(
                    ONE_VS_ONE, shelters=tuple(Shelter(x, y, 0.1) for x in (-3, -1, 1, 3) for y in (-3, -1.5, 1.5, 3))
                ),
            ),
            "shelters",
        ),
        ((FAST, [True]), "3 booleans"),
    ],
    ids=["number", "people", "shelters", "places"],
)
def test_rules_that_do_not_fit_are_refused(arguments, sentence):
    arenas = begun()
    before = arenas.rules.copy()
    with pytest.raises(ValueError, match=sentence):
        arenas.set_rules(*arguments)
    assert np.array_equal(arenas.rules, before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_plays_on_with_threads_of_its_own():
    arenas = begun(threads=2)
    arenas.step(NOTHING)
    child = multiprocessing.get_context("fork").Process(target=arenas.step, args=(NOTHING,), daemon=True)
    child.start()
    child.join(60)  # a child that waited for its parent's threads would wait for ever
    assert child.exitcode == 0


def test_the_states_arrays_are_the_game():
    arenas = begun()
    arenas.state.health[:, 0] = 1
    assert np.allclose(arenas.observe()[:, 0], arenas.observe()[:, 0])
    assert arenas.games["health"][:, 0].tolist() == [1, 1, 1]
