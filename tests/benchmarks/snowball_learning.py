"""Does an agent learn Snowball Fight in minutes? The unit's recipes, trained and played against the fixed players."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rl_units.agents import Agent, load_agent
from rl_units.course import load_course
from rl_units.environments import register_environments
from rl_units.evaluation import evaluate
from rl_units.self_play.arenas_vec_env import ArenasVecEnv
from rl_units.self_play.matches import play_matches
from snowball_fight.opponents import RATINGS

ENV_ID = "SnowballFight-v0"
SEEDS = (1, 2, 3)
GAMES = 500  # against each fixed player, half from either seat


@dataclass(frozen=True)
class Recipe:
    """A way to train, as a student calls it.

    Attributes:
        title: For the table.
        flags: Of `python -m rl_units train`.
    """

    title: str
    flags: tuple[str, ...]


RECIPES = (Recipe("scripted opponents", ()), Recipe("self-play", ("--self-play",)))


def measure() -> Iterator[str]:
    """Minutes, games won and the score under the unit's protocol, for every recipe and seed."""
    register_environments()
    yield f"{'recipe':22} {'seed':>4} {'minutes':>8} " + " ".join(f"{name:>13}" for name in RATINGS) + f" {'score':>7}"
    for recipe in RECIPES:
        for seed in SEEDS:
            yield _row(recipe, seed)


def _row(recipe: Recipe, seed: int) -> str:
    protocol = load_course().assignment_for(ENV_ID).protocol
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "rl_units", "train", "--algo", "ppo", "--env", ENV_ID, "--seed", str(seed)]
        flags = ["--eval-freq", "-1", "--no-progress", "-f", folder, *recipe.flags]
        began = time.perf_counter()
        subprocess.run([*command, *flags], check=True, capture_output=True, env={**os.environ, "HF_HOME": folder})
        minutes = (time.perf_counter() - began) / 60
        agent = load_agent(Path(folder, "ppo", f"{ENV_ID}_1", f"{ENV_ID}.zip"), protocol)
    won = " ".join(f"{share:13.1%}" for share in shares_won(agent))
    return f"{recipe.title:22} {seed:4} {minutes:8.1f} {won} {evaluate(agent, protocol).score:7.2f}"


def shares_won(agent: Agent) -> list[float]:
    """The share of games that an agent wins against each of the fixed players."""
    return [
        float((play_matches(agent.act, ArenasVecEnv(GAMES, opponent=name, seed=0)) == 1).mean()) for name in RATINGS
    ]
