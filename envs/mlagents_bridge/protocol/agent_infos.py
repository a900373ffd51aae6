"""Lists of `AgentInfo` read, whoever wrote them: Unity leaves out what is zero, so rows differ in length."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlagents_bridge.behaviors import AgentRows, Behavior, Floats, Sensor
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.protocol import messages
from mlagents_bridge.protocol.pictures import read_pictures

_PNG: Final = 1
_CONTINUOUS: Final = 1  # SpaceTypeProto, of environments older than version 1.3 of the protocol
_MAX_SIZE: Final = 2**26
"""Of one agent's observation, in numbers; more is taken for a damaged message."""


def read_behavior(parameters: Any, content: bytes) -> Behavior:
    """A behaviour, from its description and the list of its first agents.

    Args:
        parameters: A `BrainParameters`.
        content: An `AgentInfoList` with one agent at least.

    Raises:
        BridgeError: If the description is not one of a behaviour.
    """
    agents = messages.parse("AgentInfoList", content).value
    if not agents:
        raise BridgeError(f"The environment described {parameters.name[:80]!r} without an agent.")
    sensors = tuple(
        _sensor(observation, f"{parameters.name[:80]!r}, observation {index}")
        for index, observation in enumerate(agents[0].observations)
    )
    n_continuous, branches = _actions(parameters)
    if min(branches, default=1) < 1 or not 0 <= n_continuous <= _MAX_SIZE or sum(branches) > _MAX_SIZE:
        raise BridgeError(f"The environment described {parameters.name[:80]!r} with actions that cannot be.")
    return Behavior(parameters.name, sensors, n_continuous, branches)


def _actions(parameters: Any) -> tuple[int, tuple[int, ...]]:
    spec = parameters.action_spec
    if spec.n_continuous or spec.n_discrete:
        return spec.n_continuous, tuple(spec.branch_sizes)
    sizes = tuple(parameters.vector_action_size_deprecated)
    if parameters.vector_action_space_type_deprecated == _CONTINUOUS:
        return (sizes[0] if sizes else 0), ()
    return 0, sizes


def _sensor(observation: Any, where: str) -> Sensor:
    shape = tuple(observation.shape)
    if not shape or min(shape) < 1 or float(np.prod(shape, dtype=np.float64)) > _MAX_SIZE:
        raise BridgeError(f"{where} has the shape {list(shape)[:8]}, which cannot be.")
    properties = tuple(observation.dimension_properties)
    is_png = observation.compression_type == _PNG
    return Sensor(observation.name, shape, observation.observation_type, properties, is_png)


def read_rows(behavior: Behavior, content: bytes) -> AgentRows:
    """The agents of a behaviour.

    Args:
        behavior: Theirs.
        content: An `AgentInfoList`.

    Raises:
        BridgeError: If an observation or a mask does not fit the behaviour, or a number is not finite.
    """
    agents = messages.parse("AgentInfoList", content).value
    for agent in agents:
        if len(agent.observations) != len(behavior.sensors):
            raise BridgeError(
                f"An agent of {behavior.name} has {len(agent.observations)} observations, not "
                f"{len(behavior.sensors)} as the first had."
            )
    observations = tuple(
        _observations(behavior, sensor, [agent.observations[index] for agent in agents])
        for index, sensor in enumerate(behavior.sensors)
    )
    return checked(
        behavior,
        AgentRows(
            ids=np.array([agent.id for agent in agents], np.int32),
            observations=observations,
            rewards=np.array([agent.reward for agent in agents], np.float32),
            done=np.array([agent.done for agent in agents], np.bool_),
            interrupted=np.array([agent.max_step_reached for agent in agents], np.bool_),
            group_ids=np.array([agent.group_id for agent in agents], np.int32),
            group_rewards=np.array([agent.group_reward for agent in agents], np.float32),
            masks=_masks(behavior, [agent.action_mask for agent in agents]),
        ),
    )


def checked(behavior: Behavior, rows: AgentRows) -> AgentRows:
    """The rows, whose numbers are all finite.

    Raises:
        BridgeError: If they are not.
    """
    for values in (*rows.observations, rows.rewards, rows.group_rewards):
        if not np.isfinite(values).all():
            raise BridgeError(f"The environment sent {behavior.name} an observation or reward that is not finite.")
    return rows


def _observations(behavior: Behavior, sensor: Sensor, rows: list[Any]) -> Floats:
    """One sensor's observations, float32 `[n, *shape]`."""
    if any(row.compression_type == _PNG for row in rows):
        return _pictures(behavior, sensor, rows)
    content = b"".join([row.float_data.data for row in rows])
    expected = 4 * int(np.prod(sensor.shape))
    if any(len(row.float_data.data) != expected for row in rows):
        raise _misfit(behavior, sensor)
    return np.frombuffer(content, "<f4").astype(np.float32, copy=False).reshape(len(rows), *sensor.shape)


def _pictures(behavior: Behavior, sensor: Sensor, rows: list[Any]) -> Floats:
    read = np.zeros((len(rows), *sensor.shape), np.float32)
    for place, row in zip(read, rows, strict=True):
        picture = read_pictures(row.compressed_data, sensor.shape, list(row.compressed_channel_mapping))
        if picture.shape != sensor.shape:
            raise _misfit(behavior, sensor)
        place[:] = picture
    return read


def _masks(behavior: Behavior, rows: list[bytes]) -> NDArray[np.bool_] | None:
    """Which choices are forbidden. An agent without a mask may choose any."""
    n_choices = sum(behavior.branches)
    if not n_choices or not any(rows):
        return None
    masks = np.zeros((len(rows), n_choices), np.bool_)
    for place, row in zip(masks, rows, strict=True):
        if len(row) == n_choices:
            place[:] = np.frombuffer(row, np.bool_)
        elif row:
            raise BridgeError(f"A mask of {behavior.name} is {len(row)} choices long, not {n_choices}.")
    return masks


def _misfit(behavior: Behavior, sensor: Sensor) -> BridgeError:
    return BridgeError(
        f"An observation {sensor.name!r} of {behavior.name} has not the shape {list(sensor.shape)} of the first one. "
        "Sensors cannot change while an environment runs."
    )
