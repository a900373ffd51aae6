"""Running an environment: how it is found, told, and ended, and how each thing that goes wrong is said."""

import socket
import subprocess
import sys
import threading
from dataclasses import replace

import grpc
import numpy as np
import psutil
import pytest

from mlagents_bridge.behaviors import Actions
from mlagents_bridge.connect.executable import find_executable
from mlagents_bridge.connect.settings import Settings
from mlagents_bridge.connect.unity import UnitySession
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.protocol.messages import METHOD
from mlagents_bridge.side_channels import Sampler
from mlagents_scripted_player import MIRROR, write_scripted_player

ACTION = {MIRROR.name: Actions(np.zeros((1, 1), np.float32), np.zeros((1, 2), np.int32))}
SETTINGS = Settings(timeout=30)


@pytest.fixture
def player(tmp_path, monkeypatch):
    """Writes a scene's executable, and checks at the end that neither a process nor a thread of it is left."""

    def write(*scene):
        monkeypatch.setenv("PLAYER_OF", str(tmp_path))
        return write_scripted_player(tmp_path / "Game.x86_64", *scene).with_suffix("")

    yield write
    # Other tests' servers are children of this process, too.
    left = [process for process in psutil.Process().children(recursive=True) if str(tmp_path) in _description(process)]
    assert not left
    for thread in threading.enumerate():
        if thread.name == "mlagents-bridge":
            thread.join(10)
            assert not thread.is_alive()


def _description(process):
    """Command line and environment of a process; nothing of one that has ended."""
    try:
        return f"{process.cmdline()} {process.environ()}"
    except psutil.Error:
        return ""


def executable(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o755)
    return path


@pytest.mark.parametrize(
    ("there", "asked", "platform"),
    [
        ("Game.x86_64", "Game", "linux"),
        ("Game.x86", "Game", "linux"),
        ("Game", "Game", "linux"),
        ("Game.x86_64", "Game.exe", "linux"),
        ("Game.x86_64", "Game.x86_64", "linux"),
        ("My.Game.x86_64", "My.Game", "linux"),
        ("Game.app/Contents/MacOS/Game", "Game", "darwin"),
        ("Game.app/Contents/MacOS/Other", "Game.app", "darwin"),
        ("Game.exe", "Game", "win32"),
        ("Game/UnityEnvironment.exe", "Game", "win32"),
    ],
)
def test_an_executable_is_found_as_mlagents_finds_it(tmp_path, there, asked, platform):
    program = executable(tmp_path / there)
    executable(tmp_path / "Game" / "UnityCrashHandler64.exe") if platform == "win32" else None
    assert find_executable(tmp_path / asked, platform) == program


def test_the_file_that_was_named_goes_before_others(tmp_path):
    executable(tmp_path / "Game.x86_64")
    assert find_executable(tmp_path / "Game", "linux").name == "Game.x86_64"
    named = executable(tmp_path / "Game.x86")
    assert find_executable(named, "linux") == named


@pytest.mark.parametrize("folder", [".", "/"])
def test_a_folder_is_no_executable(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BridgeError, match=r"no environment '\.'|'/' is no name of an environment"):
        find_executable(folder, "linux")


def test_a_missing_executable_is_told(tmp_path):
    with pytest.raises(BridgeError, match=r"There is no environment .*looked for Game.x86_64, Game.x86, Game in"):
        find_executable(tmp_path / "Game", "linux")


def test_a_file_that_may_not_be_executed_is_told(player):
    path = player("mirror").with_suffix(".x86_64")
    path.chmod(0o644)
    with pytest.raises(BridgeError, match=r"is not executable. Run: chmod \+x"):
        UnitySession(path, SETTINGS)


def test_a_file_that_is_no_program_is_told(tmp_path):
    path = executable(tmp_path / "Game.x86_64")
    path.write_bytes(b"\x7fELF, but not really")
    with pytest.raises(BridgeError, match="could not be started"):
        UnitySession(path, SETTINGS)


def test_an_environment_is_told_its_settings_parameters_and_seed(player):
    settings = Settings(
        seed=5,
        areas=2,
        time_scale=1.5,
        timeout=30,
        parameters={"gravity": 9, "size": (Sampler.UNIFORM, (0.5, 2))},
    )
    with UnitySession(player("told"), settings) as session:
        assert session.name == "Told"
        session.reset()
        told = session.statistics.take()
        assert told.items() >= {"Seed": 5, "Areas": 2, "TIME_SCALE": 1.5, "SCREEN_RESOLUTION": 84, "Steps": 1}.items()
        assert told.items() >= {"gravity/0": 9, "size/0": 0.5, "size/1": 2}.items()
        session.set_parameter("gravity", 3)
        session.step(ACTION)
        session.step(ACTION)
        assert session.statistics.take() == {"Seed": 5, "Areas": 2, "Steps": 2, "gravity/0": 3}


@pytest.mark.parametrize(
    "settings",
    [
        {"seed": -1},
        {"seed": 2**31},
        {"timeout": 0},
        {"time_scale": float("nan")},
        {"port": 70_000},
        {"parameters": {"gravity": float("inf")}},
        {"parameters": {"gravity": (Sampler.GAUSSIAN, (1,))}},
        {"parameters": {"gravity": (Sampler.MULTIRANGE_UNIFORM, (1, 2, 3))}},
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_told(settings):
    with pytest.raises(ValueError, match=r"\."):
        Settings(**settings)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("other_program", "no greeting: another program uses this port"),
        ("other_version", r"speaks version 0\.15\.0 .* begins with 1"),
        ("bytes", "is no Envelope of the ML-Agents protocol"),
        ("list", "is no AgentInfoList of the ML-Agents protocol"),
        ("shape", r"has not the shape \[4\] of the first one"),
        ("nan", "not finite"),
        ("reward", "not finite"),
        ("mask", "is 1 choices long, not 7"),
        ("behavior", "'Stranger' without ever having described them"),
        ("side_channel", "A message of a side channel is cut off"),
        ("quits", "has ended by itself"),
        ("dies", r"(?s)has ended with exit code 3.*its log:\n  Playing faulty\n.*printed:\n  the scene is missing"),
        ("is_killed", "was ended by SIGKILL"),
    ],
)
def test_each_fault_is_a_sentence_and_ends_the_process(player, fault, told):
    file = player("faulty", fault)
    with pytest.raises(BridgeError, match=told):
        steps(UnitySession(file, SETTINGS))


def steps(session):
    """Plays until something happens."""
    try:
        session.reset()
        for _ in range(10):
            session.step(ACTION)
    finally:
        assert not session.is_open


def test_after_an_error_the_environment_stays_ended(player):
    session = UnitySession(player("faulty", "bytes"), SETTINGS)
    with pytest.raises(BridgeError):
        steps(session)
    with pytest.raises(BridgeError, match="has ended: make it again"):
        session.reset()


def test_an_environment_that_hangs_is_ended_in_time(player):
    session = UnitySession(player("faulty", "hangs"), SETTINGS)
    session.settings = replace(SETTINGS, timeout=1)
    with pytest.raises(BridgeError, match=r"(?s)has not answered for 1 seconds.*The end of its log:\n  Playing faulty"):
        steps(session)


def test_one_that_never_connects_is_ended_with_its_children(player, tmp_path):
    pid_file = tmp_path / "pid"
    with pytest.raises(BridgeError, match="has not answered for 2 seconds"):
        UnitySession(player("never_connects", pid_file), Settings(timeout=2))
    child = int(pid_file.read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_an_interrupt_ends_the_environment(player):
    code = (
        "import os, signal, sys, threading\n"
        "from mlagents_bridge.connect.unity import UnitySession\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored\n"
        "session = UnitySession(sys.argv[1])\n"
        "session.reset()\n"
        "print(session._player.pid, flush=True)\n"
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "while True:\n"
        "    session.step({})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, player("faulty", "hangs")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "KeyboardInterrupt" in done.stderr
    assert not psutil.pid_exists(int(done.stdout))


def test_a_forgotten_environment_is_ended(player):
    session = UnitySession(player("mirror"), SETTINGS)
    process = psutil.Process(session._player.pid)
    del session
    assert not process.is_running()


def test_a_program_that_ends_without_closing_leaves_nothing(player):
    code = (
        "import sys; from mlagents_bridge.connect.unity import UnitySession\n"
        "session = UnitySession(sys.argv[1]); session.reset(); print(session._player.pid, flush=True); sys.exit(7)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, player("mirror")], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (7, "")
    assert not psutil.pid_exists(int(done.stdout))


def test_an_environment_ends_when_its_trainer_is_killed(player):
    code = (
        "import sys, time; from mlagents_bridge.connect.unity import UnitySession\n"
        "session = UnitySession(sys.argv[1]); session.reset(); print(session._player.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, player("mirror")], stdout=subprocess.PIPE) as trainer:
        process = psutil.Process(int(trainer.stdout.readline()))
        trainer.kill()
    process.wait(20)


def test_a_port_in_use_is_told():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BridgeError, match=f"Port {port} of this machine is in use"):
            UnitySession(None, Settings(port=port))


def test_an_editor_that_nobody_starts_is_told():
    with pytest.raises(BridgeError, match=r"No editor has answered on port \d+ for 0.5 seconds. Press Play"):
        UnitySession(None, Settings(timeout=0.5, port=free_port()))


def test_an_editor_is_waited_for(tmp_path):
    port = free_port()
    script = write_scripted_player(tmp_path / "Editor", "mirror")
    with subprocess.Popen([script, "--mlagents-port", str(port), "-logFile", tmp_path / "log"]) as editor:
        with UnitySession(None, Settings(port=port, timeout=30)) as session:
            assert list(session.reset().rows) == [MIRROR.name]
        assert editor.wait(20) == 0


def test_the_log_is_written_where_it_was_asked_for(player, tmp_path):
    with UnitySession(player("mirror"), Settings(log_file=tmp_path / "Mine.log", timeout=30)):
        pass
    assert (tmp_path / "Mine.log").read_text().startswith("Playing mirror")


def test_only_this_machine_can_connect_and_only_one_environment(player):
    with UnitySession(player("mirror"), SETTINGS) as session:
        port = session._server.port
        listening = [
            connection
            for connection in psutil.Process().net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        ]
        assert [connection.laddr.ip.removeprefix("::ffff:") for connection in listening] == ["127.0.0.1"]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            with pytest.raises(grpc.RpcError) as refused:
                channel.unary_unary(METHOD)(b"hello", timeout=10)
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        session.reset()  # which goes on undisturbed


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
