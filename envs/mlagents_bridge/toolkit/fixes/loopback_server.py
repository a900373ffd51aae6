"""ML-Agents listens to the whole network, without a password, for the environment on this machine.

Here it listens on this machine's own address, 127.0.0.1, and says which port is in use if one is.
"""

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

_ADDRESS = "127.0.0.1"
_THREADS = 10  # as ML-Agents has them


def concerns(name: str) -> bool:
    """Whether the fix is for the module of this name."""
    return name == "mlagents_envs.rpc_communicator"


def is_needed() -> bool:
    """It is what this release does everywhere."""
    return True


def execute(module: ModuleType, run: Callable[[], None]) -> None:
    """Gives the module's communicator a server that is bound to this machine."""
    run()
    contents = vars(module)
    contents["PortInUseException"] = _exception_of(module)
    contents["RpcCommunicator"].create_server = _create_server


def _exception_of(module: ModuleType) -> type[Exception]:
    """The class of the refusal; a worker process sends it to the learner, so it is found by name and keeps its text."""
    exception = importlib.import_module("mlagents_envs.exception")

    # Of the first kind for whoever tries the next port, of the second for workers, which report those without fuss.
    bases = (exception.UnityWorkerInUseException, exception.UnityEnvironmentException)
    contents = {"__module__": module.__name__, "__init__": Exception.__init__}
    return type("PortInUseException", bases, contents)


def _create_server(self: Any) -> None:
    """Opens the port of a communicator; a method of it."""
    import grpc

    rpc_communicator = importlib.import_module("mlagents_envs.rpc_communicator")
    try:
        self.check_port(self.port)
        # Not shared: two learners that start at the same moment would take each other's environments.
        server = grpc.server(ThreadPoolExecutor(_THREADS), options=(("grpc.so_reuseport", 0),))
        self.unity_to_external = rpc_communicator.UnityToExternalServicerImplementation()
        rpc_communicator.add_UnityToExternalProtoServicer_to_server(self.unity_to_external, server)
        server.add_insecure_port(f"{_ADDRESS}:{self.port}")
        server.start()
    except (rpc_communicator.UnityWorkerInUseException, OSError, RuntimeError):
        raise rpc_communicator.PortInUseException(
            f"Port {self.port} of this machine is in use, so the environment could not connect. End the other run, or "
            "take another port: --base-port of mlagents-learn, base_port= of UnityEnvironment."
        ) from None
    self.server = server
    self.is_open = True
