"""protobuf 4 and later refuse message classes that old compilers generated, as those of ML-Agents are.

A generated module holds the description of its messages twice: serialized, and as Python code. The serialized one is
read out of the source, which is not executed, and the message classes are built from it as current compilers do it. So
they have the speed of protobuf's C library.
"""

import ast
import importlib
import inspect
from collections.abc import Callable
from importlib import metadata
from types import ModuleType

from mlagents_bridge.errors import BridgeError
from mlagents_bridge.toolkit.versions import is_at_least


def concerns(name: str) -> bool:
    """Whether the fix is for the module of this name."""
    return name.startswith("mlagents_envs.communicator_objects.") and name.endswith("_pb2")


def is_needed() -> bool:
    """Whether protobuf refuses them."""
    return is_at_least(metadata.version("protobuf"), 4)


def execute(module: ModuleType, run: Callable[[], None]) -> None:  # noqa: ARG001 - the signature of a fix
    """Fills a generated module with message classes, without its own code."""
    from google.protobuf import descriptor_pb2, descriptor_pool
    from google.protobuf.internal import builder

    serialized = serialized_file(inspect.getsource(module))
    for dependency in descriptor_pb2.FileDescriptorProto.FromString(serialized).dependency:
        importlib.import_module(dependency.removesuffix(".proto").replace("/", ".") + "_pb2")
    # The default pool, as in other generated modules: messages are pickled by the name of their class.
    descriptor = descriptor_pool.Default().AddSerializedFile(serialized)
    contents = vars(module)
    contents["DESCRIPTOR"] = descriptor
    builder.BuildMessageAndEnumDescriptors(descriptor, contents)
    builder.BuildTopDescriptorsAndMessages(descriptor, module.__name__, contents)


def serialized_file(source: str) -> bytes:
    """The serialized description in the source of a generated module.

    Args:
        source: Python code; it is parsed only.

    Raises:
        BridgeError: If there is none.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "serialized_pb":
            value = node.value.args[0] if isinstance(node.value, ast.Call) and node.value.args else node.value
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile" and node.args:
            value = node.args[0]
        else:
            continue
        if isinstance(value, ast.Constant) and isinstance(value.value, bytes):
            return value.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value.encode("latin1")  # written for Python 2 and 3
    raise BridgeError(
        "The installed mlagents-envs has a message module without a description of its messages, so it is damaged. "
        "Run: python -m mlagents_bridge install --remove, then: python -m mlagents_bridge install"
    )
