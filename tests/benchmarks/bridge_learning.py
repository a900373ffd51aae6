"""Stock `mlagents-learn` in our arenas: where its time goes, and what the documented training comes to."""

import json
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from tests.benchmarks.snowball_learning import ENV_ID, shares_won

import mlagents_bridge
from mlagents_bridge.serve.launcher import write_launcher
from mlagents_environment import free_port, mlagents_python, run_with_mlagents
from rl_units.agents import load_agent
from rl_units.course import load_course
from rl_units.environments import register_environments
from rl_units.evaluation import evaluate
from snowball_fight.opponents import RATINGS

CONFIGURATION = Path(mlagents_bridge.__file__).parent / "configurations" / "ppo_1v1.yaml"
BEHAVIOR = "SnowballFight"
ARENAS = 32
SHORT_STEPS = 60_000
ROUNDS = 3
PLAYERS = (1, 2)  # --num-envs
SEEDS = (1, 2, 3)
_SECONDS = 2 * 3600
_ABSENT = "ML-Agents is in no environment here; see tests/mlagents_environment.py."


def measure_time() -> Iterator[str]:
    """Steps a second of self-play by PPO with ML-Agents' own network, and the share that the learner waits."""
    if mlagents_python() is None:
        yield _ABSENT
        return
    settings = yaml.safe_load(CONFIGURATION.read_text())
    behavior = settings["behaviors"][BEHAVIOR]
    behavior.pop("network_settings")
    behavior["max_steps"] = SHORT_STEPS
    yield f"{'players':>7} {'steps/s':>8} {'outside the learner':>20} {'environment and wire':>21}"
    rounds = [[_spent(settings, players) for players in PLAYERS] for _ in range(ROUNDS)]
    for players, row in zip(PLAYERS, zip(*rounds, strict=True), strict=True):
        whole, waited, exchanged = (statistics.median(values) for values in zip(*row, strict=True))
        yield f"{players:7} {SHORT_STEPS / whole:8,.0f} {waited / whole:20.1%} {exchanged / whole:21.1%}"


def _spent(settings: dict[str, Any], players: int) -> tuple[float, float, float]:
    """Seconds of a training, of its learner's waiting, and of the players' exchanges, which may be at the same time."""
    with tempfile.TemporaryDirectory() as folder:
        _learn(Path(folder), settings, f"--num-envs={players}", "--seed=1")
        spent = json.loads(Path(folder, "results", "run", "run_logs", "timers.json").read_text())
    # What `env_step` does itself is waiting for the environments' processes; its child draws the actions.
    (waiting,) = _named(spent, "env_step")
    return _total(spent, "TrainerController.advance"), waiting["self"], _total(spent, "communicator.exchange")


def measure_training() -> Iterator[str]:
    """The shipped configuration, whole: minutes, ML-Agents' rating, games won and the score under the protocol."""
    if mlagents_python() is None:
        yield _ABSENT
        return
    register_environments()
    protocol = load_course().assignment_for(ENV_ID).protocol
    settings = yaml.safe_load(CONFIGURATION.read_text())
    yield f"{'seed':>4} {'minutes':>8} {'rating':>12} " + " ".join(f"{name:>13}" for name in RATINGS) + f" {'score':>7}"
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            said = _learn(Path(folder), settings, f"--seed={seed}", "--num-envs=2")
            minutes = (time.perf_counter() - began) / 60
            ratings = [float(rating) for rating in re.findall(r"ELO: (\d+\.\d+)", said)]
            agent = load_agent(Path(folder, "results", "run", f"{BEHAVIOR}.onnx"), protocol)
        won = " ".join(f"{share:13.1%}" for share in shares_won(agent))
        rating = f"{ratings[0]:.0f} to {ratings[-1]:.0f}"
        yield f"{seed:4} {minutes:8.1f} {rating:>12} {won} {evaluate(agent, protocol).score:7.2f}"


def _learn(folder: Path, settings: dict[str, Any], *flags: str) -> str:
    """Trains with the stock command, which leaves `results/run`; what it said."""
    write_launcher(folder / "Snow.x86_64", ["--env=snowball_fight_1v1", f"--arenas={ARENAS}"])
    (folder / "learn.yaml").write_text(yaml.safe_dump(settings))
    options = ["learn.yaml", "--env=./Snow", "--run-id=run", "--no-graphics", "--torch-device=cpu", *flags]
    python = mlagents_python()
    assert python is not None
    command = [python.with_name("mlagents-learn"), *options, f"--base-port={free_port()}"]
    done = run_with_mlagents(*command, cwd=folder, seconds=_SECONDS)
    if done.returncode:
        raise RuntimeError(f"mlagents-learn failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _named(timers: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """All timers of a name, wherever in the tree."""
    for key, child in timers.get("children", {}).items():
        if key == name:
            yield child
        yield from _named(child, name)


def _total(timers: dict[str, Any], name: str) -> float:
    return sum(timer["total"] for timer in _named(timers, name))
