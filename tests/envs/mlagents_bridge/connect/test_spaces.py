"""Behaviours as Gymnasium's spaces, and actions back."""

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from mlagents_bridge.behaviors import Behavior, Sensor
from mlagents_bridge.connect.spaces import (
    action_space,
    actions_of,
    actions_of_flat,
    flat_action_space,
    observation_space,
    sensor_names,
)

RAYS = (Sensor("rays", (5,)),)
HYBRID = Behavior("Hybrid", RAYS, 2, (3, 2))


@pytest.mark.parametrize(
    ("continuous", "branches", "space"),
    [
        (2, (), spaces.Box(-1, 1, (2,), np.float32)),
        (0, (3,), spaces.Discrete(3)),
        (0, (3, 2), spaces.MultiDiscrete([3, 2])),
        (1, (3,), spaces.Dict(continuous=spaces.Box(-1, 1, (1,), np.float32), discrete=spaces.Discrete(3))),
    ],
)
def test_actions_have_the_simplest_space(continuous, branches, space):
    assert action_space(Behavior("Any", RAYS, continuous, branches)) == space


@pytest.mark.parametrize("behavior", [HYBRID, Behavior("A", RAYS, 0, (4,)), Behavior("B", RAYS, 3)])
def test_samples_of_the_space_are_actions(behavior):
    space = batch_space(action_space(behavior), 4)
    space.seed(0)
    actions = actions_of(behavior, space.sample(), 4)
    assert actions.continuous.shape == (4, behavior.n_continuous)
    assert actions.discrete.shape == (4, len(behavior.branches))


def test_several_sensors_are_named_and_numbered_where_names_repeat():
    names = ["rays", "", "rays", "rays_0"]
    behavior = Behavior("Any", tuple(Sensor(name, (2,)) for name in names), 1)
    assert sensor_names(behavior) == ("rays_0", "observation", "rays_1", "rays_0_0")
    assert list(observation_space(behavior)) == list(sensor_names(behavior))


def test_pictures_are_from_0_to_1():
    space = observation_space(Behavior("Any", (Sensor("camera", (3, 4, 5), png=True),), 1))
    assert space == spaces.Box(0, 1, (3, 4, 5), np.float32)


def test_the_highest_score_that_is_allowed_is_chosen():
    scores = np.array([[0.5, 7, 0.1, 0.9, 0.2, 0.3, 0.4], [-0.5, 0, -1, -1, -0.9, 1, 0.4]], np.float32)
    forbidden = np.array([[False, True, False, False, False], [False] * 5])
    assert flat_action_space(HYBRID).shape == (7,)
    actions = actions_of_flat(HYBRID, scores, forbidden)
    assert actions.continuous.tolist() == [[0.5, 1], [-0.5, 0]]
    assert actions.discrete.tolist() == [[2, 1], [2, 0]]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (np.zeros((4, 2), int), "a dictionary"),
        ({"continuous": np.zeros((3, 2)), "discrete": np.zeros((4, 2), int)}, r"\(4, 2\), not \(3, 2\)"),
        ({"continuous": np.full((4, 2), np.nan), "discrete": np.zeros((4, 2), int)}, "finite"),
        ({"continuous": np.zeros((4, 2)), "discrete": np.zeros((4, 2))}, "integers"),
        ({"continuous": np.zeros((4, 2)), "discrete": np.full((4, 2), 2)}, r"below \[3, 2\]"),
        ({"continuous": np.zeros((4, 2)), "discrete": np.full((4, 2), -1)}, "not negative"),
    ],
    ids=["kind", "shape", "nan", "floats", "high", "negative"],
)
def test_what_is_no_action_is_told(given, told):
    with pytest.raises(ValueError, match=told):
        actions_of(HYBRID, given, 4)


def test_scores_that_are_not_finite_are_told():
    with pytest.raises(ValueError, match="finite"):
        actions_of_flat(HYBRID, np.full((1, 7), np.inf), np.zeros((1, 5), np.bool_))
