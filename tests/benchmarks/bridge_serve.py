"""What our player costs: agent-steps a second through the stock `UnityEnvironment`, beside a peer that does no work.

The peer sends the same message every time, of the size of a real one. Both play to one process of ML-Agents' Python, in
turn, so that other load of the machine meets both.
"""

import json
import os
import shlex
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import grpc

from mlagents_bridge.behaviors import Exchange
from mlagents_bridge.protocol import environment_side, messages
from mlagents_bridge.serve.launcher import write_launcher
from mlagents_bridge.serve.offers import Offer, rehearse
from mlagents_environment import mlagents_python, mlagents_variables, run_with_mlagents

AGENTS = (2, 16, 64, 256, 1024)
ROUNDS = 21
SECONDS = 0.3
ENV = "snowball_fight_1v1"
BASE_PORT = 6400
_STOP_BYTES = 20

STOCK_SIDE = """
import contextlib, json, sys, time
import numpy as np
from mlagents_envs.base_env import ActionTuple
from mlagents_envs.environment import UnityEnvironment

rounds, seconds, base_port, *launchers = sys.argv[1:]
random = np.random.default_rng(0)


def step(env, drawn):
    n_agents = 0
    for name in env.behavior_specs:
        asked, _ = env.get_steps(name)
        env.set_actions(name, ActionTuple(discrete=drawn[: len(asked)]))
        n_agents += len(asked)
    env.step()
    return n_agents


with contextlib.ExitStack() as closing:
    envs = []
    for number, launcher in enumerate(launchers):
        env = UnityEnvironment(launcher, base_port=int(base_port), worker_id=number, no_graphics=True, timeout_wait=120)
        closing.callback(env.close)
        env.reset()
        envs.append(env)
    n_rows = max(len(env.get_steps(name)[0]) for name in env.behavior_specs)
    drawn = random.integers(0, [3, 3, 3, 2], (n_rows, 4)).astype(np.int32)
    rates = [[] for _ in envs]
    for turn in range(int(rounds) + 1):
        for env, kept in zip(envs, rates):
            n_steps, start = 0, time.perf_counter()
            while (elapsed := time.perf_counter() - start) < float(seconds):
                n_steps += step(env, drawn)
            if turn:  # the first is for warming up
                kept.append(n_steps / elapsed)
print(json.dumps(rates))
"""


def measure() -> Iterator[str]:
    """Medians for each number of agents."""
    if mlagents_python() is None:
        yield "ML-Agents is in no environment here; see tests/mlagents_environment.py."
        return
    rehearse(Offer(ENV))
    yield f"{'agents':>7} {'agent-steps/s':>14} {'idle peer':>12} {'share':>7}"
    for n_agents in AGENTS:
        rates = _rates(n_agents // 2)
        ours, idle = map(statistics.median, rates)
        # Pair by pair: what slows the machine down lasts for longer than a round.
        share = statistics.median(our / its for our, its in zip(*rates, strict=True))
        yield f"{n_agents:7,} {ours:14,.0f} {idle:12,.0f} {share:7.1%}"


def _rates(n_arenas: int) -> list[list[float]]:
    """Agent-steps a second of both, round by round."""
    with tempfile.TemporaryDirectory() as folder:
        ours, idle, stock_side = (Path(folder, name) for name in ("ours", "idle", "stock_side.py"))
        write_launcher(ours, [f"--env={ENV}", f"--arenas={n_arenas}"])
        idle.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, __file__, str(n_arenas)])} "$@"\n')
        idle.chmod(0o755)
        stock_side.write_text(STOCK_SIDE)
        # The idle peer is this module, which its launcher's Python has to find.
        paths = os.pathsep.join([mlagents_variables()["PYTHONPATH"], str(Path(__file__).parents[1])])
        done = run_with_mlagents(stock_side, str(ROUNDS), str(SECONDS), str(BASE_PORT), ours, idle, PYTHONPATH=paths)
        if done.returncode:
            raise RuntimeError(f"The stock side failed:\n{done.stderr}")
        # ML-Agents greets on the same stream.
        rates: list[list[float]] = json.loads(done.stdout.splitlines()[-1])
        return rates


def play_idly(n_arenas: int, port: int) -> None:
    """Answers whatever the trainer says with a message that was written beforehand."""
    world = Offer(ENV, n_arenas).make(0, 1)
    scribe = environment_side.Scribe(world.behaviors)
    first, every = scribe.write(Exchange(world.reset())), scribe.write(Exchange(world.step({})))
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(messages.METHOD)
        for message in (environment_side.greeting("idle"), environment_side.ready(), first):
            answer = call(message, wait_for_ready=True)
        try:
            while len(answer) > _STOP_BYTES:
                answer = call(every)
        except grpc.RpcError:
            return


if __name__ == "__main__":
    play_idly(int(sys.argv[1]), int(sys.argv[sys.argv.index("--mlagents-port") + 1]))
