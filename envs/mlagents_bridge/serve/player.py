"""Plays a world to a trainer: the loop of an ML-Agents environment.

The trainer is the server and the environment its client, so an exchange is a call: the last step's rows go out, and the
answer says what to do next.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

import grpc

from mlagents_bridge import side_channels
from mlagents_bridge.behaviors import Exchange, Instruction
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.protocol import environment_side, messages
from mlagents_bridge.serve.worlds import Rows, World, WorldMaker

_OPTIONS: Final = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A proxy would not reach this machine's own address.
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
)
_FAREWELL_SECONDS: Final = 0.5

_log = logging.getLogger("mlagents_bridge")

_Call = Callable[[bytes], bytes]


class _Over(Exception):
    """The trainer is gone, or has had enough."""


def play(make: WorldMaker, name: str, port: int, wait_seconds: float) -> None:
    """Connects to the trainer and plays until it says stop or goes away.

    Args:
        make: Makes the world, once the trainer has given the seed.
        name: What the environment calls itself.
        port: Where the trainer listens, on this machine.
        wait_seconds: How long to wait for it to do so.

    Raises:
        BridgeError: If no trainer is there, it speaks another protocol, or the world cannot be made.
    """
    with grpc.insecure_channel(f"127.0.0.1:{port}", _OPTIONS) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=wait_seconds)
        except grpc.FutureTimeoutError as error:
            raise BridgeError(
                f"No trainer listens on port {port} of this machine; waited {wait_seconds:g} seconds. An environment "
                "is started by its trainer: mlagents-learn CONFIG.yaml --env=THIS_LAUNCHER, or UnityEnvironment(...)."
            ) from error
        try:
            _play(make, name, _calling(channel))
        except _Over as over:
            _log.info("%s", over)
        except (KeyboardInterrupt, SystemExit):
            _say_farewell(channel)
            raise


def _play(make: WorldMaker, name: str, call: _Call) -> None:
    welcome = environment_side.read_welcome(call(environment_side.greeting(name)))
    if welcome is None:
        raise _Over("The trainer said stop.")
    _log.info("Connected to ML-Agents %s; seed %d.", welcome.package_version[:40], welcome.seed)
    # Between greeting and this the stock trainer would not notice that the player has failed.
    answer = call(environment_side.ready())
    world = make(welcome.seed, welcome.n_areas)
    try:
        _exchange_for_ever(world, answer, call)
    finally:
        world.close()


def _exchange_for_ever(world: World, answer: bytes, call: _Call) -> None:
    scribe = environment_side.Scribe(world.behaviors, masked=world.masked)
    begun = False
    while True:
        instruction = scribe.read(answer)
        if instruction is None:
            raise _Over("The trainer said stop.")
        _take_messages(world, instruction.side_channel)
        rows = _obey(world, instruction, begun)
        begun = True
        answer = call(scribe.write(Exchange(rows, side_channels.pack(world.statistics()))))


def _obey(world: World, instruction: Instruction, begun: bool) -> Rows:
    return world.step(instruction.actions) if begun and not instruction.reset else world.reset()


def _take_messages(world: World, side_channel: bytes) -> None:
    """Hands on environment parameters. Engine settings concern what is not here: a screen, a clock, a frame rate."""
    if side_channel:
        told = side_channels.unpack(side_channel)
        parameters = [side_channels.read_parameter(m.content) for m in told if m.channel == side_channels.PARAMETERS]
        world.take(parameters)


def _calling(channel: grpc.Channel) -> _Call:
    """The call of the protocol's one method, its errors as sentences."""
    exchange: Any = channel.unary_unary(messages.METHOD)  # bytes both ways: it was given no serializers

    def call(message: bytes) -> bytes:
        try:
            answer: bytes = exchange(message)
        except grpc.RpcError as error:
            raise _reason(error, len(message)) from error
        return answer

    return call


def _reason(error: grpc.RpcError, n_bytes: int) -> Exception:
    code = error.code()
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return BridgeError("Another program than an ML-Agents trainer listens on this port: take another --base-port.")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return BridgeError(
            f"The trainer refuses messages as large as {n_bytes:,} bytes; ML-Agents takes up to 4 MiB. Take fewer "
            "arenas for a player, and more players (--num-envs)."
        )
    return _Over(f"The trainer has ended the connection ({code.name.lower()}).")


def _say_farewell(channel: grpc.Channel) -> None:
    """Tells the trainer that this ends, as Unity does; it may be gone."""
    exchange: Any = channel.unary_unary(messages.METHOD)
    try:
        exchange(environment_side.stopping(), timeout=_FAREWELL_SECONDS)
    except grpc.RpcError as error:
        _log.debug("The trainer did not answer the farewell: %s.", error.code())
