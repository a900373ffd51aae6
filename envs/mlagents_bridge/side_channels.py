"""Messages beside the game: engine settings, environment parameters, statistics.

Each is the channel's UUID in Microsoft's byte order, a length of 32 bits, and that many bytes.
"""

import struct
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from mlagents_bridge.errors import BridgeError

ENGINE: Final = uuid.UUID("e951342c-4f7e-11ea-b238-784f4387d1f7")
PARAMETERS: Final = uuid.UUID("534c891e-810f-11ea-a9d0-822485860400")
STATISTICS: Final = uuid.UUID("a1d8f7b7-cec8-50f9-b78b-d3e165a78520")
ANALYTICS: Final = uuid.UUID("b664a4a9-d86f-5a5f-95cb-e8353a7e8356")


@dataclass(frozen=True)
class Message:
    """A channel's message."""

    channel: uuid.UUID
    content: bytes


class EngineSetting(IntEnum):
    """What the trainer may set of the engine."""

    SCREEN_RESOLUTION = 0
    QUALITY_LEVEL = 1
    TIME_SCALE = 2
    TARGET_FRAME_RATE = 3
    CAPTURE_FRAME_RATE = 4


class Sampler(IntEnum):
    """How a parameter is drawn anew for every episode."""

    UNIFORM = 0
    GAUSSIAN = 1
    MULTIRANGE_UNIFORM = 2


class Aggregation(IntEnum):
    """What the trainer makes of a statistic's values between two summaries."""

    AVERAGE = 0
    MOST_RECENT = 1
    SUM = 2
    HISTOGRAM = 3


@dataclass(frozen=True)
class Parameter:
    """An environment parameter.

    Attributes:
        name: Its key in the trainer's configuration.
        value: A number; or the arguments of a sampler: lowest and highest, mean and standard deviation, or pairs of
            lowest and highest.
        sampler: How it is drawn, or None for a plain number.
        seed: Of the sampler.
    """

    name: str
    value: tuple[float, ...]
    sampler: Sampler | None = None
    seed: int = 0


def unpack(content: bytes) -> Iterator[Message]:
    """The messages in a side channel's bytes.

    Raises:
        BridgeError: If they are cut off.
    """
    place = 0
    while place < len(content):
        head = content[place : place + 20]
        if len(head) < 20:
            raise BridgeError("A message of a side channel is cut off.")
        (length,) = struct.unpack_from("<i", head, 16)
        place += 20
        if not 0 <= length <= len(content) - place:
            raise BridgeError("A message of a side channel is cut off.")
        yield Message(uuid.UUID(bytes_le=head[:16]), content[place : place + length])
        place += length


def pack(messages: Iterable[Message]) -> bytes:
    """The bytes of messages."""
    return b"".join(
        message.channel.bytes_le + struct.pack("<i", len(message.content)) + message.content for message in messages
    )


def statistic(name: str, value: float, aggregation: Aggregation = Aggregation.AVERAGE) -> Message:
    """A number that the trainer shows among its own."""
    return Message(STATISTICS, _text(name) + struct.pack("<fi", value, aggregation))


def read_statistic(content: bytes) -> tuple[str, float, Aggregation]:
    """Name, value and aggregation of a statistic.

    Raises:
        BridgeError: If it is none.
    """
    name, rest = _read_text(content)
    try:
        value, aggregation = struct.unpack("<fi", rest)
        return name, value, Aggregation(aggregation)
    except (struct.error, ValueError) as error:
        raise BridgeError(f"The statistic {name[:80]!r} is malformed.") from error


def write_parameter(parameter: Parameter) -> Message:
    """A parameter for the environment."""
    content = _text(parameter.name)
    if parameter.sampler is None:
        return Message(PARAMETERS, content + struct.pack("<if", 0, parameter.value[0]))
    content += struct.pack("<iii", 1, parameter.seed, parameter.sampler)
    if parameter.sampler is Sampler.MULTIRANGE_UNIFORM:
        content += struct.pack("<i", len(parameter.value))
    return Message(PARAMETERS, content + struct.pack(f"<{len(parameter.value)}f", *parameter.value))


def read_parameter(content: bytes) -> Parameter:
    """A parameter from the trainer.

    Raises:
        BridgeError: If it is none.
    """
    name, rest = _read_text(content)
    try:
        (kind,) = struct.unpack_from("<i", rest)
        if kind == 0:
            return Parameter(name, struct.unpack("<f", rest[4:]))
        seed, sampler = struct.unpack_from("<ii", rest, 4)
        rest = rest[12:]
        if sampler == Sampler.MULTIRANGE_UNIFORM:
            (length,) = struct.unpack_from("<i", rest)
            rest = rest[4:]
        else:
            length = 2
        if length % 2 or length < 2:
            raise ValueError(length)
        return Parameter(name, struct.unpack(f"<{length}f", rest), Sampler(sampler), seed)
    except (struct.error, ValueError) as error:
        raise BridgeError(f"The environment parameter {name[:80]!r} is malformed.") from error


def write_engine_setting(setting: EngineSetting, *values: float) -> Message:
    """A setting of the engine: whole numbers, apart from the time scale."""
    kind = "f" if setting is EngineSetting.TIME_SCALE else "i"
    return Message(ENGINE, struct.pack(f"<i{len(values)}{kind}", setting, *values))


def read_engine_setting(content: bytes) -> tuple[EngineSetting, tuple[float, ...]]:
    """A setting of the engine.

    Raises:
        BridgeError: If it is none.
    """
    try:
        setting = EngineSetting(struct.unpack_from("<i", content)[0])
        kind = "f" if setting is EngineSetting.TIME_SCALE else "i"
        length = 2 if setting is EngineSetting.SCREEN_RESOLUTION else 1
        return setting, struct.unpack(f"<{length}{kind}", content[4:])
    except (struct.error, ValueError) as error:
        raise BridgeError("A setting of the engine is malformed.") from error


def _text(text: str) -> bytes:
    written = text.encode()
    return struct.pack("<i", len(written)) + written


def _read_text(content: bytes) -> tuple[str, bytes]:
    try:
        (length,) = struct.unpack_from("<i", content)
        if not 0 <= length <= len(content) - 4:
            raise ValueError(length)
        return content[4 : 4 + length].decode(), content[4 + length :]
    except (struct.error, ValueError) as error:
        raise BridgeError("A message of a side channel begins with no text.") from error
