"""DQN on Space Invaders with the unit's hyperparameters: ours beside SB3's own, and beside the updates alone.

Each is trained by a process of its own, in turn.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import torch as th
from rl_zoo3.utils import ALGOS
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_atari_env
from stable_baselines3.common.vec_env import VecFrameStack

from rl_units.course import load_course
from rl_units.dqn.algorithm import FastDQN
from rl_units.environments import register_environments
from rl_units.yaml_files import read_yaml

GAME = "SpaceInvadersNoFrameskip-v4"
ROUNDS = 5
STEPS = 1600  # of which half are for warming up
UPDATES = 60
THREADS = (1, 2)
_OF_THE_ZOO = ("n_timesteps", "env_wrapper", "frame_stack")


def measure() -> Iterator[str]:
    """Steps a second with one thread and with two, and the resident memory with a full buffer."""
    yield f"{'threads':>7} {'SB3 steps/s':>12} {'ours':>7} {'':>6} {'updates alone':>14} {'':>6}"
    for threads in THREADS:
        rounds = [[_run(kind, threads)["rate"] for kind in ("sb3", "ours", "updates")] for _ in range(ROUNDS)]
        theirs, ours, limit = (statistics.median(rates) for rates in zip(*rounds, strict=True))
        faster = statistics.median(row[1] / row[0] for row in rounds)
        share = statistics.median(row[1] / row[2] for row in rounds)
        yield f"{threads:7} {theirs:12.0f} {ours:7.0f} {faster:5.2f}x {limit:14.0f} {share:6.0%}"
    for kind in ("sb3", "ours"):
        yield f"{kind:>7} resident memory at the most, buffer full: {_run(kind, 1, full=True)['megabytes']:,.0f} MB"


def _run(kind: str, threads: int, *, full: bool = False) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.dqn_training", kind, str(threads), str(int(full))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


class _Clock(BaseCallback):
    """Steps a second from half of the training on."""

    began = 0.0

    def _on_step(self) -> bool:
        if self.num_timesteps == STEPS // 2:
            self.began = time.perf_counter()
        return True

    @property
    def rate(self) -> float:
        return (STEPS - STEPS // 2) / (time.perf_counter() - self.began)


def _model(kind: str, *, full: bool) -> BaseAlgorithm:
    file = load_course().hyperparameters_for("dqn", GAME)
    assert file is not None
    settings = {name: value for name, value in read_yaml(file)["atari"].items() if name not in _OF_THE_ZOO}
    settings["learning_starts"] = settings["buffer_size"] if full else STEPS // 4
    env = VecFrameStack(make_atari_env(GAME, n_envs=1, seed=1), 4)
    return (ALGOS["dqn"] if kind == "sb3" else FastDQN)(env=env, seed=1, **settings)


def _train(kind: str, *, full: bool) -> float:
    model, clock = _model(kind, full=full), _Clock()
    model.learn(int(1.01 * model.buffer_size) if full else STEPS, callback=clock)
    return clock.rate


def _update() -> float:
    """Environment steps a second if nothing but the updates had to be done, one for every four steps."""
    model = _model("ours", full=False)
    model.learn(STEPS // 2)
    began = time.perf_counter()
    model.train(UPDATES, model.batch_size)
    return 4 * UPDATES / (time.perf_counter() - began)


if __name__ == "__main__":
    register_environments()
    _kind, _threads, _full = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1"
    th.set_num_threads(_threads)
    _rate = _update() if _kind == "updates" else _train(_kind, full=_full)
    _megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps({"rate": _rate, "megabytes": _megabytes}))
