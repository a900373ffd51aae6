"""Lists of `AgentAction`, written and read by numpy at once.

Where every branch has fewer than 128 choices a discrete action is a byte, and all rows have one length.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlagents_bridge.behaviors import Actions, Behavior
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.protocol import messages
from mlagents_bridge.protocol.varints import tagged, varint

_ONE_BYTE: Final = 128


class _Layout(NamedTuple):
    """How a row looks.

    Attributes:
        template: Its bytes, with zeros for the numbers.
        room: How far each byte may lie above the template's: 0 for those that belong to no number, and for a discrete
            action its highest choice.
        places: Where its numbers stand.
    """

    template: NDArray[np.uint8]
    room: NDArray[np.uint8]
    places: dict[str, slice]


class ActionRows:
    """Writes and reads the actions of one behaviour.

    Args:
        behavior: Whose actions.
    """

    def __init__(self, behavior: Behavior) -> None:
        self._behavior = behavior
        self._is_regular = all(branch <= _ONE_BYTE for branch in behavior.branches)
        self._layouts = [_layout(behavior, deprecated=deprecated) for deprecated in (True, False)]
        self._n_choices = np.array(behavior.branches, np.int32)

    def write(self, actions: Actions) -> bytes:
        """An `AgentActionList`.

        Args:
            actions: Of as many agents as were asked.
        """
        if not self._is_regular:
            return self._write_one_by_one(actions)
        template, _, places = self._layouts[1]
        written = np.empty((len(actions), len(template)), np.uint8)
        written[:] = template
        if self._behavior.n_continuous:
            written[:, places["continuous"]] = np.ascontiguousarray(actions.continuous, "<f4").view(np.uint8)
        if self._behavior.branches:
            written[:, places["discrete"]] = actions.discrete
        return written.tobytes()

    def read(self, content: bytes) -> Actions:
        """The actions in an `AgentActionList`, in its order.

        Raises:
            BridgeError: If it is no such list, or its actions are not those of this behaviour.
        """
        for layout in self._layouts if self._is_regular else ():
            actions = self._read_regular(content, layout)
            if actions is not None:
                return actions
        return self._checked(self._read_one_by_one(content))

    def _read_regular(self, content: bytes, layout: _Layout) -> Actions | None:
        """The actions, if every row looks like the template apart from its numbers, and these are possible."""
        template, room, places = layout
        if len(content) % len(template):
            return None
        rows = np.frombuffer(content, np.uint8).reshape(-1, len(template))
        if (rows - template > room).any():
            return None
        continuous, discrete = _empty(self._behavior, len(rows))
        if self._behavior.n_continuous:
            continuous[:] = np.ascontiguousarray(rows[:, places["continuous"]]).view("<f4")
            if not np.isfinite(continuous).all():
                return None
        if self._behavior.branches:
            discrete[:] = rows[:, places["discrete"]]
        return Actions(continuous, discrete)

    def _read_one_by_one(self, content: bytes) -> Actions:
        rows = messages.parse("AgentActionList", content).value
        continuous, discrete = _empty(self._behavior, len(rows))
        for index, row in enumerate(rows):
            if len(row.continuous_actions) != 4 * self._behavior.n_continuous:
                raise self._misfit(f"{len(row.continuous_actions) // 4} continuous actions")
            continuous[index] = np.frombuffer(row.continuous_actions, "<f4")
            choices = messages.packed_numbers(row.discrete_actions)
            if len(choices) != len(self._behavior.branches):
                raise self._misfit(f"{len(choices)} discrete actions")
            discrete[index] = choices
        return Actions(continuous, discrete)

    def _write_one_by_one(self, actions: Actions) -> bytes:
        rows = []
        for continuous, discrete in zip(actions.continuous, actions.discrete, strict=True):
            row = tagged(6, continuous.astype("<f4").tobytes()) if len(continuous) else b""
            row += tagged(7, b"".join(varint(int(choice)) for choice in discrete)) if len(discrete) else b""
            rows.append(tagged(1, row))
        return b"".join(rows)

    def _checked(self, actions: Actions) -> Actions:
        if not np.isfinite(actions.continuous).all():
            raise self._misfit("actions that are not finite")
        wrong = (actions.discrete < 0) | (actions.discrete >= self._n_choices)
        if wrong.any():
            row, branch = np.argwhere(wrong)[0]
            raise self._misfit(f"choice {actions.discrete[row, branch]} in branch {branch}")
        return actions

    def _misfit(self, what: str) -> BridgeError:
        behavior = self._behavior
        return BridgeError(
            f"{behavior.name} was sent {what}, but its agents take {behavior.n_continuous} continuous actions and "
            f"branches of {list(behavior.branches)} choices. Trainer and environment do not belong together."
        )


def _empty(behavior: Behavior, n_agents: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    continuous = np.zeros((n_agents, behavior.n_continuous), np.float32)
    return continuous, np.zeros((n_agents, len(behavior.branches)), np.int32)


def _layout(behavior: Behavior, *, deprecated: bool) -> _Layout:
    """How a row looks. ML-Agents sends all actions a second time in a deprecated field."""
    n_continuous, n_discrete = behavior.n_continuous, len(behavior.branches)
    row = b""
    places: dict[str, slice] = {}
    if deprecated:
        row, places["deprecated"] = _with(row, 1, 4 * (n_continuous + n_discrete))
    if n_continuous:
        row, places["continuous"] = _with(row, 6, 4 * n_continuous)
    if n_discrete:
        row, places["discrete"] = _with(row, 7, n_discrete)
    template = np.frombuffer(tagged(1, row), np.uint8)
    head = len(template) - len(row)
    places = {name: slice(place.start + head, place.stop + head) for name, place in places.items()}
    room = np.zeros(len(template), np.uint8)
    for place in places.values():
        room[place] = 0xFF
    if n_discrete:
        room[places["discrete"]] = np.array(behavior.branches) - 1
    return _Layout(template, room, places)


def _with(row: bytes, field: int, n_bytes: int) -> tuple[bytes, slice]:
    """The row with a field of so many zeros at its end, and where these stand."""
    longer = row + tagged(field, bytes(n_bytes))
    return longer, slice(len(longer) - n_bytes, len(longer))
