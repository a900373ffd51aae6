"""Trainings with evaluations in between, each kept in a file, so that a series goes on where it was interrupted."""

import ast
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch as th
from stable_baselines3 import DQN
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecTransposeImage

from learning_curves.games import Game
from rl_units.dqn.algorithm import FastDQN
from rl_units.dqn.settings import N_ENVS
from rl_units.files import write_text

POINTS = 10
"""Evaluations after the one at the start."""
_EVALUATION = 10_000  # added to a run's seed: its evaluations begin otherwise than its training


def fingerprint(files: Iterable[Path]) -> str:
    """Tells code from any other; comments and layout do not count."""
    trees = [ast.dump(ast.parse(path.read_text("utf-8"))) for path in files]
    return hashlib.sha256("\n".join(trees).encode()).hexdigest()


def _imported_files(package: str) -> list[Path]:
    return [Path(sys.modules[name].__file__) for name in sorted(sys.modules) if name.startswith(f"{package}.")]


_VERSIONS = {name: metadata.version(name) for name in ("stable-baselines3", "torch")}
# Read once, with the code that is imported: files may be edited while a series runs.
_OUR_CODE = {"rl_units.dqn": fingerprint(_imported_files("rl_units.dqn"))}


@dataclass(frozen=True)
class Side:
    """One of the two that are compared.

    Attributes:
        name: For file names.
        title: For people.
        algorithm: The DQN.
        n_envs: Environments that it trains on.
        versions: The code that it runs; results of other code are not taken for its own.
    """

    name: str
    title: str
    algorithm: type[DQN]
    n_envs: int
    versions: dict[str, str]


SB3 = Side("sb3", "SB3", DQN, 1, _VERSIONS)
OURS = Side("ours", "ours", FastDQN, N_ENVS, _VERSIONS | _OUR_CODE)
SIDES = (SB3, OURS)


@dataclass(frozen=True)
class Plan:
    """A training.

    Attributes:
        game: What is learned.
        side: Who learns.
        seed: Of networks, games and coins.
        steps: The budget, in transitions of all environments together.
        threads: Of torch.
    """

    game: Game
    side: Side
    seed: int
    steps: int
    threads: int

    @property
    def points(self) -> list[int]:
        """The steps after which the agent is evaluated."""
        return [self.steps * number // POINTS for number in range(POINTS + 1)]

    @property
    def file_name(self) -> str:
        """Where the result is kept."""
        budget = f"{self.steps}-steps-{self.threads}-threads"
        return f"{self.game.name}-{budget}-{self.side.name}-{self.seed}.json"

    def conditions(self) -> dict[str, Any]:
        """What the result depends on beside the name of its file."""
        game = self.game
        evaluation = {"points": self.points, "n_games": game.n_games, "n_slots": game.n_slots, "epsilon": game.epsilon}
        return {
            "settings": game.settings(self.steps),
            "n_envs": self.side.n_envs,
            "evaluation": evaluation,
            "versions": self.side.versions,
        }


@dataclass(frozen=True)
class Result:
    """How a training went.

    Attributes:
        returns: Those of the games at each of the plan's points.
        seconds: What the training took, without the evaluations.
    """

    returns: list[list[float]]
    seconds: float

    def curve(self) -> list[float]:
        """The mean return at each of the plan's points."""
        return [float(np.mean(returns)) for returns in self.returns]


def kept_result(plan: Plan, folder: Path) -> Result | None:
    """The result of an earlier training under the same conditions, if there was one."""
    path = folder / plan.file_name
    kept = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return Result(**kept["result"]) if kept.get("conditions") == plan.conditions() else None


def run(plan: Plan, folder: Path, say: Callable[[str], object] = print) -> Result:
    """The result of a training, which is done if there is none in the folder.

    Args:
        plan: The training.
        folder: Where results are kept.
        say: Is given a line about every evaluation.
    """
    result = kept_result(plan, folder)
    if result is None:
        result = _train(plan, say)
        write_text(folder / plan.file_name, json.dumps({"conditions": plan.conditions(), "result": asdict(result)}))
    return result


def _train(plan: Plan, say: Callable[[str], object]) -> Result:
    th.set_num_threads(plan.threads)
    evaluations = _Evaluations(plan, say)
    with closing(plan.game.make(plan.side.n_envs, plan.seed, True)) as env:
        model = plan.side.algorithm(env=env, seed=plan.seed, **plan.game.settings(plan.steps))
        model.learn(plan.steps, callback=evaluations)
        return Result(evaluations.returns, evaluations.seconds())


class _Evaluations(BaseCallback):
    """Plays games at the plan's points, while the training's clock stands still."""

    def __init__(self, plan: Plan, say: Callable[[str], object]) -> None:
        super().__init__()
        self.returns: list[list[float]] = []
        self._plan, self._say = plan, say
        self._began = self._paused = 0.0

    def seconds(self) -> float:
        """What the training has taken until now."""
        return time.perf_counter() - self._began - self._paused

    def _on_training_start(self) -> None:
        self._began = time.perf_counter()
        self._evaluate_if_due()

    def _on_step(self) -> bool:
        self._evaluate_if_due()
        return True

    def _evaluate_if_due(self) -> None:
        due = [point for point in self._plan.points if point <= self.num_timesteps]
        while len(self.returns) < len(due):
            before = self.seconds()
            self.returns.append(play(self.model, self._plan.game, _EVALUATION + self._plan.seed))
            self._paused += self.seconds() - before
            self._say(self._line(due[len(self.returns) - 1]))

    def _line(self, point: int) -> str:
        plan, mean = self._plan, np.mean(self.returns[-1])
        who = f"{plan.game.title}, {plan.side.title}, seed {plan.seed}"
        return f"{who}: {point:,} of {plan.steps:,} steps, mean return {mean:.1f}, trained for {self.seconds():,.0f} s"


def play(model: BaseAlgorithm, game: Game, seed: int) -> list[float]:
    """The unclipped returns of full games, each slot playing as many: else short games would be over-represented.

    Args:
        model: The agent, which draws nothing from a random generator for it.
        game: What is played.
        seed: Of the games and of the coins.
    """
    rng = np.random.default_rng(seed)
    returns: list[float] = []
    with closing(VecTransposeImage(game.make(game.n_slots, seed, False))) as env:
        left = np.full(game.n_slots, game.n_games // game.n_slots)
        observations = env.reset()
        while left.any():
            actions, _ = model.predict(observations, deterministic=True)
            explores = rng.random(game.n_slots) < game.epsilon
            actions[explores] = rng.integers(env.action_space.n, size=game.n_slots)[explores]
            observations, _, dones, infos = env.step(actions)
            for slot in np.flatnonzero(dones & (left > 0)):
                returns.append(float(infos[slot]["episode"]["r"]))
                left[slot] -= 1
    return returns
