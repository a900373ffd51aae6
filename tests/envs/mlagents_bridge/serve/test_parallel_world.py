"""PettingZoo's parallel environments as a trainer sees them."""

from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest
from gymnasium import spaces

from mlagents_bridge.behaviors import Actions, Sensor
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.serve.offers import Offer
from mlagents_bridge.serve.parallel import ParallelWorld
from mlagents_bridge.side_channels import Parameter, read_statistic
from snowball_fight.parallel import fight_1vs1

BOX = spaces.Box(-1, 1, (2,), np.float32)
CHOICE = spaces.Discrete(2)


class Relay:
    """Every runner leaves after as many steps as its number says, and the last one is cut off."""

    observation_spaces = MappingProxyType({"runner_1": BOX, "runner_2": BOX, "judge": spaces.Discrete(3)})
    action_spaces = MappingProxyType(dict.fromkeys(observation_spaces, spaces.Discrete(2, start=5)))
    masks = MappingProxyType({})

    def __init__(self):
        self.possible_agents = list(self.observation_spaces)
        self.taken, self.resets, self.closed = [], [], False

    def observation_space(self, agent):
        return self.observation_spaces[agent]

    def action_space(self, agent):
        return self.action_spaces[agent]

    def reset(self, seed=None, options=None):
        self.resets.append((seed, options))
        self.agents, self.time = self.possible_agents[:], 0
        return self._seen(), dict.fromkeys(self.agents, self.masks)

    def step(self, actions):
        assert set(actions) == set(self.agents)
        self.taken.append(actions)
        self.time += 1
        observations, infos = self._seen(), dict.fromkeys(self.agents, self.masks)
        rewards = dict.fromkeys(self.agents, float(self.time))
        over = {agent: agent == f"runner_{self.time}" for agent in self.agents}
        cut = dict.fromkeys(self.agents, self.time == 3)
        self.agents = [agent for agent in self.agents if not over[agent] and not cut[agent]]
        return observations, rewards, over, cut, infos

    def close(self):
        self.closed = True

    def _seen(self):
        return {
            agent: self.time % 3 if agent == "judge" else np.full(2, self.time / 10, np.float32)
            for agent in self.agents
        }


def changed(**attributes):
    """A `Relay` with other attributes."""
    return type("Changed", (Relay,), attributes)


def single(observation_space=BOX, action_space=CHOICE, **attributes):
    """An environment of one agent with these spaces, whose observations are drawn from its space."""
    observation_space.seed(0)
    attributes = {
        "observation_spaces": {"agent_0": observation_space},
        "action_spaces": {"agent_0": action_space},
        "_seen": lambda self: {agent: observation_space.sample() for agent in self.agents},
        **attributes,
    }
    return changed(**attributes)


def actions(n, branches=1, value=1):
    return Actions(np.zeros((n, 0), np.float32), np.full((n, branches), value, np.int32))


def test_agents_that_differ_by_a_number_are_one_behavior():
    world = ParallelWorld(Relay, 2, seed=0)
    assert [behavior.name for behavior in world.behaviors] == ["runner?team=0", "judge?team=0"]
    rows = world.reset()
    assert {name: len(seen) for name, seen in rows.items()} == {"runner?team=0": 4, "judge?team=0": 2}
    assert rows["judge?team=0"].observations[0].tolist() == [[1, 0, 0]] * 2


def test_agents_with_other_spaces_are_behaviors_of_their_own():
    wide = spaces.Box(-1, 1, (5,), np.float32)
    world = ParallelWorld(changed(observation_spaces={"runner_1": BOX, "runner_2": wide}), 1, seed=0)
    assert [behavior.name for behavior in world.behaviors] == ["runner_1?team=0", "runner_2?team=0"]


def test_who_leaves_early_is_done_and_the_rest_play_on_to_the_end():
    world = ParallelWorld(Relay, 1, seed=0)
    first = world.reset()["runner?team=0"]
    one = world.step({"runner?team=0": actions(2), "judge?team=0": actions(1)})["runner?team=0"]
    assert (one.ids.tolist(), one.done.tolist()) == (first.ids.tolist(), [True, False])
    two = world.step({"runner?team=0": actions(1), "judge?team=0": actions(1)})
    assert two["runner?team=0"].rewards.tolist() == [2.0]
    assert not two["judge?team=0"].done.any()
    three = world.step({"judge?team=0": actions(1)})
    judge = three["judge?team=0"]
    assert (judge.done.tolist(), judge.interrupted.tolist()) == ([True, False], [True, False])
    assert not set(three["runner?team=0"].ids) & set(first.ids)
    assert [read_statistic(message.content)[:2] for message in world.statistics()] == [
        ("Game/Decisions", 3.0),
        ("Game/Time-outs", 1.0),
    ]
    assert world.statistics() == []


def test_actions_come_to_their_agents_as_the_space_has_them():
    world = ParallelWorld(Relay, 2, seed=0)
    world.reset()
    sent = Actions(np.zeros((4, 0), np.float32), np.array([[0], [1], [1], [0]], np.int32))
    world.step({"runner?team=0": sent, "judge?team=0": actions(2)})
    assert [copy.taken[0] for copy in world._copies] == [
        {"runner_1": 5, "runner_2": 6, "judge": 6},
        {"runner_1": 6, "runner_2": 5, "judge": 6},
    ]


def test_seeds_and_parameters_come_with_the_resets():
    world = ParallelWorld(Relay, 2, seed=7)
    world.reset()
    world.take([Parameter("wind", (2.5,))])
    world.reset()
    world.close()
    assert [copy.resets[-2:] for copy in world._copies] == [
        [(14, None), (None, {"wind": 2.5})],
        [(15, None), (None, {"wind": 2.5})],
    ]
    assert all(copy.closed for copy in world._copies)


def test_stems_become_teams_of_one_behavior():
    both = {"red_0": BOX, "red_1": BOX, "blue_0": BOX}
    env = changed(observation_spaces=both, action_spaces=dict.fromkeys(both, spaces.Discrete(2)))
    world = ParallelWorld(env, 1, 0, {"Fighter": ("red", "blue")})
    assert [behavior.name for behavior in world.behaviors] == ["Fighter?team=0", "Fighter?team=1"]
    with pytest.raises(BridgeError, match="no agents 'green' to make a team of, only red, blue"):
        ParallelWorld(env, 1, 0, {"Fighter": ("red", "green")})
    with pytest.raises(BridgeError, match="their spaces differ"):
        ParallelWorld(Relay, 1, 0, {"Fighter": ("runner", "judge")})


def first_rows(env):
    world = ParallelWorld(env, 1, seed=0)
    return world.behaviors[0], world.reset()[world.behaviors[0].name]


@pytest.mark.parametrize(
    ("space", "sensors"),
    [
        (
            spaces.Box(0, 255, (20, 30, 3), np.uint8),
            [Sensor("observation", (3, 20, 30), dimension_properties=(1, 2, 2))],
        ),
        (spaces.Box(0, 255, (5, 5, 3), np.uint8), [Sensor("observation", (75,))]),
        (spaces.Box(-9, 9, (2, 3), np.float64), [Sensor("observation", (6,))]),
        (spaces.MultiDiscrete([2, 3]), [Sensor("observation", (5,))]),
        (spaces.MultiBinary(4), [Sensor("observation", (4,))]),
        (spaces.Dict(near=BOX, far=spaces.Box(0, 1, (3,))), [Sensor("near", (2,)), Sensor("far", (3,))]),
    ],
    ids=["picture", "tiny", "matrix", "several", "bits", "dict"],
)
def test_observations_become_sensors(space, sensors):
    behavior, rows = first_rows(single(space))
    assert sorted(behavior.sensors, key=lambda s: s.name) == sorted(sensors, key=lambda s: s.name)
    for sensor, values in zip(behavior.sensors, rows.observations, strict=True):
        assert values.shape == (1, *sensor.shape)


def test_pictures_come_channels_first_and_between_0_and_1():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    _, rows = first_rows(single(spaces.Box(0, 255, (20, 30, 3), np.uint8), _seen=lambda _: {"agent_0": pixels}))
    assert np.array_equal(rows.observations[0][0, 2, 4], pixels[4, :, 2] / np.float32(255))


@pytest.mark.parametrize(
    ("space", "continuous", "discrete", "expected"),
    [
        (spaces.Box(np.float32([0, -2]), np.float32([10, 2])), [0.0, 3.0], [], [5, 2]),
        (spaces.Box(-np.inf, np.inf, (2,), np.float64), [0.5, -7.0], [], [0.5, -7]),
        (spaces.MultiDiscrete([3, 4], start=[0, 10]), [], [2, 1], [2, 11]),
        (spaces.MultiBinary(3), [], [1, 0, 1], [1, 0, 1]),
    ],
    ids=["box", "unbounded", "several", "bits"],
)
def test_actions_of_every_kind_lie_in_their_space(space, continuous, discrete, expected):
    world = ParallelWorld(single(action_space=space), 1, seed=0)
    world.reset()
    given = Actions(np.array([continuous], np.float32), np.array([discrete], np.int32).reshape(1, -1))
    world.step({"agent?team=0": given})
    taken = world._copies[0].taken[0]["agent_0"]
    assert np.array_equal(taken, expected)
    assert space.contains(taken)


ALLOWED = np.array([1, 0], np.int8)
MASKED = {"observation": np.zeros(2, np.float32), "action_mask": ALLOWED}


@pytest.mark.parametrize(
    "env",
    [
        single(masks={"action_mask": ALLOWED}),
        single(spaces.Dict(observation=BOX, action_mask=spaces.MultiBinary(2)), _seen=lambda _: {"agent_0": MASKED}),
    ],
    ids=["info", "observation"],
)
def test_action_masks_say_what_is_forbidden(env):
    world = ParallelWorld(env, 1, seed=0)
    assert world.masked == {"agent?team=0"}
    assert world.reset()["agent?team=0"].masks.tolist() == [[False, True]]
    assert [sensor.name for sensor in world.behaviors[0].sensors] == ["observation"]


@pytest.mark.parametrize(
    ("env", "told"),
    [
        (single(spaces.Text(5)), "agent_0 observes 'observation' in a space of the kind Text"),
        (single(action_space=spaces.Tuple([BOX])), "agent_0 acts in a space of the kind Tuple"),
        (single(masks={"action_mask": [1, 1, 1]}), "is for 3 choices, but there are 2"),
        (
            single(_seen=lambda _: {"agent_0": np.full(2, np.nan)}),
            "agent_0 an observation or a reward that is not finite",
        ),
        (SimpleNamespace, "is no parallel environment of PettingZoo"),
    ],
    ids=["observation", "action", "mask", "nan", "other"],
)
def test_environments_that_cannot_be_offered_are_told(env, told):
    with pytest.raises(BridgeError, match=told):
        ParallelWorld(env, 1, seed=0).reset()


def test_our_own_parallel_environment_plays_as_it_does_by_itself():
    world = Offer("fight_1vs1", arenas=1, teams={"Fighter": ("team_0_agent", "team_1_agent")}).make(seed=4, n_areas=0)
    env = fight_1vs1.parallel_env()
    observations, _ = env.reset(seed=4)
    rows = world.reset()
    for chosen in np.random.default_rng(0).integers(0, [3, 3, 3, 2], (50, 2, 4)):
        for seen, observation in zip(rows.values(), observations.values(), strict=True):
            assert np.array_equal(seen.observations[0][0], observation)
        observations, *_ = env.step(dict(zip(env.agents, chosen, strict=True)))
        given = [Actions(np.zeros((1, 0), np.float32), choice[None].astype(np.int32)) for choice in chosen]
        rows = world.step(dict(zip(rows, given, strict=True)))


@pytest.mark.parametrize(
    ("offer", "told"),
    [
        (Offer("chess"), "no environment 'chess': take snowball_fight_1v1, .*module:function"),
        (Offer("no_such_module:env"), "cannot be imported: No module named 'no_such_module'"),
        (Offer("json:env"), "cannot be imported: module 'json' has no attribute 'env'"),
        (Offer("json:dumps"), "json:dumps cannot be called without arguments"),
        (Offer("snowball_fight_1v1", arenas=0), "1 to 65,536 arenas, not 0"),
        (Offer("snowball_fight_1v1", arenas=70_000), "not 70,000"),
        (Offer("snowball_fight_1v1", teams={"A": ("b", "c")}), "has its teams already"),
    ],
    ids=["name", "module", "function", "call", "none", "many", "teams"],
)
def test_offers_that_make_no_world_are_told(offer, told):
    with pytest.raises(BridgeError, match=told):
        offer.make(0, 1)


def test_areas_multiply_the_arenas():
    rows = Offer("snowball_target", arenas=3).make(seed=-1, n_areas=2).reset()
    assert len(rows["SnowballTarget?team=0"]) == 6
