"""The fixes one by one, without ML-Agents: on small packages that have its names and what is wrong with it."""

import json
import subprocess
import sys
import textwrap

import pytest
from google.protobuf import descriptor_pb2

from mlagents_bridge.errors import BridgeError
from mlagents_bridge.toolkit.fixes import distutils_versions, generated_messages

EXCEPTIONS = """
class UnityEnvironmentException(Exception):
    pass

class UnityWorkerInUseException(Exception):
    def __init__(self, worker_id):
        super().__init__(f"worker {worker_id}")
"""
COMMUNICATOR = """
import socket
from mlagents_envs.exception import UnityWorkerInUseException

class UnityToExternalServicerImplementation:
    pass

def add_UnityToExternalProtoServicer_to_server(servicer, server):
    pass

class RpcCommunicator:
    def __init__(self, port):
        self.port = port

    def check_port(self, port):
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                server.bind(("localhost", port))
            except OSError:
                raise UnityWorkerInUseException(0)
"""


@pytest.fixture
def packages(tmp_path):
    """A folder with empty packages of ML-Agents' names and release."""
    for name in ("mlagents", "mlagents_envs"):
        info = tmp_path / f"{name}-1.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.1.0\n")
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    return tmp_path


def add(packages, name, source):
    """Writes a module, and the packages that it is in."""
    path = packages.joinpath(*name.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    for parent in path.relative_to(packages).parents[:-1]:
        (packages / parent / "__init__.py").touch()
    path.write_text(textwrap.dedent(source))


def run(packages, program):
    """Runs a program in a new process that has the import hook; returns what it prints and what it complains of."""
    program = f"""
import sys
sys.path.insert(0, {str(packages)!r})
from mlagents_bridge.toolkit.fixes import install_finder
install_finder()
{textwrap.dedent(program)}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr.strip()


def test_the_hook_acts_on_mlagents_only_and_once(packages):
    printed, complaints = run(
        packages,
        """
        install_finder()
        hook = [finder for finder in sys.meta_path if type(finder).__name__ == "FixFinder"]
        print(len(hook), [hook[0].find_spec(name) for name in ("json", "mlagents", "mlagents_envs", "mlagents_bridge")])
        print("mlagents_bridge.toolkit.fixes.loading" in sys.modules)
        """,
    )
    assert (printed, complaints) == ("1 [None, None, None, None]\nFalse", "")


def test_an_unknown_release_is_named_once_and_left_alone(packages):
    (packages / "mlagents-1.1.0.dist-info").rename(packages / "mlagents-1.2.0.dist-info")
    (packages / "mlagents-1.2.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: mlagents\nVersion: 1.2.0\n"
    )
    add(packages, "mlagents.trainers.training_status", "import json")
    add(packages, "mlagents.trainers.poca.trainer", "lambda_return = None")
    printed, complaints = run(
        packages,
        """
        import mlagents.trainers.training_status, mlagents.trainers.poca.trainer, json
        print(mlagents.trainers.training_status.json is json, mlagents.trainers.poca.trainer.lambda_return)
        """,
    )
    assert printed == "True None"
    assert complaints.count("\n") == 0
    assert "mlagents 1.2.0 is installed here" in complaints


@pytest.mark.skipif(sys.version_info < (3, 12), reason="this Python has distutils")
def test_missing_distutils_is_there_for_mlagents_and_for_nobody_else(packages):
    add(packages, "mlagents_envs.environment", "from distutils.version import StrictVersion")
    printed, _ = run(
        packages,
        """
        import importlib.util
        sys.modules.pop("setuptools", None)
        sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "DistutilsMetaFinder"]
        from mlagents_envs.environment import StrictVersion
        print(StrictVersion("1.10.0") > StrictVersion("1.9"), importlib.util.find_spec("distutils"))
        """,
    )
    assert printed == "True None"


def test_versions_compare_as_numbers():
    version = distutils_versions.Version
    assert version("2.13.0+cpu") >= version("1.6.0")
    assert version("1.5.0").version[0] == 1
    assert version("1.10") > version("1.9.9")


@pytest.mark.parametrize("text", ["", "x", "-1", "v1.5"])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ValueError, match="invalid version number"):
        distutils_versions.Version(text)


def test_missing_pkg_resources_is_there_for_mlagents_and_for_nobody_else(packages):
    add(packages, "mlagents.torch_utils.torch", "import pkg_resources")
    printed, _ = run(
        packages,
        """
        import importlib.util
        from mlagents.torch_utils import torch
        print(torch.pkg_resources.get_distribution("protobuf").version.split(".")[0].isdigit())
        try:
            torch.pkg_resources.get_distribution("no-such-package")
        except torch.pkg_resources.DistributionNotFound:
            print(importlib.util.find_spec("pkg_resources") is None)
        """,
    )
    assert printed == "True\nTrue"


def test_numpy_float_is_there_for_mlagents_and_for_nobody_else(packages):
    add(packages, "mlagents.trainers.buffer", "import numpy as np\ndef pad(value: np.float = 0): pass")
    printed, _ = run(
        packages,
        """
        import numpy, mlagents.trainers.buffer
        print(mlagents.trainers.buffer.pad.__annotations__["value"].__name__, hasattr(numpy, "float"))
        """,
    )
    assert printed == "float False"


def test_a_status_with_numbers_of_numpy_is_saved(packages):
    source = """
        import json

        def save(status, file):
            json.dump(status, file, indent=4)
    """
    add(packages, "mlagents.trainers.training_status", source)
    printed, _ = run(
        packages,
        """
        import json, numpy
        from mlagents.trainers.training_status import save
        save({"reward": numpy.float32(0.5)}, sys.stdout)
        assert json.dump.__module__ == "json"
        """,
    )
    assert json.loads(printed) == {"reward": 0.5}


def test_plugins_are_found_by_group(packages):
    entry_points = packages / "mlagents-1.1.0.dist-info" / "entry_points.txt"
    entry_points.write_text("[mlagents.trainer_type]\ndefault = os:sep\n")
    source = """
        import importlib.metadata as importlib_metadata

        def plugins(group):
            found = importlib_metadata.entry_points()
            return group in found and [entry_point.name for entry_point in found[group]]
    """
    add(packages, "mlagents.plugins.trainer_type", source)
    printed, _ = run(
        packages,
        """
        from mlagents.plugins.trainer_type import plugins
        print(plugins("mlagents.trainer_type"), plugins("mlagents.nothing"))
        """,
    )
    assert printed == "['default'] False"


def test_the_value_of_the_last_step_may_be_an_array_of_one(packages):
    source = """
        import numpy as np

        def lambda_return(r, value_next=0.0):
            returns = np.zeros_like(r)
            returns[-1] = r[-1] + value_next
            return returns
    """
    add(packages, "mlagents.trainers.poca.trainer", source)
    printed, _ = run(
        packages,
        """
        import numpy as np
        from mlagents.trainers.poca.trainer import lambda_return
        print(lambda_return(r=np.ones(2), value_next=np.array([0.5])), lambda_return(np.ones(2)))
        """,
    )
    assert printed == "[0.  1.5] [0. 1.]"


def test_importing_the_environments_downloads_nothing_until_one_is_asked_for(packages):
    add(packages, "mlagents_envs.envs.__init__", "raise SystemExit('the list of environments is downloaded')")
    add(packages, "mlagents_envs.envs.unity_gym_env", "")
    add(packages, "mlagents_envs.envs.pettingzoo_env_factory", "class PettingZooEnvFactory(str): pass\nlogger = None")
    add(packages, "mlagents_envs.registry.__init__", "default_registry = {'3DBall': 1, 'Basic': 2}")
    (packages / "mlagents_envs" / "envs" / "__init__.py").write_text("raise SystemExit('downloaded')")
    (packages / "mlagents_envs" / "registry" / "__init__.py").write_text("default_registry = {'3DBall': 1, 'Basic': 2}")
    printed, _ = run(
        packages,
        """
        from mlagents_envs.envs import unity_gym_env
        print("mlagents_envs.registry" in sys.modules)
        from mlagents_envs.envs import Basic, ThreeDBall, default_registry
        print(Basic, ThreeDBall, len(default_registry))
        try:
            from mlagents_envs.envs import Nothing
        except ImportError:
            print("no such environment")
        """,
    )
    assert printed == "False\nBasic 3DBall 2\nno such environment"


def test_the_older_onnx_exporter_is_taken_by_mlagents_and_by_nobody_else(packages):
    add(packages, "mlagents.trainers.torch_entities.model_serialization", "import torch")
    printed, _ = run(
        packages,
        """
        import torch
        original = torch.onnx.export
        from mlagents.trainers.torch_entities import model_serialization
        export = model_serialization.torch.onnx.export
        print(export.keywords, torch.onnx.export is original, model_serialization.torch.zeros is torch.zeros)
        """,
    )
    assert printed == "{'dynamo': False} True True"


def test_the_server_is_bound_to_this_machine_and_a_port_in_use_is_named(packages):
    add(packages, "mlagents_envs.exception", EXCEPTIONS)
    add(packages, "mlagents_envs.rpc_communicator", COMMUNICATOR)
    printed, _ = run(
        packages,
        """
        import pickle, socket
        from mlagents_envs import exception, rpc_communicator
        with socket.create_server(("127.0.0.1", 0)) as occupant:
            port = occupant.getsockname()[1]
            try:
                rpc_communicator.RpcCommunicator(port).create_server()
            except exception.UnityWorkerInUseException as error:
                print(str(pickle.loads(pickle.dumps(error))).startswith(f"Port {port} of this machine is in use"))
        communicator = rpc_communicator.RpcCommunicator(port)
        communicator.create_server()
        for address in ("127.0.0.1", "127.0.0.2"):
            with socket.socket() as client:
                print(client.connect_ex((address, port)) == 0)
        communicator.server.stop(0)
        """,
    )
    assert printed.split() == ["True", "True", "False"]


WORKERS = """
import os, signal, time

class UnityCommunicationException(Exception):
    pass

class UnityEnvWorker:
    def __init__(self, conn):
        self.conn = conn

    def send(self, request):
        raise UnityCommunicationException("send failed")

    def recv(self):
        raise self.conn.recv()

def worker(pipe):
    pipe.send((os.getpid(), signal.getsignal(signal.SIGINT) == signal.SIG_IGN))
    time.sleep(600)
"""


def test_of_a_worker_that_has_failed_the_reason_is_told(packages):
    add(packages, "mlagents.trainers.subprocess_env_manager", WORKERS)
    printed, _ = run(
        packages,
        """
        import multiprocessing
        from mlagents.trainers.subprocess_env_manager import UnityEnvWorker
        for reasons in ([OSError("a port in use")], []):
            ours, theirs = multiprocessing.Pipe()
            for reason in reasons:
                theirs.send(reason)
            try:
                UnityEnvWorker(ours).send("a step")
            except Exception as error:
                print(error, end=", ")
        """,
    )
    assert printed == "a port in use, send failed,"


def test_workers_leave_an_interrupt_to_the_learner_and_end_with_it(packages):
    add(packages, "mlagents.trainers.subprocess_env_manager", WORKERS)
    printed, _ = run(
        packages,
        """
        import multiprocessing, os
        from mlagents.trainers import subprocess_env_manager
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        context.Process(target=subprocess_env_manager.worker, args=(theirs,)).start()
        print(*ours.recv(), flush=True)
        os._exit(0)
        """,
    )
    # The program's output ends when the worker, which has it open too, has ended.
    assert printed.endswith(" True")


def serialized(name, dependency=None):
    """A serialized description of one message with one field; of the dependency's message if there is one."""
    file = descriptor_pb2.FileDescriptorProto(name=f"mlagents_envs/communicator_objects/{name}.proto", syntax="proto3")
    file.package = "test_objects"
    message = file.message_type.add(name=name.title())
    field = message.field.add(name="value", number=1, label=1, type=5)
    if dependency:
        file.dependency.append(f"mlagents_envs/communicator_objects/{dependency}.proto")
        field.type, field.type_name = 11, f".test_objects.{dependency.title()}"
    return file.SerializeToString()


def test_message_classes_are_built_without_running_generated_code(packages):
    def old(data):
        return f"DESCRIPTOR = descriptor(serialized_pb=_b({data.decode('latin1')!r}))\nraise SystemExit('executed')"

    add(packages, "mlagents_envs.communicator_objects.inner_pb2", old(serialized("inner")))
    newer = f"DESCRIPTOR = pool().AddSerializedFile({serialized('outer', 'inner')!r})\nraise SystemExit('executed')"
    add(packages, "mlagents_envs.communicator_objects.outer_pb2", newer)
    printed, _ = run(
        packages,
        """
        import pickle
        from mlagents_envs.communicator_objects.outer_pb2 import Outer
        from google.protobuf.internal import api_implementation
        message = Outer()
        message.value.value = 7
        print(pickle.loads(pickle.dumps(message)).value.value, Outer.__module__, api_implementation.Type())
        """,
    )
    assert printed == "7 mlagents_envs.communicator_objects.outer_pb2 upb"


@pytest.mark.parametrize(
    "source", ["", "x = 1", "f(serialized_pb=y)", "pool.AddSerializedFile()", "f(serialized_pb=g(1))"]
)
def test_a_message_module_without_a_description_is_called_damaged(source):
    with pytest.raises(BridgeError, match="damaged"):
        generated_messages.serialized_file(source)
