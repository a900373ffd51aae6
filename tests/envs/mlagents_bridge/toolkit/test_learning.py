"""With the real ML-Agents: its imports, its processes, its command line."""

import os
import socket
import textwrap

import pytest

from mlagents_environment import free_port, mlagents_python, mlagents_variables, needs_mlagents, run_with_mlagents

pytestmark = needs_mlagents

CHILD = """
import multiprocessing, sys
{preparation}

def child(pipe):
    import mlagents_envs.environment
    from mlagents_bridge.toolkit.fixes.loading import applied
    pipe.send("generated_messages" in applied)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    ours, theirs = context.Pipe()
    process = context.Process(target=child, args=(theirs,))
    process.start()
    process.join()
    print(ours.poll() and ours.recv())
"""
LEARN = "import sys; from mlagents_bridge.toolkit.learning import learn; sys.exit(learn(sys.argv[1:]))"


def site_packages():
    return run_with_mlagents("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()


def test_every_module_that_training_imports_can_be_imported_and_none_asks_the_network():
    program = """
        import socket
        socket.socket.connect = lambda *_: (_ for _ in ()).throw(SystemExit("the network was asked"))
        import mlagents.trainers.learn, mlagents_envs.envs.unity_gym_env, mlagents_envs.envs.unity_parallel_env
        from google.protobuf.internal import api_implementation
        from mlagents_bridge.toolkit.fixes.loading import applied
        print(api_implementation.Type(), *sorted(applied))
    """
    done = run_with_mlagents("-c", textwrap.dedent(program))
    assert done.returncode == 0, done.stderr
    speed, *fixes = done.stdout.split()
    assert speed == "upb"
    assert {"generated_messages", "environment_registry", "loopback_server", "onnx_exporter"} <= set(fixes)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("where", ["the environment", "the program"])
def test_child_processes_have_the_fixes(tmp_path, method, where):
    script = tmp_path / "program.py"
    if where == "the environment":
        script.write_text(CHILD.format(preparation=""))
        done = run_with_mlagents(script, method)
    else:  # as in an environment whose start-up was left alone; -S reads no file of it
        hook = "from mlagents_bridge.toolkit.fixes import install_finder\ninstall_finder()"
        script.write_text(CHILD.format(preparation=hook))
        path = os.pathsep.join([mlagents_variables()["PYTHONPATH"], site_packages()])
        done = run_with_mlagents("-S", script, method, PYTHONPATH=path)
    assert done.stdout.strip() == "True", done.stderr


def test_the_original_command_has_the_fixes_and_learn_its_help():
    original = run_with_mlagents(mlagents_python().parent / "mlagents-learn", "--help")
    assert original.returncode == 0, original.stderr
    assert run_with_mlagents("-c", LEARN, "--help").stdout == original.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--no-such-argument"], 2, "unrecognized arguments: --no-such-argument"),
        (["missing.yaml"], 1, "Config file could not be found at"),
        (["config.yaml", "--env=./missing", "--run-id=a"], 1, "Couldn't launch the ./missing environment"),
        (["config.yaml", "--env=./unfit", "--run-id=b"], 1, "make sure permissions are set correctly"),
    ],
)
def test_a_mistake_is_a_sentence_and_the_exit_code_is_that_of_mlagents(tmp_path, arguments, code, sentence):
    (tmp_path / "config.yaml").write_text("behaviors:\n  Any:\n    trainer_type: ppo\n")
    (tmp_path / "unfit.x86_64").write_text("#!/bin/sh\n")
    done = run_with_mlagents("-c", LEARN, *arguments, f"--base-port={free_port()}", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("players", [1, 2])
def test_a_port_in_use_is_named(players, tmp_path):
    (tmp_path / "config.yaml").write_text("behaviors:\n  Any:\n    trainer_type: ppo\n")
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = occupant.getsockname()[1]
        options = ["config.yaml", "--env=./any", f"--base-port={port}", f"--num-envs={players}"]
        done = run_with_mlagents("-c", LEARN, *options, cwd=tmp_path)
    assert done.returncode == 1
    assert f"Port {port} of this machine is in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_trainer_listens_to_this_machine_only():
    program = f"""
        import socket
        from mlagents_envs.rpc_communicator import RpcCommunicator
        communicator = RpcCommunicator(base_port={free_port()})
        for address in ("127.0.0.1", "127.0.0.2"):
            try:
                socket.create_connection((address, communicator.port)).close()
                print(address)
            except ConnectionRefusedError:
                pass
        communicator.close()
    """
    done = run_with_mlagents("-c", textwrap.dedent(program))
    assert done.stdout.split() == ["127.0.0.1"], done.stderr
