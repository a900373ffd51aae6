"""A Unity environment, run by this process: what it says, and what it is told."""

import os
import time
import weakref
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Self

from mlagents_bridge.behaviors import Actions, Behavior, Exchange, Instruction
from mlagents_bridge.connect.executable import Player
from mlagents_bridge.connect.server import Server
from mlagents_bridge.connect.settings import Drawn, Settings, parameter_of
from mlagents_bridge.connect.statistics import Statistics
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.protocol import trainer_side
from mlagents_bridge.side_channels import STATISTICS, Message, pack, unpack, write_parameter

EDITOR_PORT: Final = 5004
_POLL_SECONDS: Final = 0.25
_PATIENCE_SECONDS: Final = 10.0
"""How long an environment that was told to end may take."""
_SHORT_PATIENCE_SECONDS: Final = 1.0
"""How long one may take that was not listening."""


class UnitySession:
    """A running Unity environment; a context manager.

    It answers in turn: `reset`, then `step` with actions for the agents that ask for some. Whatever goes wrong ends it,
    along with its process.

    Args:
        file: The executable, see `executable.find_executable`; None for the editor, in which somebody presses Play.
        settings: How it is started and what it is told.

    Attributes:
        settings: As they are now.
        statistics: What it reports beside the game.
        name: What it calls itself.

    Raises:
        BridgeError: If it cannot be started, or does not connect.
    """

    def __init__(self, file: str | os.PathLike[str] | None = None, settings: Settings | None = None) -> None:
        self.file = file
        self.settings = settings or Settings()
        self.statistics = Statistics()
        self._reader = trainer_side.Reader()
        self._outgoing: list[Message] = list(self.settings.messages())
        self._server = Server(self.settings.port or (EDITOR_PORT if file is None else 0))
        self._player: Player | None = None
        self._end = weakref.finalize(self, _end, self._server, None)
        if file is not None:
            self._start_player(file)
        self.name = self._greet()

    @property
    def behaviors(self) -> Mapping[str, Behavior]:
        """Those that have had agents so far, by name."""
        return self._reader.behaviors

    @property
    def is_open(self) -> bool:
        """Whether it runs."""
        return self._end.alive

    @property
    def has_news(self) -> bool:
        """Whether the environment is to be told something with the next `reset` or `step`."""
        return bool(self._outgoing)

    def reset(self) -> Exchange:
        """Begins all episodes anew.

        Raises:
            BridgeError: If the environment has ended, does not answer, or says something that cannot be.
        """
        return self._exchange(Instruction(reset=True))

    def step(self, actions: Mapping[str, Actions]) -> Exchange:
        """Lets the game go on until an agent asks for an action, or ends.

        Args:
            actions: For each behaviour those of its rows that were not done in the last exchange, in their order.
                Agents of other behaviours do nothing.

        Raises:
            BridgeError: If the environment has ended, does not answer, or says something that cannot be.
        """
        return self._exchange(Instruction(dict(actions)))

    def set_parameter(self, name: str, value: float | Drawn) -> None:
        """Sets an environment parameter; the environment is told with the next `reset` or `step`.

        Args:
            name: Its key in the environment.
            value: A number, or a sampler and its arguments.

        Raises:
            ValueError: If it is none, or not finite.
        """
        self._outgoing.append(write_parameter(parameter_of(name, value, self.settings.seed)))
        self.settings = replace(self.settings, parameters={**self.settings.parameters, name: value})

    def started_again(self, seed: int) -> "UnitySession":
        """The same environment from its start, under another seed; this one is ended."""
        self.close()
        return UnitySession(self.file, replace(self.settings, seed=seed))

    def close(self) -> None:
        """Ends the environment, and its process if there is one."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_player(self, file: str | os.PathLike[str]) -> None:
        try:
            self._player = Player(
                file,
                self._server.port,
                no_graphics=self.settings.no_graphics,
                log_file=self.settings.log_file,
                arguments=self.settings.arguments,
            )
        except BridgeError:
            self.close()
            raise
        self._end.detach()
        self._end = weakref.finalize(self, _end, self._server, self._player)

    def _greet(self) -> str:
        """Exchanges greetings; gives the environment's name."""
        try:
            greeting = trainer_side.read_greeting(self._receive())
            self._server.answer(trainer_side.welcome(self.settings.seed, self.settings.areas))
            self._receive()  # the request for the first instruction
        except BaseException:
            self.close()
            raise
        return greeting.name

    def _exchange(self, instruction: Instruction) -> Exchange:
        if not self.is_open:
            raise BridgeError("The environment has ended: make it again.")
        try:
            message = self._reader.write(replace(instruction, side_channel=pack(self._outgoing)))
            self._outgoing.clear()
            self._server.answer(message)
            exchange = self._reader.read(self._receive())
            if exchange is None:
                raise BridgeError("The environment has ended by itself: the game is over, or Play was pressed again.")
            for beside in unpack(exchange.side_channel):
                if beside.channel == STATISTICS:
                    self.statistics.add(beside.content)
        except BaseException:  # an interrupt, too: nobody knows any more whose turn it is
            self.close()
            raise
        return exchange

    def _receive(self) -> bytes:
        """The environment's next message, while its process lives and time is left."""
        deadline = time.monotonic() + self.settings.timeout
        while (left := deadline - time.monotonic()) > 0:
            message = self._server.receive(min(left, _POLL_SECONDS))
            if message is not None:
                return message
            if self._player is not None:
                self._player.check()
        waited = f"{self.settings.timeout:g} seconds"
        if self._player is None:
            raise BridgeError(f"No editor has answered on port {self._server.port} for {waited}. Press Play in Unity.")
        raise BridgeError(
            f"The environment {self._player.program.name} has not answered for {waited}: it hangs, waits for a person, "
            f"or its agents' behavior type is not Default. timeout= gives it more time.{self._player.tail()}"
        )


def _end(server: Server, player: Player | None) -> None:
    """Ends an environment; also when its session was forgotten, and when the program ends."""
    was_told = server.close(trainer_side.stop())
    if player is not None:
        player.end(_PATIENCE_SECONDS if was_told else _SHORT_PATIENCE_SECONDS)
        player.forget()
