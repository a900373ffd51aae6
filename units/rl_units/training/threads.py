"""How many CPU threads torch should train with, found by trying.

Torch takes every core by default. On a machine whose cores are busy that was measured to make a gradient step twenty
times slower than one thread, while on idle cores two threads nearly halve it; only a timing tells. Programs come and go
while a run lasts, so a run that has become slow is timed again.
"""

import copy
import os
import statistics
import time
from collections.abc import Callable, Mapping

import torch as th
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.preprocessing import get_obs_shape
from tqdm import tqdm

_DEFAULT_BATCH = 64
_REPETITIONS = 5
_MAX_THREADS = 8
# More threads must be worth it: a tie goes to fewer, which disturb others less.
_WORTH = 0.9
# A run that goes on with another number differs from then on in its roundings, so a change must be worth more.
_WORTH_A_CHANGE = 0.8
_WINDOW_SECONDS = 60.0
_SLOW = 0.7  # of the usual speed
_RETRY_WINDOWS = 5


def choose_threads(model: BaseAlgorithm, current: int | None = None) -> int:
    """Times a gradient step of the model's own network and sets torch's threads to the fastest number.

    The model, its optimizer and every random generator stay as they are.

    Args:
        model: A model on the CPU; on another device nothing is changed.
        current: A number that it trains with already, which is kept unless another one is much faster.

    Returns:
        Number of threads that torch now uses.
    """
    before = th.get_num_threads()
    if model.device.type != "cpu":
        return before
    try:
        best = _timed_choice(model, current)
    except Exception:  # a policy that is called otherwise (ARS, recurrent ones); the timing is a convenience
        best = before
    th.set_num_threads(best)
    return best


def _timed_choice(model: BaseAlgorithm, current: int | None) -> int:
    step = _gradient_step(model)
    seconds = {}
    for threads in _candidates():
        th.set_num_threads(threads)
        seconds[threads] = _median_seconds(step)
    best = fewest_worthwhile(seconds)
    if current is None or current not in seconds or is_worth_a_change(seconds[best], seconds[current]):
        return best
    return current


class ThreadWatch(BaseCallback):
    """Times the threads anew when a run has become slow, or trains with fewer threads than there could be.

    A run at its usual speed is left alone, so that on a machine of its own it stays the same run.

    Args:
        choose: As `choose_threads`.
        clock: Seconds, only differences count.
    """

    def __init__(
        self,
        choose: Callable[[BaseAlgorithm, int], int] = choose_threads,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._choose, self._clock = choose, clock
        self._began: float | None = None
        self._first_step, self._usual, self._windows = 0, 0.0, 0

    def _on_rollout_start(self) -> None:
        if self._began is None:  # here, because a resumed run gets its steps only when training starts
            self._begin_window()
            return
        elapsed = self._clock() - self._began
        if elapsed < _WINDOW_SECONDS:
            return
        if self._first_step < getattr(self.model, "learning_starts", 0):  # nothing is learnt yet, which is much faster
            self._begin_window()
            return
        rate = (self.model.num_timesteps - self._first_step) / elapsed
        self._windows += 1
        has_fewer = th.get_num_threads() < _candidates()[-1]
        if rate < _SLOW * self._usual or (has_fewer and self._windows % _RETRY_WINDOWS == 0):
            self._time_anew()
            self._usual = rate
        self._usual = max(self._usual, rate)
        self._begin_window()

    def _begin_window(self) -> None:
        self._began, self._first_step = self._clock(), self.model.num_timesteps

    def _time_anew(self) -> None:
        before = th.get_num_threads()
        after = self._choose(self.model, before)
        if after != before:
            tqdm.write(f"Training goes on with {after} CPU thread(s), which is faster now.")

    def _on_step(self) -> bool:
        return True


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


def is_worth_a_change(best: float, current: float) -> bool:
    """Whether a step of so many seconds is so much faster that a run had better go on with it."""
    return best < _WORTH_A_CHANGE * current


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
