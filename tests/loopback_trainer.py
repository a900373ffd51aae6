"""A trainer in this process: it takes a player's calls on a port of its own, and a test says what to answer."""

import queue
from concurrent.futures import ThreadPoolExecutor

import grpc

from mlagents_bridge.behaviors import Instruction
from mlagents_bridge.protocol import messages, trainer_side

_SECONDS = 60


class LoopbackTrainer:
    """Listens until it is closed; use it in a `with` statement.

    Args:
        most_bytes: Of a message; -1 for no limit.
    """

    def __init__(self, most_bytes=-1):
        self._heard, self._answers = queue.Queue(), queue.Queue()
        self._reader = trainer_side.Reader()
        self._server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", most_bytes)])
        _, service, method = messages.METHOD.split("/")
        handlers = {method: grpc.unary_unary_rpc_method_handler(self._exchange)}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._answers.put(trainer_side.stop())
        self._server.stop(None).wait()

    def hear(self):
        """The player's next message."""
        return self._heard.get(timeout=_SECONDS)

    def answer(self, content):
        """Answers it."""
        self._answers.put(content)

    def welcome(self, seed=0, n_areas=1):
        """Greets a player, up to where it waits for the first instruction; returns its greeting."""
        greeting = trainer_side.read_greeting(self.hear())
        self.answer(trainer_side.welcome(seed, n_areas))
        assert self.read(self.hear()).rows == {}
        return greeting

    def tell(self, **instruction):
        """Gives an instruction, and returns what the player says after it."""
        self.answer(self.instruction(**instruction))
        return self.read(self.hear())

    def read(self, content):
        """What a message says; None if the player ends."""
        return self._reader.read(content)

    def instruction(self, **content):
        """An instruction as the player gets it."""
        return self._reader.write(Instruction(**content))

    def _exchange(self, content, _):
        self._heard.put(content)
        return self._answers.get()
