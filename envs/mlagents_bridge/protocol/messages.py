"""Messages to and from bytes, each malformed one told by a sentence."""

from typing import Any, Final

from google.protobuf.message import DecodeError

from mlagents_bridge.errors import BridgeError
from mlagents_bridge.protocol.schema import make_classes
from mlagents_bridge.protocol.varints import tagged

API_VERSION: Final = "1.5.0"
"""Of the protocol; the two sides get along when the first number is the same."""

PACKAGE_VERSION: Final = "1.1.0"
"""Of ML-Agents' Python packages, whose protocol this is. Unity refuses trainers that are newer than it knows."""

METHOD: Final = "/communicator_objects.UnityToExternalProto/Exchange"
"""The trainer serves it, the environment calls it, and each call's answer says what to do until the next."""

OK: Final = 200
STOP: Final = 400

STEP: Final = 0
RESET: Final = 1
QUIT: Final = 2

_CLASSES: Final = make_classes()


def parse(kind: str, content: bytes) -> Any:
    """The message of this kind that the bytes are.

    Raises:
        BridgeError: If they are none.
    """
    try:
        return _CLASSES[kind].FromString(content)
    except DecodeError as error:
        raise BridgeError(
            f"A message of {len(content):,} bytes is no {kind} of the ML-Agents protocol: the other side speaks "
            "another protocol, or another program uses this port."
        ) from error


def new(kind: str, **fields: Any) -> Any:
    """A message of a kind."""
    return _CLASSES[kind](**fields)


def packed_numbers(content: bytes) -> list[int]:
    """Whole numbers from a packed list of them.

    Raises:
        BridgeError: If the last number is cut off.
    """
    # The shape of an observation is such a list, so its class reads any.
    return list(parse("Observation", tagged(1, content)).shape)


def capabilities(*, training_analytics: bool) -> Any:
    """What a side of this bridge understands: everything that version 1.5.0 has.

    Args:
        training_analytics: Whether it takes, or gives, a report of how training is set up.
    """
    return new(
        "Capabilities",
        base_rl=True,
        concatenated_pngs=True,
        channel_mapping=True,
        hybrid_actions=True,
        training_analytics=training_analytics,
        variable_length_observations=True,
        multi_agent_groups=True,
    )


def stop() -> bytes:
    """Either side's last message."""
    return new("Envelope", header=new("Header", status=STOP)).SerializeToString()  # type: ignore[no-any-return]  # protobuf's own gap


def status_of(envelope: Any) -> int:
    """`OK`, or what else the other side says, such as `STOP`."""
    return int(envelope.header.status)


def check_version(version: str, whose: str) -> None:
    """Refuses another protocol.

    Args:
        version: What the other side speaks.
        whose: Who that is, for the sentence.

    Raises:
        BridgeError: If the first number is another one.
    """
    if version.partition(".")[0] != API_VERSION.partition(".")[0]:
        raise BridgeError(
            f"{whose} speaks version {version[:40] or 'unknown'} of the ML-Agents protocol, and this is version "
            f"{API_VERSION}. Take a release whose version begins with {API_VERSION.partition('.')[0]}."
        )
