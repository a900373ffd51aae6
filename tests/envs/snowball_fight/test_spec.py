"""Constants that make a fair game, and those that do not."""

from dataclasses import replace

import pytest

from snowball_fight import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO
from snowball_fight.spec import Shelter


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cooldown_seconds": 1.8}, "flight must be shorter than the cool-down"),
        ({"snowball_speed": 60.0}, "jump over"),
        ({"shelters": (Shelter(3.0, 3.0, 0.7),)}, "not symmetric"),
        ({"shelters": (Shelter(0.0, 0.8, 0.7), Shelter(0.0, -0.8, 0.7))}, "closer than an agent is wide"),
        ({"n_teams": 1}, "two teams and no targets"),
        ({"grip": 1.5}, "grip"),
        ({"max_ticks": 0}, "max_ticks is a whole number, above 0, not 0"),
        ({"turn_per_tick": 1.5}, "turn_per_tick is a whole number, 0 or more, not 1.5"),
        ({"half_width": float("nan")}, "half_width is a number, above 0, not nan"),
        ({"ray_length": -1.0}, "ray_length is a number"),
        ({"version": "x"}, "version is a whole number"),
    ],
)
def test_constants_that_make_no_fair_game_are_refused_in_a_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(ONE_VS_ONE, **changes)


@pytest.mark.parametrize("spec", [ONE_VS_ONE, TWO_VS_TWO, TARGET_PRACTICE])
def test_shelters_are_symmetric_under_both_mirrorings(spec):
    places = set(spec.shelters)
    assert {Shelter(-x + 0.0, y, radius) for x, y, radius in places} == places
    assert {Shelter(x, -y + 0.0, radius) for x, y, radius in places} == places


def test_an_episode_is_a_minute_in_steps_of_a_tenth_of_a_second():
    assert (ONE_VS_ONE.max_decisions, ONE_VS_ONE.decision_seconds) == (600, pytest.approx(0.1))
