"""What agents see."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowball_fight import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO, Arenas
from snowball_fight.layout import OWN_FLOATS, SLICES, bounds, n_floats, names
from snowball_scenes import DOWN, STILL, THROW, UP, act, play, scene

OPEN = replace(ONE_VS_ONE, shelters=())


def rays(arenas, sensor, agent=0):
    """A sensor's blocks, a row a ray."""
    width = {"opponents": 3, "surroundings": 5, "snowballs": 3, "backward": 4}[sensor]
    return arenas.observe()[0, agent, SLICES[sensor]].reshape(-1, width)


def own(arenas, agent=0):
    """What an agent knows of itself, by name."""
    return dict(zip(OWN_FLOATS, arenas.observe()[0, agent, SLICES["own"]], strict=True))


@pytest.mark.parametrize(("spec", "floats"), [(ONE_VS_ONE, 129), (TARGET_PRACTICE, 129), (TWO_VS_TWO, 136)])
def test_every_float_has_a_name_of_its_own(spec, floats):
    assert len(set(names(spec))) == len(names(spec)) == n_floats(spec) == floats


@given(st.integers(0, 2**63), st.sampled_from([ONE_VS_ONE, TWO_VS_TWO, TARGET_PRACTICE]))
def test_observations_stay_within_their_bounds(seed, spec):
    low, high = bounds(spec)
    arenas = Arenas(spec, 8)
    random = np.random.default_rng(seed)
    arenas.reset(seed)
    for _ in range(20):
        seen = arenas.step(random.integers(0, [3, 3, 3, 2], (8, spec.n_agents, 4))).observations
        assert (seen >= low).all()
        assert (seen <= high).all()


def test_an_opponent_straight_ahead_is_on_the_two_middle_rays():
    arenas = scene([[0, -2], [0, 2]], [UP, DOWN], OPEN)
    hit = rays(arenas, "opponents")[:, 0]
    assert hit[4] == hit[5] == 1
    assert hit[0] == hit[9] == 0


def test_an_opponent_to_the_left_is_on_left_rays():
    arenas = scene([[0, -2], [-3, 2]], [UP, DOWN], OPEN)
    assert rays(arenas, "opponents")[:5, 0].any()
    assert not rays(arenas, "opponents")[5:, 0].any()


def test_the_fraction_grows_with_the_distance():
    near = rays(scene([[0, -1], [0, 1]], [UP, DOWN], OPEN), "opponents")[4, 2]
    far = rays(scene([[0, -4], [0, 4]], [UP, DOWN], OPEN), "opponents")[4, 2]
    assert near < far < 1


def test_a_shelter_hides_an_opponent_and_its_snowball():
    arenas = scene([[0, -2], [0, 5.3]], [UP, DOWN])
    play(arenas, act(STILL, THROW), 1)
    assert not rays(arenas, "opponents")[:, 0].any()
    assert (rays(arenas, "opponents")[:, 2] == 1).all()
    assert not rays(arenas, "snowballs")[:, 0].any()


def test_snowballs_are_seen_by_the_opponent_and_not_by_the_thrower():
    arenas = scene([[0, -4], [0, 4]], [UP, DOWN], OPEN)
    play(arenas, act(THROW, STILL), 2)
    assert not rays(arenas, "snowballs", agent=0)[:, 0].any()
    assert rays(arenas, "snowballs", agent=1)[:, 0].any()


def test_ahead_lies_the_frontier_and_behind_the_wall():
    arenas = scene([[0, -2], [0, 2]], [UP, DOWN], OPEN)
    ahead, behind = rays(arenas, "surroundings")[4], rays(arenas, "backward")[1]
    assert ahead[:4].tolist() == [0, 0, 1, 0]
    assert behind[:3].tolist() == [1, 0, 0]
    assert behind[3] == pytest.approx(4 / OPEN.ray_length)


def test_a_shelter_before_the_frontier_is_seen_as_one():
    arenas = scene([[0, -5.4], [0, 5.4]], [UP, DOWN])
    ahead = rays(arenas, "surroundings")[4]
    assert ahead[:4].tolist() == [0, 1, 0, 0]


def test_an_agent_knows_its_speed_health_and_cool_down():
    arenas = scene([[0, -5], [0, 4]], [UP, DOWN], OPEN)
    arenas.state.health[0, 0] = 1
    play(arenas, act((1, 0, 0, 1), STILL), 8)
    knows = own(arenas)
    assert knows["forward_speed"] == pytest.approx(1, abs=1e-2)
    assert knows["right_speed"] == 0
    assert knows["health"] == pytest.approx(1 / 3)
    assert knows["can_shoot"] == 0


def test_home_lies_behind_an_agent_at_the_frontier():
    knows = own(scene([[0, -0.5], [0, 4]], [UP, DOWN], OPEN))
    assert (knows["home_right"], knows["home_forward"]) == (0, -1)
    assert knows["home_distance"] == pytest.approx(2.5 / 9)
