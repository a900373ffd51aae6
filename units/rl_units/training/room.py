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
from stable_baselines3.common.vec_env import VecEnv

from rl_units.dqn.algorithm import FastDQN
from rl_units.dqn.frame_files import CHUNK_BYTES
from rl_units.dqn.stacks import frames_in_a_stack
from rl_units.errors import ConfigError

_DEFAULT_SIZE = 1_000_000  # SB3's
_NUMBERS_BYTES = 12  # reward, end and time limit of a transition, float32 each


@dataclass(frozen=True)
class Need:
    """What a replay buffer takes for each transition.

    Attributes:
        bytes_each: Of a transition.
        place: Where: "memory" or "disk".
        bytes_beside: What it takes for a while beside the transitions that it holds.
    """

    bytes_each: int
    place: str
    bytes_beside: int = 0


def check_room(
    algo: str, env: VecEnv, settings: dict[str, Any], folder: Path | None, checkpoint_frequency: int
) -> None:
    """Refuses a replay buffer that does not fit.

    Args:
        algo: As the Zoo names it; those without a replay buffer always fit.
        env: The environments that are trained in.
        settings: The algorithm's hyperparameters.
        folder: Where a `FastDQN` keeps frames in files; None where none are kept in files.
        checkpoint_frequency: Transitions between two checkpoints.

    Raises:
        ConfigError: If it does not fit; says what does.
    """
    if not issubclass(ALGOS[algo], OffPolicyAlgorithm):
        return
    size = int(settings.get("buffer_size", _DEFAULT_SIZE))
    numbers = _space_bytes(env.action_space) + _NUMBERS_BYTES
    observation = _space_bytes(env.observation_space)
    n_stack = None
    if issubclass(ALGOS[algo], FastDQN):
        n_stack = frames_in_a_stack(env, settings.get("replay_buffer_class"), settings.get("n_steps", 1))
    if n_stack is None:
        n_stored = 1 if settings.get("optimize_memory_usage") else 2
        need = Need(n_stored * observation + numbers, "memory")
    elif folder is None:
        need = Need(observation // n_stack + numbers, "memory")
    else:
        frame = observation // n_stack
        # What the checkpoint before names stays until the next one is written; and two files are not full.
        need = Need(frame, "disk", min(checkpoint_frequency, size) * frame + 2 * CHUNK_BYTES)
    in_files = folder if need.place == "disk" else None
    free = int(psutil.virtual_memory().available) if in_files is None else _free_disk(in_files)
    refuse_what_does_not_fit(size, need, free)


def refuse_what_does_not_fit(size: int, need: Need, free: int) -> None:
    """Refuses a buffer of `size` transitions where `free` bytes are left.

    Raises:
        ConfigError: If it does not fit.
    """
    taken = size * need.bytes_each + need.bytes_beside
    if taken <= free:
        return
    told = f"The replay buffer of {size:,} transitions would take {taken / 1e9:,.1f} GB of {need.place}"
    most = _round_down(max(free - need.bytes_beside, 0) // need.bytes_each)
    remedy = f"At most {most:,} transitions fit: set buffer_size to that or less."
    if most == 0:
        remedy = f"Not a single transition fits: make some room in the {need.place} first."
    raise ConfigError(f"{told}, and {free / 1e9:,.1f} GB are free. {remedy}")


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
