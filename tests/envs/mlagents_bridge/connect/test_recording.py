"""A recorded exchange is read as stock ML-Agents reads it: pictures, masks, groups, agents that come and go."""

import numpy as np
import pytest

from mlagents_bridge.protocol import trainer_side
from mlagents_recordings import FIELDS, MENAGERIE, STOCK
from mlagents_scripted_player import CHOOSERS, MIRROR, ROBOT, WALKER, info, message, read_recording


@pytest.fixture(scope="module")
def stock():
    with np.load(STOCK) as arrays:
        return dict(arrays)


def ours(rows):
    """What ML-Agents gives for a message's agents, from our rows."""
    for kind, chosen in (("decision", ~rows.done), ("terminal", rows.done)):
        for field in FIELDS:
            yield f"{kind}/{field}", getattr(rows, field)[chosen]
        for index, values in enumerate(rows.observations):
            yield f"{kind}/observation_{index}", values[chosen]
    yield "terminal/interrupted", rows.interrupted[rows.done]


def test_agents_are_read_as_stock_mlagents_reads_them(stock):
    reader = trainer_side.Reader()
    compared, kinds = 0, set()
    for number, content in enumerate(read_recording(MENAGERIE)[2:-1], start=2):
        exchange = reader.read(content)
        for name, rows in exchange.rows.items():
            for field, values in ours(rows):
                expected = stock[f"{number}/{name}/{field}"]
                assert np.allclose(values, expected, atol=1e-6), field
                compared += 1
            masks = stock.get(f"{number}/{name}/decision/masks")
            if masks is not None and len(masks):
                mine = np.zeros_like(masks) if rows.masks is None else rows.masks[~rows.done]
                assert np.array_equal(mine, masks)
                kinds.add((name, bool(masks.any()), bool(rows.done.any())))
    assert set(reader.behaviors) == {WALKER.name, ROBOT.name, *(chooser.name for chooser in CHOOSERS)}
    # Not an empty comparison: masks and ends are in it, and nothing of what ML-Agents has read is left out.
    assert (CHOOSERS[0].name, True, True) in kinds
    assert compared == sum("masks" not in key for key in stock)


def test_a_behavior_without_agents_yet_is_waited_for():
    reader = trainer_side.Reader()
    random = np.random.default_rng(0)
    assert not reader.read(message({MIRROR.name: []})).rows
    reader.read(message({MIRROR.name: [info(MIRROR, 1, random)], ROBOT.name: []}, [MIRROR]))
    assert list(reader.behaviors) == [MIRROR.name]
    assert len(reader.read(message({MIRROR.name: []})).rows[MIRROR.name]) == 0


def test_behaviors_are_learnt_from_the_recording():
    reader = trainer_side.Reader()
    reader.read(read_recording(MENAGERIE)[2])
    assert reader.behaviors == {behavior.name: behavior for behavior in (WALKER, *CHOOSERS, ROBOT)}
