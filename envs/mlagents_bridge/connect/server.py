"""The gRPC server that an environment calls: one method, whose messages go to the caller's own thread as bytes."""

import queue
import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any, Final

import grpc

from mlagents_bridge.errors import BridgeError
from mlagents_bridge.protocol.messages import METHOD

LARGEST_MESSAGE: Final = 2**30
"""In bytes. Nothing that fits is refused, while gRPC's own limit of 4 MiB ends at a dozen large pictures as numbers."""

_ADDRESS: Final = "127.0.0.1"
_THREADS: Final = 2  # one that waits with the environment, one that refuses everybody else
_GRACE_SECONDS: Final = 0.5


class Server:
    """Waits for one environment, of this machine.

    Args:
        port: Where it listens; 0 for a port that is free.

    Attributes:
        port: The same, or the one that was free.

    Raises:
        BridgeError: If the port is in use.
    """

    def __init__(self, port: int = 0) -> None:
        self._requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._caller: str | None = None
        self._is_owed = False
        self._workers = _DaemonThreads(_THREADS)
        options = (
            ("grpc.so_reuseport", 0),  # or two trainers could share a port without noticing
            ("grpc.max_receive_message_length", LARGEST_MESSAGE),
            ("grpc.max_send_message_length", LARGEST_MESSAGE),
        )
        self._server = grpc.server(self._workers, options=options)
        service, method = METHOD.strip("/").split("/")
        # Without serializers, so bytes come and go as they are.
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self._exchange)
        self._server.add_registered_method_handlers(service, {method: handler})
        try:
            self.port: int = self._server.add_insecure_port(f"{_ADDRESS}:{port}")
        except RuntimeError:
            self._workers.shutdown()
            raise BridgeError(
                f"Port {port} of this machine is in use, perhaps by another trainer. End that one, or choose another "
                "port."
            ) from None
        self._server.start()

    def receive(self, seconds: float) -> bytes | None:
        """The environment's next message, or None if there is none within that time."""
        try:
            request = self._requests.get(timeout=max(seconds, 0))
        except queue.Empty:
            return None
        self._is_owed = True
        return request

    def answer(self, message: bytes) -> None:
        """Answers the message that was received last."""
        self._is_owed = False
        self._answers.put(message)

    def close(self, message: bytes) -> bool:
        """Ends the server.

        Args:
            message: The answer for an environment that still waits for one.

        Returns:
            Whether there was one.
        """
        is_owed = self._is_owed or not self._requests.empty()
        for _ in range(_THREADS):
            self._answers.put(message)
        self._server.stop(_GRACE_SECONDS).wait()
        self._workers.shutdown()
        return is_owed

    def _exchange(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        """Hands a message over and waits for the answer, in a thread of its own."""
        caller = context.peer()
        with self._lock:
            if self._caller is None:
                self._caller = caller
        if caller != self._caller:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "This trainer has its environment already.")
        self._requests.put(request)
        return self._answers.get()


class _DaemonThreads(futures.ThreadPoolExecutor):
    """Threads that do not keep the program from ending while they wait for an answer, as those of the base class do."""

    def __init__(self, n_threads: int) -> None:
        super().__init__(n_threads)
        self._n_threads = n_threads
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        for _ in range(n_threads):
            threading.Thread(target=self._run, name="mlagents-bridge", daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        """Has a thread do the work."""
        future: futures.Future[Any] = futures.Future()

        def work() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # it belongs to whoever asks the future
                future.set_exception(error)

        self._work.put(work)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the threads when they are done."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        for _ in range(self._n_threads):
            self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()
