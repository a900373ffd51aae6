"""DQN on Space Invaders with the unit's hyperparameters: our command beside the Zoo's, and beside the updates alone.

Each is trained by a process of its own, in turn, as a student would start it; only learning begins earlier.
"""

import contextlib
import json
import multiprocessing
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import psutil
import rl_zoo3.train
import torch as th
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_atari_env
from stable_baselines3.common.vec_env import VecFrameStack

from rl_units.cli import main
from rl_units.course import load_course
from rl_units.dqn.algorithm import FastDQN
from rl_units.dqn.settings import N_ENVS
from rl_units.environments import register_environments
from rl_units.training.checkpointing import Checkpointing
from rl_units.yaml_files import read_yaml

GAME = "SpaceInvadersNoFrameskip-v4"
ROUNDS = 5
STEPS = 2400  # of which half are for warming up
UPDATES = 60
THREADS = 2
BUFFER = 100_000
_OF_THE_ZOO = ("n_timesteps", "env_wrapper", "frame_stack")
_KINDS = ("zoo", "ours", "updates")


def measure() -> Iterator[str]:
    """Steps a second on idle cores and beside another busy process, then memory and a checkpoint's cost."""
    yield f"{'':>24} {'rl_zoo3.train':>14} {'ours':>7} {'':>6} {'updates alone':>14} {'':>6}   (steps/s)"
    for name, is_beside_another in (("idle cores", False), ("one core busy", True)):
        with _busy_core() if is_beside_another else contextlib.nullcontext():
            rounds = [[_run(kind)["rate"] for kind in _KINDS] for _ in range(ROUNDS)]
        theirs, ours, limit = (statistics.median(rates) for rates in zip(*rounds, strict=True))
        faster = statistics.median(row[1] / row[0] for row in rounds)
        share = statistics.median(row[1] / row[2] for row in rounds)
        yield f"{name:>24} {theirs:14.0f} {ours:7.0f} {faster:5.2f}x {limit:14.0f} {share:6.0%}"
    for kind in ("zoo", "ours"):
        yield f"{kind:>24} resident memory at the most, {BUFFER:,} transitions: {_run(kind, full=True)['peak']:,.0f} MB"
    saved = _run("saving", full=True)
    yield f"{'checkpoint, all new':>24} {saved['seconds']:.2f} s, memory {saved['growth']:+,.0f} MB"
    yield f"{'GPU':>24} " + ("both trained on it" if th.cuda.is_available() else "not measured: there is none")


def _run(kind: str, *, full: bool = False) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.dqn_training", kind, str(int(full))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextlib.contextmanager
def _busy_core() -> Iterator[None]:
    process = multiprocessing.get_context("spawn").Process(target=_spin, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _spin() -> None:
    while True:
        pass


class Clock(BaseCallback):
    """Steps a second from half of the training on; the Zoo makes it by its name."""

    last: "Clock"

    def __init__(self) -> None:
        super().__init__()
        Clock.last = self
        self.began = self.ended = 0.0
        self.first = 0

    def _on_step(self) -> bool:
        if self.first == 0 and self.num_timesteps >= STEPS // 2:
            self.first, self.began = self.num_timesteps, time.perf_counter()
        self.ended = time.perf_counter()
        return True

    @property
    def rate(self) -> float:
        return (self.num_timesteps - self.first) / (self.ended - self.began)


def _train(kind: str, folder: str, *, full: bool) -> None:
    starts, steps = (BUFFER, int(1.02 * BUFFER)) if full else (STEPS // 4, STEPS)
    arguments = ["--algo", "dqn", "--env", GAME, "-f", folder, "-n", str(steps), "--eval-freq", "-1"]
    arguments += ["--conf-file", str(load_course().hyperparameters_for("dqn", GAME))]
    arguments += ["-params", f"learning_starts:{starts}", "callback:'tests.benchmarks.dqn_training.Clock'"]
    if kind == "zoo":
        sys.argv = ["rl_zoo3.train", *arguments]
        rl_zoo3.train.train()
    else:
        main(["train", *arguments, "--no-progress", "--checkpoint-freq", str(10**9)])


def _update() -> float:
    """Environment steps a second if nothing but the updates had to be done, one for every four steps."""
    file = load_course().hyperparameters_for("dqn", GAME)
    assert file is not None
    settings = {name: value for name, value in read_yaml(file)["atari"].items() if name not in _OF_THE_ZOO}
    th.set_num_threads(THREADS)
    env = VecFrameStack(make_atari_env(GAME, n_envs=N_ENVS, seed=1), 4)
    model = FastDQN(env=env, seed=1, **{**settings, "buffer_size": 2000, "learning_starts": STEPS // 4})
    model.learn(STEPS // 2)
    batch = model.replay_buffer.sample(model.batch_size)
    model.replay_buffer.sample = lambda *_, **__: batch
    began = time.perf_counter()
    model.train(UPDATES, model.batch_size)
    return 4 * UPDATES / (time.perf_counter() - began)


def _saving(folder: str) -> dict[str, float]:
    """What the dearest checkpoint of a run costs: its last one, whose buffer is full and all new."""
    save, found = Checkpointing.save, {"seconds": 0.0}

    def measured(self: Checkpointing) -> None:
        process, began = psutil.Process(), time.perf_counter()
        before = process.memory_info().rss
        save(self)
        seconds = time.perf_counter() - began
        if seconds > found["seconds"]:
            found.update(seconds=seconds, growth=(process.memory_info().rss - before) / 1e6)

    Checkpointing.save = measured  # type: ignore[method-assign] # measured from outside
    _train("ours", folder, full=True)
    return found


def _measured(kind: str, *, full: bool) -> dict[str, float]:
    if kind == "updates":
        return {"rate": _update()}
    with tempfile.TemporaryDirectory() as folder:
        if kind == "saving":
            return _saving(folder)
        _train(kind, folder, full=full)
    return {"rate": Clock.last.rate, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}


if __name__ == "__main__":
    register_environments()
    sys.modules.setdefault("tests.benchmarks.dqn_training", sys.modules["__main__"])
    print(json.dumps(_measured(sys.argv[1], full=sys.argv[2] == "1")))
