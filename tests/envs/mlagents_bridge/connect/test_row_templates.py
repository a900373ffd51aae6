"""The fast reader of agents says what the general one says, of whatever is sent."""

import contextlib
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlagents_bridge.behaviors import AgentRows, Behavior, Sensor
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.protocol import row_templates
from mlagents_bridge.protocol.agent_infos import read_rows
from mlagents_bridge.protocol.agent_rows import AgentRowsWriter
from mlagents_bridge.protocol.row_templates import AgentRowsReader
from mlagents_bridge.protocol.varints import tagged
from mlagents_scripted_player import info, observation

BEHAVIOR = Behavior("Robot?team=1", (Sensor("rays", (5,)), Sensor("goal", (2, 3), 1, (4, 1))), 2, (3, 2))
AGENTS = st.fixed_dictionaries(
    {"agent": st.sampled_from([0, 1, 127, 128, 70_000, 2**31 - 1, -1])},
    optional={
        "reward": st.sampled_from([0.0, 1.5, -2.0]),
        "done": st.booleans(),
        "max_step_reached": st.booleans(),
        "group_id": st.sampled_from([0, 3, 300]),
        "group_reward": st.sampled_from([0.0, 2.5]),
        "mask": st.lists(st.booleans(), min_size=5, max_size=5),
    },
)


def content_of(agents, seed=0):
    random = np.random.default_rng(seed)
    return b"".join(tagged(1, info(BEHAVIOR, random=random, **agent)) for agent in agents)


def assert_alike(rows, others):
    for field in fields(AgentRows):
        one, other = getattr(rows, field.name), getattr(others, field.name)
        if field.name == "observations":
            assert all(np.array_equal(*pair) for pair in zip(one, other, strict=True))
        else:
            assert np.array_equal(one, other), field.name


@given(st.lists(st.lists(AGENTS, max_size=8), max_size=4))
def test_both_read_the_same_in_what_unity_writes(lists):
    reader = AgentRowsReader(BEHAVIOR)
    for seed, agents in enumerate(lists):
        assert_alike(reader.read(content_of(agents, seed)), read_rows(BEHAVIOR, content_of(agents, seed)))


@given(st.lists(AGENTS, min_size=1, max_size=4), st.data())
def test_both_read_or_refuse_the_same_in_what_is_damaged(agents, data):
    reader = AgentRowsReader(BEHAVIOR)
    content = bytearray(content_of(agents))
    reader.read(bytes(content))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    results = []
    for read in (reader.read, lambda damaged: read_rows(BEHAVIOR, damaged)):
        results.append(None)
        with contextlib.suppress(BridgeError):
            results[-1] = read(bytes(content))
    if results[1] is not None:
        assert_alike(*results)
    else:
        assert results[0] is None


def test_rows_of_one_kind_are_not_read_one_by_one(monkeypatch):
    agents = [{"agent": agent, "reward": float(agent % 3), "done": agent % 5 == 0} for agent in range(300)]
    reader = AgentRowsReader(BEHAVIOR)
    reader.read(content_of(agents))
    monkeypatch.setattr(row_templates, "read_rows", None)
    assert len(reader.read(content_of(agents[::-1], seed=1))) == 300


def test_our_own_environments_rows_are_of_one_kind(monkeypatch):
    random = np.random.default_rng(0)
    rows = AgentRows(
        ids=np.array([1, 200, 2**31 - 1], np.int32),
        observations=tuple(random.random((3, *sensor.shape), np.float32) for sensor in BEHAVIOR.sensors),
        rewards=np.array([1, 0, 2], np.float32),
        done=np.array([True, False, False]),
        interrupted=np.array([False, False, True]),
        group_ids=np.array([0, 1, 900], np.int32),
        group_rewards=np.array([0, 1, 0], np.float32),
        masks=random.random((3, 5)) < 0.5,
    )
    reader, content = AgentRowsReader(BEHAVIOR), AgentRowsWriter(BEHAVIOR, masked=True).write(rows)
    assert_alike(reader.read(content), rows)
    monkeypatch.setattr(row_templates, "read_rows", None)
    assert_alike(reader.read(content), rows)


def test_templates_do_not_pile_up():
    random = np.random.default_rng(0)
    reader = AgentRowsReader(Behavior("Any", (Sensor("", (1,)),)))
    for length in range(200):
        named = observation(Sensor("x" * length, (1,)), random)
        rows = reader.read(tagged(1, info(BEHAVIOR, 1, random, observations=[named])))
        assert rows.ids.tolist() == [1]
    assert sum(map(len, reader._templates.values())) == row_templates._MAX_TEMPLATES


@pytest.mark.parametrize("values", [[np.nan] * 5, [0, 0, 0, 0, -np.inf]])
def test_numbers_that_are_not_finite_are_told(values):
    random = np.random.default_rng(0)
    observations = [observation(BEHAVIOR.sensors[0], random, values), observation(BEHAVIOR.sensors[1], random)]
    with pytest.raises(BridgeError, match="not finite"):
        AgentRowsReader(BEHAVIOR).read(tagged(1, info(BEHAVIOR, 1, random, observations=observations)))
