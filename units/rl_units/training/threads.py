"""How many CPU threads torch should train with, found by trying.

Torch takes every core by default. On a machine whose cores are busy that was measured to make a gradient step twenty
times slower than one thread, while on idle cores two threads nearly halve it; only a timing tells.
"""

import copy
import os
import statistics
import time
from collections.abc import Callable, Mapping

import torch as th
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.preprocessing import get_obs_shape

_DEFAULT_BATCH = 64
_REPETITIONS = 5
_MAX_THREADS = 8
# More threads must be worth it: a tie goes to fewer, which disturb others less.
_WORTH = 0.9


def choose_threads(model: BaseAlgorithm) -> int:
    """Times a gradient step of the model's own network and sets torch's threads to the fastest number.

    The model, its optimizer and every random generator stay as they are.

    Args:
        model: A model on the CPU; on another device nothing is changed.

    Returns:
        Number of threads that torch now uses.
    """
    if model.device.type != "cpu":
        return th.get_num_threads()
    before = th.get_num_threads()
    seconds = {}
    try:
        step = _gradient_step(model)
        for threads in _candidates():
            th.set_num_threads(threads)
            seconds[threads] = _median_seconds(step)
        best = fewest_worthwhile(seconds)
    except Exception:  # a policy that is called otherwise (ARS, recurrent ones); the timing is a convenience
        best = before
    th.set_num_threads(best)
    return best


def fewest_worthwhile(seconds: Mapping[int, float]) -> int:
    """The number of threads to take, given how long a step takes with each.

    Args:
        seconds: Time of a step by number of threads.

    Returns:
        The fastest; but a larger number only where it saves a tenth.
    """
    best = min(seconds)
    for threads in sorted(seconds):
        if seconds[threads] < _WORTH * seconds[best]:
            best = threads
    return best


def _candidates() -> list[int]:
    available = min(os.cpu_count() or 1, _MAX_THREADS)
    return sorted({threads for threads in (1, 2, 4, available) if threads <= available})


def _gradient_step(model: BaseAlgorithm) -> Callable[[], None]:
    policy = copy.deepcopy(model.policy)
    batch = getattr(model, "batch_size", _DEFAULT_BATCH)
    shape = get_obs_shape(model.observation_space)
    observation: th.Tensor | dict[str, th.Tensor]
    if isinstance(shape, dict):
        observation = {key: th.zeros((batch, *entry)) for key, entry in shape.items()}
    else:
        observation = th.zeros((batch, *shape))

    def step() -> None:
        # Sampling actions draws random numbers, which must not be missing from the run.
        with th.random.fork_rng(devices=[]):
            _loss(policy, observation).backward()  # type: ignore[no-untyped-call] # torch leaves it untyped

    return step


def _loss(policy: BasePolicy, observation: th.Tensor | dict[str, th.Tensor]) -> th.Tensor:
    for name in ("q_net", "quantile_net"):
        if hasattr(policy, name):
            output = getattr(policy, name)(observation)
            break
    else:
        output = policy(observation)
    outputs = output if isinstance(output, tuple) else (output,)
    losses = [entry.float().mean() for entry in outputs if entry.requires_grad]
    return th.stack(losses).sum()


def _median_seconds(step: Callable[[], None]) -> float:
    step()  # the first one allocates
    times = []
    for _ in range(_REPETITIONS):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
