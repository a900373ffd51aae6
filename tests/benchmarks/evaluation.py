"""Agent steps a second: ours under the unit's protocol against SB3's `evaluate_policy`, the same agent and games."""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
from stable_baselines3 import DQN
from stable_baselines3.common.atari_wrappers import AtariWrapper
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecFrameStack

from rl_units.agents import load_agent
from rl_units.course import load_course
from rl_units.environments import register_environments
from rl_units.evaluation import evaluate

REPETITIONS = 3
FRAMES_PER_STEP = 4
ENV_ID = "SpaceInvadersNoFrameskip-v4"


def measure() -> Iterator[str]:
    """Both sides in turn, the whole call each time, the start of our processes included."""
    register_environments()
    protocol = load_course().assignment_for(ENV_ID).protocol
    env = VecFrameStack(make_vec_env(lambda **kwargs: gym.make(ENV_ID, **kwargs), 1, wrapper_class=AtariWrapper), 4)
    model = DQN("CnnPolicy", env, buffer_size=1, seed=0, device="cpu")
    model.exploration_rate = protocol.epsilon
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"dqn-{ENV_ID}.zip"
        model.save(path)
        agent = load_agent(path, protocol)
    n_workers = os.cpu_count() or 1
    sides: dict[str, list[float]] = {
        "SB3 evaluate_policy": [],
        "ours, 1 process": [],
        f"ours, {n_workers} processes": [],
    }

    def theirs() -> int:
        lengths = evaluate_policy(model, env, protocol.n_episodes, deterministic=False, return_episode_rewards=True)[1]
        return sum(lengths) // FRAMES_PER_STEP

    def ours(workers: int) -> int:
        return sum(evaluate(agent, replace(protocol), n_workers=workers).lengths) // FRAMES_PER_STEP

    calls = dict(zip(sides, (theirs, lambda: ours(1), lambda: ours(n_workers)), strict=True))
    yield f"{ENV_ID}, untrained NatureCNN, {protocol.n_episodes} full games, {REPETITIONS} runs each"
    for _ in range(REPETITIONS):
        for side, call in calls.items():
            start = time.perf_counter()
            steps = call()
            sides[side].append(steps / (time.perf_counter() - start))
    reference = statistics.median(sides["SB3 evaluate_policy"])
    for side, rates in sides.items():
        median = statistics.median(rates)
        spread = f"{min(rates):.0f} to {max(rates):.0f}"
        yield f"{side:22} {median:7.0f} agent steps/s ({spread})   {median / reference:.2f}x"
