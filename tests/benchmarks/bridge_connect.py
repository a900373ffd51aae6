"""The connect side of the ML-Agents bridge beside stock `UnityEnvironment`, both with the same environment.

That environment does no work: it answers every action with the same step of Snowball Fight. A line is agent-steps a
second with random actions that are drawn beforehand; the two sides take turns, each time with a player of their own.
"""

import json
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mlagents_bridge.behaviors import Actions
from mlagents_bridge.connect.settings import Settings
from mlagents_bridge.connect.unity import UnitySession
from mlagents_environment import mlagents_python, run_with_mlagents
from mlagents_scripted_player import write_scripted_player

AGENTS = (16, 64, 256)
ROUNDS = 5
SECONDS = 1.0
PRELUDE = 100  # steps before anything is timed
BRANCHES = [3, 3, 3, 2]
BEHAVIOR = "SnowballFight?team=0"


def measure() -> Iterator[str]:
    """The median of several rounds for each number of agents, and how many times the stock side's that is."""
    if mlagents_python() is None:
        yield "ML-Agents is in no environment here, see tests/mlagents_environment.py: nothing to compare with"
        return
    yield f"{'agents':>6} {'stock':>9} {'session':>9} {'':>6} {'vector env':>10} {'':>6}"
    with tempfile.TemporaryDirectory() as folder:
        for n_agents in AGENTS:
            player = write_scripted_player(Path(folder, "Echo.x86_64"), "echo", n_agents)
            rounds = [(_stock(player, n_agents), _session(player), _vector_env(player)) for _ in range(ROUNDS)]
            stock, session, vector_env = (n_agents * statistics.median(rates) for rates in zip(*rounds, strict=True))
            yield (
                f"{n_agents:6} {stock:9,.0f} {session:9,.0f} {session / stock:5.1f}x {vector_env:10,.0f} "
                f"{vector_env / stock:5.1f}x"
            )


def _rate(step: Any) -> float:
    for number in range(PRELUDE):
        step(number)
    number, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < SECONDS:
        step(number)
        number += 1
    return number / elapsed


def _choices(n_agents: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(BRANCHES, size=(n_agents, len(BRANCHES))).astype(np.int32) for _ in range(8)]


def _session(player: Path) -> float:
    """Steps a second of the session, which gives arrays of all rows as `UnityEnvironment` does."""
    with UnitySession(player, Settings()) as session:
        n_agents = len(session.reset().rows[BEHAVIOR])
        actions = [Actions(np.zeros((n_agents, 0), np.float32), chosen) for chosen in _choices(n_agents)]
        return _rate(lambda number: session.step({BEHAVIOR: actions[number % 8]}))


def _vector_env(player: Path) -> float:
    """Steps a second through Gymnasium's vector environment."""
    from mlagents_bridge.connect import UnityVectorEnv  # ML-Agents' environment may be without Gymnasium

    env = UnityVectorEnv(player)
    env.reset()
    actions = _choices(env.num_envs)
    try:
        return _rate(lambda number: env.step(actions[number % 8]))
    finally:
        env.close()


def _stock(player: Path, n_agents: int) -> float:
    """Steps a second of `UnityEnvironment`, in ML-Agents' own environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = os.pathsep.join(str(folder) for folder in (Path(__file__).parents[2] / "envs", Path(__file__).parents[1]))
    done = run_with_mlagents(__file__, player, str(n_agents), str(port), PYTHONPATH=folders)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _measure_stock(player: str, n_agents: int, port: int) -> None:
    from mlagents_envs.base_env import ActionTuple
    from mlagents_envs.environment import UnityEnvironment

    env = UnityEnvironment(player, base_port=port, no_graphics=True, log_folder=tempfile.gettempdir())
    env.reset()
    actions = [ActionTuple(discrete=chosen) for chosen in _choices(n_agents)]

    def step(number: int) -> None:
        env.set_actions(BEHAVIOR, actions[number % 8])
        env.step()
        env.get_steps(BEHAVIOR)

    print(json.dumps(_rate(step)))
    env.close()


if __name__ == "__main__":
    _measure_stock(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
