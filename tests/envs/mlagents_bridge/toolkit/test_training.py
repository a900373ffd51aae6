"""Whole runs of the real ML-Agents on a small batch of Snowball Fight: to the end, interrupted, killed."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from mlagents_environment import free_port, mlagents_python, mlagents_variables, needs_mlagents, run_with_mlagents

pytestmark = [needs_mlagents, pytest.mark.slow]

BEHAVIOR = {
    "trainer_type": "ppo",
    "hyperparameters": {"batch_size": 32, "buffer_size": 128},
    "network_settings": {"hidden_units": 16, "num_layers": 1},
    "max_steps": 400,
    "time_horizon": 16,
    "summary_freq": 100,
    "self_play": {"save_steps": 100, "swap_steps": 50, "team_change": 200},
}
START_METHOD = "import multiprocessing, os\nmultiprocessing.set_start_method(os.environ['START_METHOD'])\n"
_SECONDS = 240


@pytest.fixture
def game(tmp_path):
    """A folder with a launcher and a short configuration."""
    made = run_with_mlagents(
        *("-m", "mlagents_bridge", "make-launcher", "Snow.x86_64", "--env=snowball_fight_1v1", "--arenas=2"),
        cwd=tmp_path,
    )
    assert made.returncode == 0, made.stderr
    configure(tmp_path)
    return tmp_path


def configure(folder, **changes):
    settings = {"behaviors": {"SnowballFight": {**BEHAVIOR, **changes}}}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))


def command(port, *others):
    options = ("config.yaml", "--env=./Snow", "--run-id=one", "--no-graphics", f"--base-port={port}")
    return ("-m", "mlagents_bridge", "learn", *options, *others)


@pytest.mark.parametrize(("method", "n_envs"), [("fork", 1), ("forkserver", 2), ("spawn", 1)])
def test_a_run_ends_with_a_model_however_workers_are_started(game, method, n_envs):
    (game / "sitecustomize.py").write_text(START_METHOD)
    path = os.pathsep.join([mlagents_variables()["PYTHONPATH"], str(game)])
    arguments = command(free_port(), f"--num-envs={n_envs}")
    done = run_with_mlagents(*arguments, cwd=game, PYTHONPATH=path, START_METHOD=method)
    assert done.returncode == 0, done.stderr
    run = game / "results" / "one"
    assert (run / "SnowballFight.onnx").stat().st_size > 0
    status = json.loads((run / "run_logs" / "training_status.json").read_text())
    assert status["SnowballFight"]["final_checkpoint"]["steps"] >= BEHAVIOR["max_steps"]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_saved_and_goes_on(game, end):
    configure(game, max_steps=1_000_000)
    port = free_port()
    learner = start(game, port)
    if end == signal.SIGINT:
        os.killpg(learner.pid, end)  # as a terminal does
    else:
        learner.send_signal(end)
    assert learner.wait(_SECONDS) == 0
    assert processes_with(port) == []
    reached = steps(game)
    assert reached > 0
    configure(game, max_steps=reached + 100)
    done = run_with_mlagents(*command(port, "--resume"), cwd=game)
    assert done.returncode == 0, done.stderr
    assert steps(game) >= reached + 100


def test_a_killed_learner_leaves_no_process_behind(game):
    configure(game, max_steps=1_000_000)
    port = free_port()
    learner = start(game, port, "--num-envs=2")
    assert processes_with(port)
    learner.kill()
    learner.wait()
    deadline = time.monotonic() + _SECONDS
    while processes_with(port) or processes_with(port + 1):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def start(folder, port, *others):
    """Starts a run in a process group of its own, and waits for its first report."""
    with (folder / "output").open("w") as output:
        learner = subprocess.Popen(
            [mlagents_python(), *command(port, *others)],
            cwd=folder,
            env=mlagents_variables(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + _SECONDS
    while "Step: 100." not in (folder / "output").read_text():
        assert learner.poll() is None, (folder / "output").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return learner


def steps(folder):
    """How far the saved run has come."""
    status = json.loads((folder / "results" / "one" / "run_logs" / "training_status.json").read_text())
    return status["SnowballFight"]["final_checkpoint"]["steps"]


def processes_with(port):
    """Processes that have a port of the trainer on their command line (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = entry.read_bytes().split(b"\0")
        except OSError:
            continue  # it has just ended
        if {b"--mlagents-port", str(port).encode()} <= set(arguments) or f"--base-port={port}".encode() in arguments:
            found.append(entry.parent.name)
    return found
