"""What an environment says and hears: the side that Unity plays.

It begins with `greeting`, answered by a welcome, then says `ready`, and from then on each answer is an instruction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mlagents_bridge.behaviors import Behavior, Exchange, Instruction
from mlagents_bridge.protocol import messages
from mlagents_bridge.protocol.action_rows import ActionRows
from mlagents_bridge.protocol.agent_rows import AgentRowsWriter
from mlagents_bridge.protocol.varints import tagged, varint


@dataclass(frozen=True)
class Welcome:
    """A trainer's answer to the greeting.

    Attributes:
        seed: For the environment's random numbers.
        n_areas: How many copies of the training area it asks for.
        package_version: Which release of ML-Agents it is.
    """

    seed: int
    n_areas: int
    package_version: str


def greeting(name: str) -> bytes:
    """The first message.

    Args:
        name: What the environment calls itself.
    """
    output = messages.new(
        "RLInitializationOutput",
        name=name,
        communication_version=messages.API_VERSION,
        package_version=messages.PACKAGE_VERSION,
        capabilities=messages.capabilities(training_analytics=True),
    )
    return _envelope(rl_initialization_output=output)


def read_welcome(content: bytes) -> Welcome | None:
    """The trainer's answer to the greeting; None if it stops already.

    Raises:
        BridgeError: If it is none, or of another protocol.
    """
    envelope = messages.parse("Envelope", content)
    if messages.status_of(envelope) != messages.OK:
        return None
    welcome = envelope.unity_input.rl_initialization_input
    messages.check_version(welcome.communication_version, "The trainer")
    return Welcome(welcome.seed, welcome.num_areas, welcome.package_version)


def ready() -> bytes:
    """Asks for the first instruction."""
    return _envelope()


def stopping() -> bytes:
    """Says that the environment ends."""
    return messages.stop()


class Scribe:
    """Writes an environment's messages and reads the instructions for its behaviours.

    Args:
        behaviors: All that there are.
        masked: Names of those whose rows say which choices are forbidden.
    """

    def __init__(self, behaviors: Iterable[Behavior], *, masked: Iterable[str] = ()) -> None:
        masked = set(masked)
        self._behaviors = {behavior.name: behavior for behavior in behaviors}
        self._writers = {
            name: AgentRowsWriter(behavior, masked=name in masked) for name, behavior in self._behaviors.items()
        }
        self._actions = {name: ActionRows(behavior) for name, behavior in self._behaviors.items()}
        self._unknown = set(self._behaviors)

    def write(self, exchange: Exchange) -> bytes:
        """A step's message. A behaviour is described along with its first agents, from whom its sensors are known."""
        lists = {name: self._writers[name].write(rows) for name, rows in exchange.rows.items() if len(rows)}
        new = sorted(self._unknown & set(lists))
        beginning = _NOTHING_NEW
        if new:
            self._unknown -= set(new)
            described = [_described(self._behaviors[name]) for name in new]
            output = messages.new("RLInitializationOutput", brain_parameters=described)
            beginning = _envelope(rl_initialization_output=output)
        # Two parts of one message are merged by whoever reads it, so the large part needs no message object.
        return b"".join([beginning, *_steps(lists, exchange.side_channel)])

    def read(self, content: bytes) -> Instruction | None:
        """The trainer's instruction; None if it says stop.

        Raises:
            BridgeError: If it is none, or not for these behaviours.
        """
        envelope = messages.parse("Envelope", content)
        if messages.status_of(envelope) != messages.OK:
            return None
        rl_input = envelope.unity_input.rl_input
        if rl_input.command == messages.QUIT:
            return None
        actions = {name: self._actions[name].read(rows) for name, rows in rl_input.agent_actions.items()}
        return Instruction(actions, rl_input.command == messages.RESET, rl_input.side_channel)


def _steps(lists: Mapping[str, memoryview], side_channel: bytes) -> list[bytes | memoryview]:
    """An envelope's `unity_output` with nothing but its `rl_output`, in pieces."""
    pieces: list[bytes | memoryview] = []
    for name, rows in lists.items():
        pieces += [_before_rows(name, len(rows)), rows]
    if side_channel:
        pieces.append(tagged(3, side_channel))
    return [_before_output(sum(map(len, pieces))), *pieces]


@lru_cache(maxsize=128)
def _before_rows(name: str, n_bytes: int) -> bytes:
    """What stands before a behaviour's rows; most steps have as many as the step before."""
    head = tagged(1, name.encode()) + varint(2 << 3 | 2) + varint(n_bytes)
    return varint(2 << 3 | 2) + varint(len(head) + n_bytes) + head


@lru_cache(maxsize=128)
def _before_output(n_bytes: int) -> bytes:
    """What stands before all of it."""
    head = varint(1 << 3 | 2) + varint(n_bytes)
    return varint(2 << 3 | 2) + varint(len(head) + n_bytes) + head


def _described(behavior: Behavior) -> object:
    n_discrete = len(behavior.branches)
    spec = messages.new(
        "ActionSpec", n_continuous=behavior.n_continuous, n_discrete=n_discrete, branch_sizes=behavior.branches
    )
    return messages.new("BrainParameters", name=behavior.name, is_training=True, action_spec=spec)


def _envelope(**output: object) -> bytes:
    header = messages.new("Header", status=messages.OK)
    envelope = messages.new("Envelope", header=header, unity_output=messages.new("Output", **output))
    return envelope.SerializeToString()  # type: ignore[no-any-return]  # protobuf's own gap


_NOTHING_NEW = _envelope()
