"""Lists of `AgentInfo`, read by numpy where rows look alike.

Whoever writes them, most rows of a behaviour have the same fields of the same lengths. What such a row looks like is
learnt from the first one; all others are compared with it and read at once. Rows with pictures, or unlike any seen, are
left to `agent_infos`.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlagents_bridge.behaviors import AgentRows, Behavior
from mlagents_bridge.protocol.agent_infos import checked, read_rows
from mlagents_bridge.protocol.varints import BYTES, FLOAT, PADDED_BYTES, VARINT, fields_of, read_varint

_MAX_TEMPLATES: Final = 64
"""Of one behaviour. Rows differ by which zeros are left out and by the lengths of their ids."""

_ROW_TAG: Final = 1 << 3 | BYTES

_NAMES: Final = {
    (7, FLOAT): "reward",
    (8, VARINT): "done",
    (9, VARINT): "interrupted",
    (10, VARINT): "id",
    (11, BYTES): "mask",
    (13, BYTES): "observation",
    (14, VARINT): "group_id",
    (15, FLOAT): "group_reward",
}


class AgentRowsReader:
    """Reads the rows of one behaviour.

    Args:
        behavior: Whose rows.
    """

    def __init__(self, behavior: Behavior) -> None:
        self._behavior = behavior
        self._templates: dict[int, list[_Template]] = {}

    def read(self, content: bytes) -> AgentRows:
        """The agents in an `AgentInfoList`; as `agent_infos.read_rows` does it, but faster.

        Raises:
            BridgeError: If it is no such list, a row does not fit the behaviour, or a number is not finite.
        """
        try:
            parts = list(self._parts(np.frombuffer(content, np.uint8), content))
        except ValueError:
            return read_rows(self._behavior, content)
        if not parts:
            return read_rows(self._behavior, content)
        return checked(self._behavior, parts[0][1] if len(parts) == 1 else _merged(parts))

    def _parts(self, numbers: NDArray[np.uint8], content: bytes) -> Iterator[tuple[NDArray[np.int64], AgentRows]]:
        """Rows that share a template, and their places in the list."""
        if content:
            length = _end_of_row(content, 0)
            if len(content) % length == 0:
                # One length throughout, in all likelihood; a template says which byte begins a row, and so proves it.
                matrix = numbers.reshape(-1, length)
                for template in self._templates.get(length, ()):
                    if template.fits(matrix).all():
                        yield np.arange(len(matrix)), template.read(matrix)
                        return
        by_length: dict[int, list[tuple[int, int]]] = {}
        start = place = 0
        while start < len(content):
            end = _end_of_row(content, start)
            by_length.setdefault(end - start, []).append((place, start))
            start, place = end, place + 1
        for length, rows in by_length.items():
            places, starts = np.array(rows, np.int64).T
            yield from self._alike(places, numbers[starts[:, None] + np.arange(length)])

    def _alike(
        self, places: NDArray[np.int64], matrix: NDArray[np.uint8]
    ) -> Iterator[tuple[NDArray[np.int64], AgentRows]]:
        """Rows of one length, uint8 `[n, length]`, by template; a new one is learnt where none fits."""
        known = self._templates.setdefault(matrix.shape[1], [])
        index = 0
        while len(places):
            if index == len(known):
                if sum(map(len, self._templates.values())) >= _MAX_TEMPLATES:
                    raise _Irregular
                known.append(_Template(self._behavior, matrix[0].tobytes()))
            fits = known[index].fits(matrix)
            if fits.any():
                yield places[fits], known[index].read(matrix[fits])
                places, matrix = places[~fits], matrix[~fits]
            index += 1


class _Irregular(ValueError):
    """Rows that no template describes, which is no error: they are read in the other way."""


class _Template:
    """What rows of one length look like: `row & mask == constant`, and where their numbers stand.

    Args:
        behavior: Whose rows.
        row: One of them, with the tag and the length that precede it.

    Raises:
        BridgeError: If the general reader refuses it.
        _Irregular: If it is none that numpy could read.
    """

    def __init__(self, behavior: Behavior, row: bytes) -> None:
        read_rows(behavior, row)
        self._behavior = behavior
        self._mask = np.full(len(row), 0xFF, np.uint8)
        self._fields: dict[str, tuple[Any, int]] = {}
        n_observations = 0
        for number, wire_type, start, end in fields_of(row, _start_of_body(row, 0), len(row)):
            name = _NAMES.get((number, wire_type))
            if name == "observation":
                self._add_observation(row, n_observations, start, end)
                n_observations += 1
            elif name == "mask":
                self._add("mask", np.bool_, start, end, sum(behavior.branches), 0xFE)
            elif name in ("reward", "group_reward"):
                self._add(name, "<f4", start, end, 1, 0)
            elif name in ("done", "interrupted"):
                self._add(name, np.bool_, start, end, 1, 0xFE)
            elif name in ("id", "group_id") and end - start <= PADDED_BYTES:
                self._add(name, np.uint8, start, end, end - start, 0x80)
            else:
                raise _Irregular
        if n_observations != len(behavior.sensors):
            raise _Irregular
        self._constant = np.frombuffer(row, np.uint8) & self._mask
        self._dtype = np.dtype(
            {
                "names": list(self._fields),
                "formats": [kind for kind, _ in self._fields.values()],
                "offsets": [place for _, place in self._fields.values()],
                "itemsize": len(row),
            }
        )

    def _add(self, name: str, kind: Any, start: int, end: int, length: int, mask: int) -> None:
        """Notes numbers of a kind: those bits of their bytes that the mask names stay as they are."""
        if name in self._fields or length < 1 or end - start != length * np.dtype(kind).itemsize:
            raise _Irregular
        self._fields[name] = ((kind, length), start)
        self._mask[start:end] = mask

    def _add_observation(self, row: bytes, index: int, start: int, end: int) -> None:
        if index >= len(self._behavior.sensors):
            raise _Irregular
        length = int(np.prod(self._behavior.sensors[index].shape))
        for number, wire_type, inner_start, inner_end in fields_of(row, start, end):
            if number in (2, 3):  # compressed
                raise _Irregular
            if (number, wire_type) == (4, BYTES):
                values = list(fields_of(row, inner_start, inner_end))
                if len(values) != 1 or values[0][:2] != (1, BYTES):
                    raise _Irregular
                self._add(f"observation_{index}", "<f4", *values[0][2:], length, 0)
        if f"observation_{index}" not in self._fields:
            raise _Irregular

    def fits(self, rows: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which of the rows, uint8 `[n, length]`, look like this; bool `[n]`."""
        fits: NDArray[np.bool_] = np.all((rows & self._mask) == self._constant, axis=1)
        return fits

    def read(self, rows: NDArray[np.uint8]) -> AgentRows:
        """The numbers in rows that fit."""
        records = np.ascontiguousarray(rows).view(self._dtype)[:, 0]
        n_agents = len(records)

        def column(name: str, kind: Any) -> NDArray[Any]:
            return records[name][:, 0].astype(kind) if name in self._fields else np.zeros(n_agents, kind)

        def whole_numbers(name: str) -> NDArray[np.int32]:
            if name not in self._fields:
                return np.zeros(n_agents, np.int32)
            septets = records[name].astype(np.int64) & 0x7F
            numbers: NDArray[np.int32] = (septets << 7 * np.arange(septets.shape[1])).sum(axis=1).astype(np.int32)
            return numbers

        return AgentRows(
            ids=whole_numbers("id"),
            observations=tuple(
                records[f"observation_{index}"].astype(np.float32).reshape(n_agents, *sensor.shape)
                for index, sensor in enumerate(self._behavior.sensors)
            ),
            rewards=column("reward", np.float32),
            done=column("done", np.bool_),
            interrupted=column("interrupted", np.bool_),
            group_ids=whole_numbers("group_id"),
            group_rewards=column("group_reward", np.float32),
            masks=records["mask"].astype(np.bool_) if "mask" in self._fields else None,
        )


def _merged(parts: list[tuple[NDArray[np.int64], AgentRows]]) -> AgentRows:
    """Parts of a list as one, in its order."""
    order = np.argsort(np.concatenate([places for places, _ in parts]))
    rows = [part for _, part in parts]
    merged: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in rows])[order]
        for field in fields(AgentRows)
        if field.name not in ("observations", "masks")
    }
    merged["observations"] = tuple(
        np.concatenate(values)[order] for values in zip(*(part.observations for part in rows), strict=True)
    )
    widths = [part.masks.shape[1] for part in rows if part.masks is not None]
    if widths:
        masks = [np.zeros((len(part), widths[0]), np.bool_) if part.masks is None else part.masks for part in rows]
        merged["masks"] = np.concatenate(masks)[order]
    return AgentRows(**merged)


def _start_of_body(content: bytes, start: int) -> int:
    return read_varint(content, start + 1)[1]


def _end_of_row(content: bytes, start: int) -> int:
    if content[start] != _ROW_TAG:
        raise _Irregular
    length, body = read_varint(content, start + 1)
    if length > len(content) - body:
        raise _Irregular
    return body + length
