"""Whether a replay buffer fits into memory, or on the disk, before hours of training find out."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from gymnasium import spaces
from rl_zoo3.utils import ALGOS
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack, unwrap_vec_wrapper

from rl_units.errors import ConfigError

_DEFAULT_SIZE = 1_000_000  # SB3's
_NUMBERS_BYTES = 12  # reward, end and time limit of a transition, float32 each


@dataclass(frozen=True)
class Need:
    """What a replay buffer takes for each transition.

    Attributes:
        bytes_each: Of a transition.
        place: Where: "memory" or "disk".
    """

    bytes_each: int
    place: str


def check_room(algo: str, env: VecEnv, settings: dict[str, Any], folder: Path, *, frames_in_files: bool) -> None:
    """Refuses a replay buffer that does not fit.

    Args:
        algo: As the Zoo names it; those without a replay buffer always fit.
        env: The environments that are trained in.
        settings: The algorithm's hyperparameters.
        folder: Where frames are kept in files.
        frames_in_files: Whether they are.

    Raises:
        ConfigError: If it does not fit; says what does.
    """
    if not issubclass(ALGOS[algo], OffPolicyAlgorithm):
        return
    size = int(settings.get("buffer_size", _DEFAULT_SIZE))
    stacking = unwrap_vec_wrapper(env, VecFrameStack)
    if frames_in_files and isinstance(stacking, VecFrameStack):
        need = Need(_space_bytes(env.observation_space) // stacking.stacked_obs.n_stack, "disk")
        free = _free_disk(folder)
    else:
        n_stored = 1 if settings.get("optimize_memory_usage") else 2
        observations = n_stored * _space_bytes(env.observation_space)
        need = Need(observations + _space_bytes(env.action_space) + _NUMBERS_BYTES, "memory")
        free = int(psutil.virtual_memory().available)
    refuse_what_does_not_fit(size, need, free)


def refuse_what_does_not_fit(size: int, need: Need, free: int) -> None:
    """Refuses a buffer of `size` transitions where `free` bytes are left.

    Raises:
        ConfigError: If it does not fit.
    """
    if size * need.bytes_each <= free:
        return
    most = _round_down(free // need.bytes_each)
    raise ConfigError(
        f"The replay buffer of {size:,} transitions would take {size * need.bytes_each / 1e9:,.1f} GB of {need.place}, "
        f"and {free / 1e9:,.1f} GB are free. At most {most:,} transitions fit: set buffer_size to that or less."
    )


def _round_down(number: int) -> int:
    """To two digits, with a tenth left for everything else."""
    most = number * 9 // 10
    unit: int = 10 ** max(len(str(most)) - 2, 0)
    return most // unit * unit


def _space_bytes(space: spaces.Space[Any]) -> int:
    if isinstance(space, spaces.Dict):
        return sum(_space_bytes(part) for part in space.spaces.values())
    n_numbers = int(np.prod(space.shape or (1,)))
    return n_numbers * int(np.dtype(space.dtype or np.float32).itemsize)


def _free_disk(folder: Path) -> int:
    """Free bytes where a folder is or will be, with what its own frames take already."""
    # Windows does not tell how much of a file is really on the disk.
    kept = sum(getattr(path.stat(), "st_blocks", 0) * 512 for path in folder.glob("*.frames"))
    while not folder.exists():
        folder = folder.parent
    return int(shutil.disk_usage(folder).free) + kept
