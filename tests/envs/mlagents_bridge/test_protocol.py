"""The wire format: what one side writes the other reads, and damaged messages are told by a sentence."""

import contextlib
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mlagents_bridge.behaviors import Actions, AgentRows, Behavior, Exchange, Instruction, Sensor
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.protocol import environment_side, messages, trainer_side
from mlagents_bridge.protocol.action_rows import ActionRows
from mlagents_bridge.protocol.pictures import read_pictures
from mlagents_bridge.protocol.varints import padded_varints

HYBRID = Behavior(
    "Robot?team=1", (Sensor("rays", (5,)), Sensor("goal", (2, 3), 1, (4, 1))), n_continuous=2, branches=(3, 2)
)


def rows_of(behavior, n_agents, seed=0, masks=None):
    random = np.random.default_rng(seed)
    return AgentRows(
        ids=np.linspace(0, 2**31 - 1, n_agents).astype(np.int32),
        observations=tuple(
            random.standard_normal((n_agents, *sensor.shape), np.float32) for sensor in behavior.sensors
        ),
        rewards=random.standard_normal(n_agents, np.float32),
        done=random.random(n_agents) < 0.5,
        interrupted=random.random(n_agents) < 0.5,
        group_ids=random.integers(0, 2**31, n_agents).astype(np.int32),
        group_rewards=random.standard_normal(n_agents, np.float32),
        masks=masks,
    )


def assert_equal(rows, others):
    for name in ("ids", "rewards", "done", "interrupted", "group_ids", "group_rewards"):
        assert np.array_equal(getattr(rows, name), getattr(others, name)), name
    for one, other in zip(rows.observations, others.observations, strict=True):
        assert np.array_equal(one, other)


@given(st.integers(1, 40), st.integers(0, 5))
def test_the_trainer_reads_what_the_environment_writes(n_agents, seed):
    rows = rows_of(HYBRID, n_agents, seed)
    reader = trainer_side.Reader()
    exchange = reader.read(environment_side.Scribe([HYBRID]).write(Exchange({HYBRID.name: rows}, b"beside")))
    assert reader.behaviors == {HYBRID.name: HYBRID}
    assert exchange.side_channel == b"beside"
    assert_equal(exchange.rows[HYBRID.name], rows)


def test_masks_travel():
    masks = np.random.default_rng(0).random((6, 5)) < 0.5
    scribe = environment_side.Scribe([HYBRID], masked=[HYBRID.name])
    rows = trainer_side.Reader().read(scribe.write(Exchange({HYBRID.name: rows_of(HYBRID, 6, masks=masks)}))).rows
    assert np.array_equal(rows[HYBRID.name].masks, masks)


def test_a_behavior_is_described_once_with_its_first_agents():
    scribe, reader = environment_side.Scribe([HYBRID]), trainer_side.Reader()
    reader.read(scribe.write(Exchange({HYBRID.name: rows_of(HYBRID, 0)})))
    assert not reader.behaviors
    first, second = (scribe.write(Exchange({HYBRID.name: rows_of(HYBRID, 1)})) for _ in range(2))
    assert len(second) < len(first)
    reader.read(first)
    assert len(reader.read(second).rows[HYBRID.name]) == 1


@pytest.mark.parametrize("branches", [(3, 2), (128, 2), (300, 2)])
def test_the_environment_reads_the_trainers_actions(branches):
    behavior = replace(HYBRID, branches=branches)
    random = np.random.default_rng(0)
    actions = Actions(
        random.standard_normal((50, 2), np.float32), random.integers(0, branches, (50, 2)).astype(np.int32)
    )
    reader = trainer_side.Reader()
    scribe = environment_side.Scribe([behavior])
    reader.read(scribe.write(Exchange({behavior.name: rows_of(behavior, 50)})))
    instruction = scribe.read(reader.write(Instruction({behavior.name: actions}, side_channel=b"beside")))
    assert not instruction.reset
    assert instruction.side_channel == b"beside"
    assert np.array_equal(instruction.actions[behavior.name].continuous, actions.continuous)
    assert np.array_equal(instruction.actions[behavior.name].discrete, actions.discrete)


def test_greeting_and_welcome():
    assert trainer_side.read_greeting(environment_side.greeting("Snow")).name == "Snow"
    welcome = environment_side.read_welcome(trainer_side.welcome(seed=7, n_areas=3))
    assert (welcome.seed, welcome.n_areas) == (7, 3)


def test_stop_ends_both_sides():
    assert environment_side.read_welcome(trainer_side.stop()) is None
    assert environment_side.Scribe([HYBRID]).read(trainer_side.stop()) is None
    assert trainer_side.Reader().read(environment_side.stopping()) is None


def test_another_protocol_is_refused_by_name():
    envelope = messages.parse("Envelope", trainer_side.welcome(seed=0))
    envelope.unity_input.rl_initialization_input.communication_version = "2.0.0"
    with pytest.raises(BridgeError, match=r"speaks version 2\.0\.0 .* begins with 1"):
        environment_side.read_welcome(envelope.SerializeToString())


@pytest.mark.parametrize("content", [b"\xff", b"GET / HTTP/1.1\r\n\r\n", b"\x12\x05ab"])
def test_foreign_bytes_are_told(content):
    for read in (environment_side.read_welcome, environment_side.Scribe([HYBRID]).read, trainer_side.read_greeting):
        with pytest.raises(BridgeError):
            read(content)


@given(st.data())
def test_a_damaged_message_is_read_or_told(data):
    content = bytearray(environment_side.Scribe([HYBRID]).write(Exchange({HYBRID.name: rows_of(HYBRID, 3)})))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BridgeError):  # and nothing else is raised
        trainer_side.Reader().read(bytes(content[: data.draw(st.integers(1, len(content)))]))


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        (Actions(np.full((1, 2), np.nan, np.float32), np.zeros((1, 2), np.int32)), "not finite"),
        (Actions(np.zeros((1, 2), np.float32), np.array([[0, 2]], np.int32)), "choice 2 in branch 1"),
    ],
    ids=["nan", "choice"],
)
def test_impossible_actions_are_told(actions, told):
    with pytest.raises(BridgeError, match=told):
        ActionRows(HYBRID).read(ActionRows(HYBRID).write(actions))


def test_actions_of_another_behavior_are_told():
    other = replace(HYBRID, branches=(3,))
    actions = Actions(np.zeros((1, 2), np.float32), np.zeros((1, 1), np.int32))
    with pytest.raises(BridgeError, match="do not belong together"):
        ActionRows(HYBRID).read(ActionRows(other).write(actions))


def test_observations_that_are_not_finite_are_told():
    rows = rows_of(HYBRID, 2)
    rows.observations[0][1, 3] = np.inf
    with pytest.raises(BridgeError, match="not finite"):
        trainer_side.Reader().read(environment_side.Scribe([HYBRID]).write(Exchange({HYBRID.name: rows})))


@given(st.integers(0, 2**31 - 1))
def test_padded_numbers_are_read_as_themselves(number):
    content = b"\x50" + padded_varints(np.array([number], np.int32)).tobytes()
    assert messages.parse("AgentInfo", content).id == number


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


PIXELS = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3), np.uint8)


@pytest.mark.parametrize(
    ("channels", "mapping", "expected"),
    [
        (6, [], lambda planes: planes),
        (4, [], lambda planes: planes[:4]),
        (1, [], lambda planes: planes[:3].mean(0, keepdims=True)),
        (2, [0, 0, 0, 1, 1, -1], lambda planes: np.stack([planes[:3].mean(0), planes[3:5].mean(0)])),
    ],
    ids=["all", "first", "grey", "mapped"],
)
def test_pictures_become_channels(channels, mapping, expected):
    planes = np.moveaxis(PIXELS, -1, 1).reshape(6, 4, 6) / np.float32(255)
    read = read_pictures(b"".join(png(pixels) for pixels in PIXELS), (channels, 4, 6), mapping)
    assert np.allclose(read, expected(planes), atol=1e-6)


@pytest.mark.parametrize(
    ("content", "shape"),
    [(b"", (3, 4, 6)), (png(PIXELS[0])[:60], (3, 4, 6)), (png(PIXELS[0]), (3, 6, 4)), (b"GIF89a", (3, 4, 6))],
    ids=["none", "cut", "size", "gif"],
)
def test_damaged_pictures_are_told(content, shape):
    with pytest.raises(BridgeError):
        read_pictures(content, shape, [])
