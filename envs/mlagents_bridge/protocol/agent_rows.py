"""Lists of `AgentInfo`, written by numpy at once.

All rows of a behaviour have the same fields in the same order and the same length, so they are records of one type:
constant bytes between the numbers that change. `agent_infos` reads such lists, whoever wrote them.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlagents_bridge.behaviors import AgentRows, Behavior, Sensor
from mlagents_bridge.protocol.varints import PADDED_BYTES, padded_varints, tagged, varint

_FLOAT: Final = 5
_VARINT: Final = 0


class _Layout:
    """The bytes of a row, and where in it the numbers stand."""

    def __init__(self) -> None:
        self.template = b""
        self.fields: dict[str, tuple[Any, int]] = {}

    def constant(self, content: bytes) -> None:
        self.template += content

    def number(self, name: str, kind: Any, size: int) -> None:
        self.fields[name] = (kind, len(self.template))
        self.template += bytes(size)

    def dtype(self, offset: int = 0) -> np.dtype[np.void]:
        return np.dtype(
            {
                "names": list(self.fields),
                "formats": [kind for kind, _ in self.fields.values()],
                "offsets": [place + offset for _, place in self.fields.values()],
                "itemsize": len(self.template) + offset,
            }
        )


class AgentRowsWriter:
    """Writes the rows of one behaviour.

    The rows lie in one piece of memory that is used again and again, so that their constant bytes are written once.

    Args:
        behavior: Whose rows.
        masked: Whether every row says which choices are forbidden.
    """

    def __init__(self, behavior: Behavior, *, masked: bool = False) -> None:
        layout = _body(behavior, masked)
        head = tagged(1, layout.template)[: -len(layout.template)]
        self._dtype = layout.dtype(len(head))
        self._template = np.frombuffer(head + layout.template, np.uint8)
        self._observations = [f"observation_{index}" for index in range(len(behavior.sensors))]
        self._ids: dict[str, bytes] = {}
        self._kept_rows: AgentRows | None = None
        self._kept_items: list[NDArray[np.void]] = []
        self._make_room(1)

    def write(self, rows: AgentRows) -> memoryview:
        """An `AgentInfoList`; the next call overwrites it."""
        n_rows = len(rows)
        if n_rows > len(self._bytes):
            self._make_room(max(n_rows, 2 * len(self._bytes)))
        fields = self._fields
        fields["reward"][:n_rows] = rows.rewards
        fields["done"][:n_rows] = rows.done
        fields["interrupted"][:n_rows] = rows.interrupted
        fields["group_reward"][:n_rows] = rows.group_rewards
        self._write_ids("id", rows.ids)
        self._write_ids("group_id", rows.group_ids)
        if "mask" in fields:
            fields["mask"][:n_rows] = False if rows.masks is None else rows.masks
        for name, items in zip(self._observations, self._items_of(rows), strict=True):
            fields[name][:n_rows] = items
        return self._bytes[:n_rows].data.cast("B") if n_rows else memoryview(b"")

    def _make_room(self, n_rows: int) -> None:
        self._bytes = np.tile(self._template, (n_rows, 1))
        records = self._bytes.view(self._dtype)[:, 0]
        self._fields = {name: records[name] for name in self._dtype.names or ()}
        self._ids.clear()

    def _items_of(self, rows: AgentRows) -> list[NDArray[np.void]]:
        """Each sensor's observations as items. Of rows that come again, their numbers changed, these are made once."""
        if rows is self._kept_rows:
            return self._kept_items
        kinds = [self._fields[name].dtype for name in self._observations]
        items = [_as_items(values, kind) for values, kind in zip(rows.observations, kinds, strict=True)]
        if all(map(np.may_share_memory, items, rows.observations)):
            self._kept_rows, self._kept_items = rows, items
        return items

    def _write_ids(self, name: str, numbers: NDArray[np.int32]) -> None:
        """Writes numbers that stay the same for as long as no episode ends."""
        content = numbers.tobytes()
        if content != self._ids.get(name):
            self._fields[name][: len(numbers)] = padded_varints(numbers)
            self._ids[name] = content


def _as_items(values: NDArray[np.float32], item: np.dtype[Any]) -> NDArray[np.void]:
    """Each agent's floats as one item of as many bytes, which numpy copies at once."""
    flat = values.reshape(len(values), -1).astype("<f4", copy=False)
    if flat.strides[-1] != flat.itemsize:
        flat = np.ascontiguousarray(flat)
    return flat.view(item)[:, 0]


def _body(behavior: Behavior, masked: bool) -> _Layout:
    layout = _Layout()
    _add(layout, 7, _FLOAT, "reward", "<f4", 4)
    _add(layout, 8, _VARINT, "done", np.bool_, 1)
    _add(layout, 9, _VARINT, "interrupted", np.bool_, 1)
    _add(layout, 10, _VARINT, "id", (np.uint8, PADDED_BYTES), PADDED_BYTES)
    n_choices = sum(behavior.branches)
    if masked and n_choices:
        layout.constant(varint(11 << 3 | 2) + varint(n_choices))
        layout.number("mask", (np.bool_, n_choices), n_choices)
    for index, sensor in enumerate(behavior.sensors):
        _add_observation(layout, index, sensor)
    _add(layout, 14, _VARINT, "group_id", (np.uint8, PADDED_BYTES), PADDED_BYTES)
    _add(layout, 15, _FLOAT, "group_reward", "<f4", 4)
    return layout


def _add(layout: _Layout, field: int, wire_type: int, name: str, kind: Any, size: int) -> None:
    layout.constant(varint(field << 3 | wire_type))
    layout.number(name, kind, size)


def _add_observation(layout: _Layout, index: int, sensor: Sensor) -> None:
    n_floats = int(np.prod(sensor.shape))
    head = tagged(1, b"".join(varint(length) for length in sensor.shape))
    # float_data, and in it the packed floats.
    floats = varint(1 << 3 | 2) + varint(4 * n_floats)
    head += varint(4 << 3 | 2) + varint(len(floats) + 4 * n_floats) + floats
    tail = b""
    if sensor.dimension_properties:
        tail += tagged(6, bytes(sensor.dimension_properties))
    if sensor.kind:
        tail += varint(7 << 3 | _VARINT) + varint(sensor.kind)
    tail += tagged(8, sensor.name.encode())
    layout.constant(varint(13 << 3 | 2) + varint(len(head) + 4 * n_floats + len(tail)) + head)
    layout.number(f"observation_{index}", f"V{4 * n_floats}", 4 * n_floats)
    layout.constant(tail)
