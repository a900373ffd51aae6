"""The seed workflow, command by command, as a student types it, on real Space Invaders."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import imageio_ffmpeg
import pytest

from local_hub import LocalHub, User
from rl_units.course import load_course

GAME = "SpaceInvadersNoFrameskip-v4"
RUN = ["--algo", "dqn", "--env", GAME]
SMALL = ["-params", "learning_starts:100", "buffer_size:600", "--eval-freq", "200", "--eval-episodes", "1"]
TOKEN = "hf_student"
# What `enjoy` says at its end; an agent that hardly trained may survive for longer than it is watched.
WATCHED = r"mean return|No game ended within 900 decisions"


def start(module, *arguments, folder, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"HF_HOME": str(folder / "hf"), "OMP_NUM_THREADS": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call(module, *arguments, folder, **environment):
    process = start(module, *arguments, folder=folder, **environment)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return output


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("student")


@pytest.fixture(scope="module")
def trained(folder):
    """A run of the Zoo itself, with the unit's hyperparameters."""
    configuration = load_course().hyperparameters_for("dqn", GAME)
    call("rl_zoo3.train", *RUN, "-f", "logs", "-c", configuration, "-n", 400, *SMALL, folder=folder)
    return folder


@pytest.fixture(scope="module")
def hub(trained):
    with LocalHub(trained / "hub", [User("ada", TOKEN)]) as running:
        environment = {"HF_ENDPOINT": running.endpoint, "HF_TOKEN": TOKEN}
        push = [*RUN, "-f", "logs", "--n-eval-episodes", 2, "-n", 60, "--repo-name", "invader"]
        running.output = call("rl_units", "push_to_hub", *push, folder=trained, **environment)
        load = [*RUN, "-orga", "ada", "-name", "invader", "-f", "loaded"]
        call("rl_units", "load_from_hub", *load, folder=trained, **environment)
        yield running


def test_the_zoos_run_is_watched_with_ours(trained):
    output = call("rl_units", "enjoy", *RUN, "-f", "logs", "-n", 900, "--no-render", folder=trained)

    assert re.search(WATCHED, output)


def test_a_push_holds_everything_that_its_readers_ask_for(hub):
    files = hub.files("ada/invader")

    assert {
        "README.md",
        "results.json",
        f"dqn-{GAME}.zip",
        "agent.json",
        "agent.safetensors",
        "config.yml",
        "args.yml",
        "env_kwargs.yml",
        "train_eval_metrics.zip",
        "replay.mp4",
    } <= set(files)
    assert "ada/invader" in hub.output


def test_the_pushed_replay_is_a_video(hub, tmp_path):
    path = tmp_path / "replay.mp4"
    path.write_bytes(hub.files("ada/invader")["replay.mp4"])

    assert imageio_ffmpeg.count_frames_and_secs(str(path))[0] >= 60


@pytest.mark.parametrize(
    ("module", "options", "line"),
    [
        (["rl_units", "enjoy"], [], WATCHED),
        # A game ends after 500 decisions, however long the agent survives.
        (["rl_zoo3.enjoy"], ["--env-kwargs", "max_num_frames_per_episode:2000"], "Atari Episode Score"),
    ],
)
@pytest.mark.usefixtures("hub")
def test_a_loaded_agent_is_watched_with_ours_and_with_the_zoos(trained, module, options, line):
    output = call(*module, *RUN, "-f", "loaded", "-n", 900, "--no-render", *options, folder=trained)

    assert re.search(line, output)


def test_a_run_killed_at_any_moment_goes_on_where_it_was(folder):
    train = [*RUN, "-f", "killed", "-n", 1200, "--checkpoint-freq", 100, "--no-progress"]
    process = start("rl_units", "train", *train, *SMALL, folder=folder)
    checkpoint = folder / "killed" / "dqn" / f"{GAME}_1" / "checkpoint" / "checkpoint.json"
    wait_for(lambda: steps(checkpoint) >= 300, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    reached = steps(checkpoint)

    output = call("rl_units", "train", "--resume", *RUN, "-f", "killed", "--no-progress", folder=folder)

    assert f"at step {reached:,} of 1,200" in output
    assert steps(checkpoint) == 1200
    assert json.loads(checkpoint.read_text())["counters"]["exploration_rate"] == pytest.approx(0.01)
    assert [path.name for path in (folder / "killed" / "dqn").iterdir()] == [f"{GAME}_1"]


def test_ctrl_c_keeps_the_run_and_says_how_to_go_on(folder):
    train = [*RUN, "-f", "stopped", "-n", 100_000, "--no-progress"]
    process = start("rl_units", "train", *train, *SMALL, folder=folder)
    run = folder / "stopped" / "dqn" / f"{GAME}_1"
    wait_for((run / "best_model.zip").exists, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)

    assert process.returncode == 2
    assert "--resume" in errors
    assert "Traceback" not in errors
    assert steps(run / "checkpoint" / "checkpoint.json") >= 200
    assert (run / f"{GAME}.zip").is_file()


def test_a_full_disk_ends_training_with_a_sentence(folder):
    # A limit on the size of a file is what a process meets when the disk is full; the model has 13 MB.
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6)); "
    code = limited + "from rl_units.cli import main; raise SystemExit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "train", *RUN, "-f", "full", "-n", "300", "--no-progress", *SMALL]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)

    assert finished.returncode == 2
    assert "disk is full" in finished.stderr
    assert "Traceback" not in finished.stderr


def steps(checkpoint: Path) -> int:
    return json.loads(checkpoint.read_text())["counters"]["num_timesteps"] if checkpoint.exists() else -1


def wait_for(condition, process):
    for _ in range(1200):
        if condition():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.kill()
    pytest.fail("training did not get there")
