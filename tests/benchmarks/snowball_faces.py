"""Snowball Fight through each of its faces, beside other multi-agent tasks and a vectorised CartPole.

Every line is agent-steps a second with random actions that are drawn beforehand, resets included, in one process.
"""

import os
import statistics
from collections.abc import Callable, Iterator

import gymnasium as gym
import numpy as np
from mpe2 import simple_tag_v3
from pettingzoo.butterfly.cooperative_pong import cooperative_pong
from tests.benchmarks.rates import rates_in_turns

import snowball_fight
from rl_units.self_play.arenas_vec_env import ArenasVecEnv
from snowball_fight.parallel import fight_1vs1

gym.register_envs(snowball_fight)
SECONDS = 1.0
PRELUDE = 200


def measure() -> Iterator[str]:
    """Median and range over rounds, for each face and each peer."""
    # Butterfly's games open a window where nobody tells pygame that there is no screen.
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    faces = {name: make() for name, make in FACES.items()}
    steps = {name: step for name, (step, _) in faces.items()}
    for name, rates in rates_in_turns(steps, seconds=SECONDS, prelude=PRELUDE).items():
        scaled = [rate * faces[name][1] for rate in rates]
        yield f"{name:52} {statistics.median(scaled):12,.0f} ({min(scaled):,.0f} to {max(scaled):,.0f})"


def _random_actions(*shape: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers([3, 3, 3, 2], size=(*shape, 4)) for _ in range(8)]


def _one_arena() -> tuple[Callable[[int], object], int]:
    env = gym.make("SnowballFight-v0", opponent="aim_and_shoot")
    actions = _random_actions()
    env.reset(seed=0)

    def step(number: int) -> None:
        _, _, terminated, truncated, _ = env.step(actions[number % 8])
        if terminated or truncated:
            env.reset()

    return step, 1


def _sb3() -> tuple[Callable[[int], object], int]:
    env = ArenasVecEnv(16, seed=0)
    actions = _random_actions(env.num_envs)
    env.reset()
    return lambda number: env.step(actions[number % 8]), env.num_envs


def _vector() -> tuple[Callable[[int], object], int]:
    env = gym.make_vec("SnowballFight-v0", num_envs=1024, opponent="aim_and_shoot")
    actions = _random_actions(1024)
    env.reset(seed=0)
    return lambda number: env.step(actions[number % 8]), env.num_envs


def _parallel(make: Callable[[], object]) -> tuple[Callable[[int], object], int]:
    env = make()
    env.reset(seed=0)
    agents = tuple(env.possible_agents)
    for seed, agent in enumerate(agents):
        env.action_space(agent).seed(seed)
    actions = [{agent: env.action_space(agent).sample() for agent in agents} for _ in range(8)]

    def step(number: int) -> None:
        if not env.agents:
            env.reset()
        chosen = actions[number % 8]
        env.step({agent: chosen[agent] for agent in env.agents})

    return step, len(agents)


def _duel() -> tuple[Callable[[int], object], int]:
    return _parallel(fight_1vs1.parallel_env)


def _mpe() -> tuple[Callable[[int], object], int]:
    return _parallel(simple_tag_v3.parallel_env)


def _butterfly() -> tuple[Callable[[int], object], int]:
    return _parallel(cooperative_pong.parallel_env)


def _cartpole() -> tuple[Callable[[int], object], int]:
    env = gym.make_vec("CartPole-v1", num_envs=1024, vectorization_mode="vector_entry_point")
    rng = np.random.default_rng(0)
    actions = [rng.integers(2, size=1024) for _ in range(8)]
    env.reset(seed=0)
    return lambda number: env.step(actions[number % 8]), env.num_envs


FACES: dict[str, Callable[[], tuple[Callable[[int], object], int]]] = {
    "gym.make, one arena, against aim_and_shoot": _one_arena,
    "SB3 VecEnv, 16 arenas, both seats": _sb3,
    "gym.make_vec, 1,024 arenas, against aim_and_shoot": _vector,
    "PettingZoo, one arena, 1 vs 1": _duel,
    "peer: MPE simple_tag (mpe2), 4 agents": _mpe,
    "peer: Butterfly cooperative_pong, 2 agents": _butterfly,
    "peer: CartPole, Gymnasium's own vector of 1,024": _cartpole,
}
