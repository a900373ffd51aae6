"""`mlagents-learn` in our arenas: tiny runs that end with a model."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

import mlagents_bridge
from mlagents_bridge.serve.launcher import write_launcher
from mlagents_environment import mlagents_python, mlagents_variables, needs_mlagents

pytestmark = [needs_mlagents, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no launcher")]

CONFIGURATIONS = Path(mlagents_bridge.__file__).parent / "configurations"
SECONDS = 280


def free_ports():
    """The first of some ports that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return min(probe.getsockname()[1], 60_000)


class Classroom:
    """A folder with a launcher, where trainings run."""

    def __init__(self, folder):
        self.folder = folder

    def offer(self, env, arenas):
        write_launcher(self.folder / "Snow.x86_64", [f"--env={env}", f"--arenas={arenas}"])

    def configure(self, configuration, steps, **changes):
        """One of our configurations, made tiny."""
        settings = yaml.safe_load((CONFIGURATIONS / configuration).read_text())
        for behavior in settings["behaviors"].values():
            behavior |= {"max_steps": steps, "summary_freq": min(steps // 4, 500), "checkpoint_interval": steps}
            behavior["network_settings"] |= {"hidden_units": 32, "num_layers": 1}
            behavior["hyperparameters"] |= {"batch_size": 64, "buffer_size": 512}
            if "self_play" in behavior:
                behavior["self_play"] |= {"save_steps": 300, "team_change": 600, "swap_steps": 100}
            for name in ("hyperparameters", "self_play"):
                behavior.get(name, {}).update(changes.get(name, {}))
        settings.update({name: value for name, value in changes.items() if name == "environment_parameters"})
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(settings))

    def start(self, *options):
        command = [mlagents_python(), "-m", "mlagents_bridge", "learn", "tiny.yaml", "--env=./Snow", "--run-id=run"]
        command += ["--no-graphics", f"--base-port={free_ports()}", "--torch-device=cpu", *options]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=mlagents_variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def learn(self, *options):
        """Trains to the end; what was said."""
        process = self.start(*options)
        try:
            said, _ = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        assert process.returncode == 0, said
        return said

    def log(self, player=0):
        return (self.folder / "results" / "run" / "run_logs" / f"Player-{player}.log").read_text()

    def has_model(self, behavior):
        return (self.folder / "results" / "run" / f"{behavior}.onnx").stat().st_size > 0


@pytest.fixture
def classroom(tmp_path):
    return Classroom(tmp_path)


def test_self_play_by_ppo_ends_with_a_model(classroom):
    classroom.offer("snowball_fight_1v1", 4)
    classroom.configure("ppo_1v1.yaml", 1000)
    said = classroom.learn()
    assert classroom.has_model("SnowballFight")
    assert "Exported" in said
    assert "The trainer said stop" in classroom.log()


@pytest.mark.slow
def test_teams_by_poca_end_with_a_model(classroom):
    classroom.offer("snowball_fight_2v2", 4)
    classroom.configure("poca_2v2.yaml", 4000)
    classroom.learn()
    assert classroom.has_model("SnowballFight2vs2")


@pytest.mark.slow
def test_self_play_by_sac_ends_with_a_model(classroom):
    classroom.offer("snowball_fight_1v1", 4)
    classroom.configure("sac_1v1.yaml", 1000, hyperparameters={"buffer_init_steps": 200})
    classroom.learn()
    assert classroom.has_model("SnowballFight")


@pytest.mark.slow
def test_two_players_and_a_resumed_run(classroom):
    classroom.offer("snowball_fight_1v1", 4)
    classroom.configure("ppo_1v1.yaml", 1000)
    classroom.learn("--num-envs=2", "--seed=3")
    assert "seed 3" in classroom.log(0)
    assert "seed 4" in classroom.log(1)
    classroom.configure("ppo_1v1.yaml", 2000)
    said = classroom.learn("--resume")
    assert "Resuming from" in said
    assert classroom.has_model("SnowballFight")


@pytest.mark.slow
def test_a_curriculum_and_a_sampler_change_the_arenas(classroom):
    classroom.offer("snowball_target", 4)
    lessons = [
        {
            "name": "short",
            "completion_criteria": {
                "measure": "progress",
                "behavior": "SnowballTarget",
                "threshold": 0.3,
                "signal_smoothing": False,
                "min_lesson_length": 1,
            },
            "value": 50.0,
        },
        {"name": "long", "value": 100.0},
    ]
    uniform = {"sampler_type": "uniform", "sampler_parameters": {"min_value": 0.5, "max_value": 2.5}}
    parameters = {"max_ticks": {"curriculum": lessons}, "target_speed": uniform, "snow_depth": 1.0}
    classroom.configure("ppo_target.yaml", 2000, environment_parameters=parameters)
    said = classroom.learn()
    assert "Parameter 'max_ticks' is in lesson 'long'" in said
    log = classroom.log()
    assert log.count("'snow_depth' is left out") == 1
    assert "target_speed" not in log.replace("n_gliding_targets", "").split("'snow_depth'")[0]


def players_of(folder):
    """Numbers of the processes that play from this folder."""
    found = []
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line, place = status.read_bytes(), (status.parent / "cwd").readlink()
        except OSError:
            continue
        if b"mlagents_bridge\0play" in line and place == folder:
            found.append(int(status.parent.name))
    return found


def wait_until(is_so):
    deadline = time.monotonic() + 120
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert is_so()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_learner_that_is_killed_leaves_no_player_behind(classroom):
    classroom.offer("snowball_fight_1v1", 4)
    classroom.configure("ppo_1v1.yaml", 1_000_000)
    process = classroom.start()
    try:
        wait_until(lambda: len(players_of(classroom.folder)) == 1 and process.poll() is None)
        for line in process.stdout:
            if "Step: " in line:
                break
        process.kill()
        wait_until(lambda: not players_of(classroom.folder))
    finally:
        # Its worker outlives it, and keeps the process group.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
