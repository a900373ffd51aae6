"""What a trainer says and hears: the side that ML-Agents' Python plays.

An environment calls; the trainer answers its greeting with a welcome, and every later call with an instruction.
"""

from dataclasses import dataclass

from mlagents_bridge.behaviors import Behavior, Exchange, Instruction
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.protocol import messages
from mlagents_bridge.protocol.action_rows import ActionRows
from mlagents_bridge.protocol.agent_infos import read_behavior
from mlagents_bridge.protocol.row_templates import AgentRowsReader


@dataclass(frozen=True)
class Greeting:
    """An environment's first message.

    Attributes:
        name: What it calls itself.
        package_version: Which release of ML-Agents' Unity package it was built with.
    """

    name: str
    package_version: str


def read_greeting(content: bytes) -> Greeting:
    """The first message.

    Raises:
        BridgeError: If it is none, or of another protocol.
    """
    envelope = messages.parse("Envelope", content)
    if not envelope.unity_output.HasField("rl_initialization_output"):
        raise BridgeError("The environment's first message is no greeting: another program uses this port.")
    greeting = envelope.unity_output.rl_initialization_output
    messages.check_version(greeting.communication_version, "The environment")
    return Greeting(greeting.name, greeting.package_version)


def welcome(seed: int, n_areas: int = 1) -> bytes:
    """The answer to the greeting.

    Args:
        seed: For the environment's random numbers, 0 to 2**31 - 1.
        n_areas: How many copies of the training area the environment shall make.
    """
    answer = messages.new(
        "RLInitializationInput",
        seed=seed,
        communication_version=messages.API_VERSION,
        package_version=messages.PACKAGE_VERSION,
        capabilities=messages.capabilities(training_analytics=False),
        num_areas=n_areas,
    )
    return _envelope(rl_initialization_input=answer)


def stop() -> bytes:
    """Tells the environment to end."""
    return messages.stop()


class Reader:
    """Reads an environment's messages, learns its behaviours from them, and writes instructions.

    Attributes:
        behaviors: Those known so far, by name.
    """

    def __init__(self) -> None:
        self.behaviors: dict[str, Behavior] = {}
        self._actions: dict[str, ActionRows] = {}
        self._rows: dict[str, AgentRowsReader] = {}

    def read(self, content: bytes) -> Exchange | None:
        """What the environment says; None if it ends.

        Raises:
            BridgeError: If it is no such message, or rows do not fit their behaviour.
        """
        envelope = messages.parse("Envelope", content)
        if messages.status_of(envelope) != messages.OK:
            return None
        output = envelope.unity_output
        # Unity lists a behaviour as soon as there is one, and describes it when it has agents.
        lists = {name: rows for name, rows in output.rl_output.agent_infos.items() if rows or name in self.behaviors}
        for parameters in output.rl_initialization_output.brain_parameters:
            if parameters.name in lists:
                behavior = read_behavior(parameters, lists[parameters.name])
                self.behaviors[behavior.name] = behavior
                self._actions[behavior.name] = ActionRows(behavior)
                self._rows[behavior.name] = AgentRowsReader(behavior)
        for name in lists:
            if name not in self.behaviors:
                raise BridgeError(f"The environment sent agents of {name[:80]!r} without ever having described them.")
        rows = {name: self._rows[name].read(content) for name, content in lists.items()}
        return Exchange(rows, output.rl_output.side_channel)

    def write(self, instruction: Instruction) -> bytes:
        """The answer to an environment's message."""
        actions = {name: self._actions[name].write(chosen) for name, chosen in instruction.actions.items()}
        command = messages.RESET if instruction.reset else messages.STEP
        return _envelope(
            rl_input=messages.new(
                "RLInput", agent_actions=actions, command=command, side_channel=instruction.side_channel
            )
        )


def _envelope(**content: object) -> bytes:
    header = messages.new("Header", status=messages.OK)
    envelope = messages.new("Envelope", header=header, unity_input=messages.new("Input", **content))
    return envelope.SerializeToString()  # type: ignore[no-any-return]  # protobuf's own gap
