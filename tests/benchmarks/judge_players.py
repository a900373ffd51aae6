"""What separating the agent from the environments costs, and what a submission costs before its first action.

Both sides of the first are the same agent on the same batches of observations of Space Invaders, in this process and
in another; then the same evaluation, games and all. The processes have no sandbox around them, whose own cost is at
their start.
"""

import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import torch as th
from stable_baselines3 import DQN, PPO

from judge_players import Launched
from rl_leaderboard.judge.players import PlayerPool
from rl_units.agents import Agent, load_agent
from rl_units.course import Protocol, load_course
from rl_units.environments import make_environment
from rl_units.evaluation import evaluate

BATCH = 16
BATCHES = 100
FRAMES = 2000  # of each game
REPETITIONS = 7
EVALUATIONS = 3
SUBMISSIONS = 30
ENV_ID = "SpaceInvadersNoFrameskip-v4"
CARTPOLE = Protocol("cart-pole", 1, "CartPole-v1")


def measure() -> Iterator[str]:
    """Milliseconds a batch and seconds an evaluation on both sides, and seconds a CartPole submission."""
    th.set_num_threads(1)  # as in an evaluation, and in the sandbox
    protocol = load_course().assignment_for(ENV_ID).protocol
    launcher = Launched()
    try:
        yield from _measure(launcher, protocol)
    finally:
        launcher.remove()


def _measure(launcher: Launched, protocol: Protocol) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as temporary, PlayerPool(launcher) as pool:
        invaders, cartpole = Path(temporary, "invaders"), Path(temporary, "cartpole")
        invaders.mkdir()
        cartpole.mkdir()
        model = DQN("CnnPolicy", make_environment(protocol), buffer_size=1, seed=0, device="cpu")
        model.save(invaders / f"dqn-{ENV_ID}.zip")
        PPO("MlpPolicy", "CartPole-v1", seed=1, device="cpu").save(cartpole / "ppo-CartPole-v1.zip")
        yield from _separation(pool, launcher, invaders, protocol)
        yield from _submissions(pool, cartpole)


def _separation(pool: PlayerPool, launcher: Launched, folder: Path, protocol: Protocol) -> Iterator[str]:
    here = load_agent(folder, protocol)
    batches = _batches(protocol)
    short = dataclasses.replace(protocol, n_episodes=BATCH, max_episode_steps=FRAMES)
    yield f"{ENV_ID}, untrained NatureCNN, batches of {BATCH} ({batches[0].nbytes:,} bytes)"
    with pool.load(folder, protocol) as there:
        sides = (here, there)
        yield from _compare(f"{BATCHES} batches", REPETITIONS, sides, launcher, lambda agent: _act(agent, batches))
        games = f"{BATCH} games of {FRAMES} frames at most"
        yield from _compare(games, EVALUATIONS, sides, launcher, lambda agent: evaluate(agent, short))


def _compare(
    what: str, repetitions: int, sides: tuple[Agent, Agent], launcher: Launched, call: Callable[[Agent], object]
) -> Iterator[str]:
    """Both sides in turn, each in the order that the other had before; ratios of neighbours.

    On a busy machine only the processor time means something: it is that of both processes together.
    """
    found: dict[str, list[tuple[float, float]]] = {"s": [], "s of processors": []}
    for number in range(repetitions):
        times = {}
        for agent in sides if number % 2 == 0 else sides[::-1]:
            wall, processors = time.perf_counter(), _processor_seconds(launcher)
            call(agent)
            times[agent is sides[0]] = (time.perf_counter() - wall, _processor_seconds(launcher) - processors)
        for index, unit in enumerate(found):
            found[unit].append((times[True][index], times[False][index]))
    for unit, pairs in found.items():
        one, two = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratios = [100 * (second / first - 1) for first, second in pairs]
        spread = f"{min(ratios):+.1f} to {max(ratios):+.1f}"
        yield f"{what}: {one:6.2f} {unit}, in two processes {two:6.2f}: {statistics.median(ratios):+.1f} % ({spread})"


def _processor_seconds(launcher: Launched) -> float:
    """Of this process, and of the sandboxed ones."""
    total = time.process_time()
    for process in launcher.processes:
        if process.poll() is None:
            root = psutil.Process(process.pid)
            for one in [root, *root.children(recursive=True)]:
                times = one.cpu_times()
                total += times.user + times.system
    return total


def _act(agent: Agent, batches: list[np.ndarray]) -> None:
    for batch in batches:
        agent.act(batch)


def _batches(protocol: Protocol) -> list[np.ndarray]:
    """Observations of a game, as an evaluation batches them."""
    env = make_environment(protocol)
    env.reset(seed=0)
    env.action_space.seed(0)
    seen = []
    while len(seen) < BATCHES * BATCH:
        observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
        seen.append(observation)
        if terminated or truncated:
            env.reset()
    env.close()
    return [np.stack(seen[start : start + BATCH]) for start in range(0, len(seen), BATCH)]


def _submissions(pool: PlayerPool, folder: Path) -> Iterator[str]:
    loading, all_of_it = [], []
    for _ in range(SUBMISSIONS):
        began = time.perf_counter()
        with pool.load(folder, CARTPOLE) as agent:
            loading.append(time.perf_counter() - began)
            evaluate(agent, CARTPOLE)
        all_of_it.append(time.perf_counter() - began)
    began = time.perf_counter()
    evaluate(load_agent(folder, CARTPOLE), CARTPOLE)
    alone = time.perf_counter() - began
    yield f"CartPole, untrained, {CARTPOLE.n_episodes} games, {SUBMISSIONS} submissions one after another"
    yield f"converted and loaded {1000 * statistics.median(loading):.0f} ms, played {1000 * alone:.0f} ms"
    yield f"{60 / statistics.median(all_of_it):.0f} submissions a minute with one process"
