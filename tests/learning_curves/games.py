"""What is learned: a toy game in images and Space Invaders, with the hyperparameters of both sides."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stable_baselines3.common.env_util import make_atari_env, make_vec_env
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack

from learning_curves.toy_game import BALLS, FallingBalls
from rl_units.course import load_course
from rl_units.environments import register_environments
from rl_units.yaml_files import read_yaml

SPACE_INVADERS = "SpaceInvadersNoFrameskip-v4"
_STACK = 4
_OF_THE_ZOO = ("env_wrapper", "frame_stack")


@dataclass(frozen=True)
class Game:
    """A game that both sides learn.

    Attributes:
        name: For file names.
        title: For people.
        unit: What a return is.
        note: Where the hyperparameters come from, a sentence.
        make: Makes environments from their number, the seed and whether they are for training: an agent may see lives
            as episodes and clipped rewards then, but is evaluated on full games.
        settings: The arguments of DQN for a budget in steps.
        n_games: How many are played at each point of a curve.
        n_slots: How many of them side by side; a divisor of `n_games`.
        epsilon: How often a random action is played then.
    """

    name: str
    title: str
    unit: str
    note: str
    make: Callable[[int, int, bool], VecEnv]
    settings: Callable[[int], dict[str, Any]]
    n_games: int
    n_slots: int
    epsilon: float


def _make_toy(n_envs: int, seed: int, for_training: bool) -> VecEnv:
    return VecFrameStack(make_vec_env(FallingBalls, n_envs, seed), _STACK)


def _toy_settings(steps: int) -> dict[str, Any]:
    return {
        "policy": "CnnPolicy",
        "learning_rate": 5e-4,
        "buffer_size": 10_000,
        "batch_size": 32,
        "learning_starts": min(500, steps // 10),
        "gamma": 0.9,
        "target_update_interval": 500,
        "train_freq": 4,
        "gradient_steps": 1,
        "exploration_fraction": 0.2,
        "exploration_final_eps": 0.02,
    }


def _make_space_invaders(n_envs: int, seed: int, for_training: bool) -> VecEnv:
    register_environments()
    wrapping = {"clip_reward": for_training, "terminal_on_life_loss": for_training}
    return VecFrameStack(make_atari_env(SPACE_INVADERS, n_envs, seed, wrapper_kwargs=wrapping), _STACK)


def _course_settings(steps: int) -> dict[str, Any]:
    """The course's hyperparameters for a budget of which they would spend all on the start, and memory for nothing."""
    file = load_course().hyperparameters_for("dqn", SPACE_INVADERS)
    assert file is not None
    settings = {name: value for name, value in read_yaml(file)["atari"].items() if name not in _OF_THE_ZOO}
    share = min(steps / settings.pop("n_timesteps"), 1)
    settings["learning_starts"] = int(settings["learning_starts"] * share)
    settings["buffer_size"] = min(settings["buffer_size"], max(steps // 2, settings["batch_size"]))
    return settings


TOY = Game(
    name="toy",
    title="Falling balls",
    unit=f"balls caught of {BALLS}",
    note="The hyperparameters are chosen for this game.",
    make=_make_toy,
    settings=_toy_settings,
    n_games=100,
    n_slots=20,
    epsilon=0.0,
)
ATARI = Game(
    name="atari",
    title="Space Invaders",
    unit="points in a game",
    note=(
        "The hyperparameters are the course's, with `learning_starts` scaled down with the budget and a buffer for at "
        "most half of the steps."
    ),
    make=_make_space_invaders,
    settings=_course_settings,
    n_games=16,
    n_slots=8,
    epsilon=0.05,
)
GAMES = (TOY, ATARI)
