"""The state for centralised critics."""

import numpy as np
import pytest

from snowball_fight import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO, Arenas
from snowball_fight.whole_state import AGENT_FLOATS, n_floats, whole_state


@pytest.mark.parametrize("spec", [ONE_VS_ONE, TWO_VS_TWO, TARGET_PRACTICE])
def test_the_whole_state_is_between_minus_one_and_one(spec):
    arenas = Arenas(spec, 32)
    arenas.reset(0)
    random = np.random.default_rng(0)
    for _ in range(100):
        arenas.step(random.integers(0, [3, 3, 3, 2], (32, spec.n_agents, 4)))
        whole = whole_state(spec, arenas.state)
        assert whole.shape == (32, n_floats(spec))
        assert whole.dtype == np.float32
        assert (np.abs(whole) <= 1).all()


def test_nothing_is_told_of_a_fallen_agent():
    arenas = Arenas(TWO_VS_TWO)
    arenas.reset(0)
    arenas.state.alive[0, 1] = False
    width = len(AGENT_FLOATS)
    assert not whole_state(TWO_VS_TWO, arenas.state)[0, 1 + width : 1 + 2 * width].any()
