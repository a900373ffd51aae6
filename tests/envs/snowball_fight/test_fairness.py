"""No seat and no side of the arena has an advantage: mirrored games are equal to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowball_fight import ONE_VS_ONE, TWO_VS_TWO, Arenas
from snowball_fight.headings import HALF_TURN, N_HEADINGS

N_ARENAS = 16
STEPS = 60
SIDES_SWAPPED = np.array([0, 2, 1])


def random_actions(seed, spec):
    """Actions that throw a lot, held for a few steps."""
    random = np.random.default_rng(seed)
    drawn = random.integers(0, [3, 3, 3, 2], (STEPS // 4, N_ARENAS, spec.n_agents, 4))
    return np.repeat(drawn, 4, axis=0)


def poses(arenas):
    """Copies of positions, headings and health."""
    state = arenas.state
    return state.position.copy(), state.heading.copy(), state.health.copy()


@pytest.mark.parametrize("spec", [ONE_VS_ONE, TWO_VS_TWO])
@given(seed=st.integers(0, 2**32))
def test_swapping_the_teams_actions_swaps_the_game(spec, seed):
    seats = np.roll(np.arange(spec.n_agents), spec.team_size)
    plain, swapped = Arenas(spec, N_ARENAS), Arenas(spec, N_ARENAS)
    plain.reset(seed)
    swapped.reset(seed)
    for actions in random_actions(seed, spec):
        one = plain.step(actions)
        other = swapped.step(np.ascontiguousarray(actions[:, seats]))
        assert np.array_equal(one.observations, other.observations[:, seats])
        assert np.array_equal(one.rewards, other.rewards[:, seats])
        assert np.array_equal(one.terminated, other.terminated[:, seats])
        position, heading, health = poses(plain)
        turned = (heading + HALF_TURN) % N_HEADINGS
        assert np.array_equal(poses(swapped)[0][:, seats], -position)
        assert np.array_equal(poses(swapped)[1][:, seats], turned)
        assert np.array_equal(poses(swapped)[2][:, seats], health)


@given(seed=st.integers(0, 2**32))
def test_mirroring_left_and_right_mirrors_the_game(seed):
    plain, mirrored = Arenas(ONE_VS_ONE, N_ARENAS), Arenas(ONE_VS_ONE, N_ARENAS)
    plain.reset(seed)
    mirrored.reset(seed)
    mirrored.state.position[..., 0] *= -1
    mirrored.state.heading[:] = (HALF_TURN - mirrored.state.heading) % N_HEADINGS
    for actions in random_actions(seed, ONE_VS_ONE):
        image = actions.copy()
        image[..., 1:3] = SIDES_SWAPPED[actions[..., 1:3]]
        ended = plain.step(actions).ended | mirrored.step(image).ended
        if ended.any():
            break
        assert np.array_equal(mirrored.state.position, plain.state.position * np.float32([-1, 1]))
        assert np.array_equal(mirrored.state.health, plain.state.health)


@given(seed=st.integers(0, 2**32))
def test_agents_stay_in_their_homes_and_out_of_shelters(seed):
    arenas = Arenas(ONE_VS_ONE, N_ARENAS)
    arenas.reset(seed)
    spec = arenas.spec
    for actions in random_actions(seed, spec):
        arenas.step(actions)
        x, y = np.moveaxis(arenas.state.position, -1, 0)
        assert (np.abs(x) <= spec.half_width - spec.agent_radius).all()
        assert (y[:, 0] <= -spec.agent_radius).all()
        assert (y[:, 1] >= spec.agent_radius).all()
        for shelter in spec.shelters:
            assert (np.hypot(x - shelter.x, y - shelter.y) >= shelter.radius + spec.agent_radius - 1e-4).all()
