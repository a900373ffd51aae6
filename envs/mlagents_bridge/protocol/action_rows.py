"""Lists of `AgentAction`, written and read by numpy at once.

Where every branch has fewer than 128 choices a discrete action is a byte, and all rows have one length.
"""

from typing import Any, Final, NamedTuple

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
        dtype: The places of its numbers.
        constant: 0xFF for each byte that belongs to no number, and 0 for the others.
    """

    template: NDArray[np.uint8]
    dtype: np.dtype[Any]
    constant: NDArray[np.uint8]


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
        template, dtype, _ = self._layouts[1]
        written = np.empty((len(actions), len(template)), np.uint8)
        written[:] = template
        records = written.view(dtype)[:, 0]
        if self._behavior.n_continuous:
            records["continuous"] = actions.continuous
        if self._behavior.branches:
            records["discrete"] = actions.discrete
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
        template, dtype, constant = layout
        if len(content) % len(template):
            return None
        rows = np.frombuffer(content, np.uint8).reshape(-1, len(template))
        if ((rows ^ template) & constant).any():
            return None
        records = rows.view(dtype)[:, 0]
        continuous, discrete = _empty(self._behavior, len(records))
        if self._behavior.n_continuous:
            continuous[:] = records["continuous"]
            if not np.isfinite(continuous).all():
                return None
        if self._behavior.branches:
            discrete[:] = records["discrete"]
            if (discrete >= self._n_choices).any():
                return None
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
    fields: dict[str, tuple[Any, int]] = {}
    if deprecated:
        row += tagged(1, bytes(4 * (n_continuous + n_discrete)))
        fields["deprecated"] = (("<f4", n_continuous + n_discrete), len(row) - 4 * (n_continuous + n_discrete))
    if n_continuous:
        row += tagged(6, bytes(4 * n_continuous))
        fields["continuous"] = (("<f4", n_continuous), len(row) - 4 * n_continuous)
    if n_discrete:
        row += tagged(7, bytes(n_discrete))
        fields["discrete"] = ((np.uint8, n_discrete), len(row) - n_discrete)
    head = len(tagged(1, row)) - len(row)
    dtype = np.dtype(
        {
            "names": list(fields),
            "formats": [kind for kind, _ in fields.values()],
            "offsets": [place + head for _, place in fields.values()],
            "itemsize": len(row) + head,
        }
    )
    constant = np.full(len(row) + head, 0xFF, np.uint8)
    for kind, start in ((dtype[name], dtype.fields[name][1]) for name in fields):  # type: ignore[index]  # it has these
        constant[start : start + kind.itemsize] = 0
    return _Layout(np.frombuffer(tagged(1, row), np.uint8), dtype, constant)
