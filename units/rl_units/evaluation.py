"""Evaluation under a protocol: full games, several abreast, with a result that does not depend on how many.

Each episode has its own environment slot, its own seed and its own stream of exploration coins, and an agent's action
never depends on the rest of its batch (see `agents.base.Agent.act`). So the returns are the same, episode by episode,
for any number of environments and worker processes, and the same as those of SB3's `evaluate_policy`.
"""

import multiprocessing
import multiprocessing.queues
import platform
import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, TypeAlias

import torch as th

from rl_units.agents.base import Agent
from rl_units.course import Protocol
from rl_units.episodes import Episode, play_episodes
from rl_units.errors import EvaluationError
from rl_units.results import EvaluationResult

# A batch of 16 images takes a third of the time per image of 16 single ones; 32 gain a fifth more, which making the
# environments costs again.
DEFAULT_N_ENVS = 16

Numbered: TypeAlias = Sequence[tuple[int, int]]
"""Index and seed of each episode."""

_PACKAGES = ("rl-classroom", "stable-baselines3", "sb3-contrib", "torch", "gymnasium", "ale-py", "numpy")


def evaluate(
    agent: Agent,
    protocol: Protocol,
    *,
    seeds: Sequence[int] | None = None,
    n_envs: int = DEFAULT_N_ENVS,
    n_workers: int = 1,
    first_index: int = 0,
    on_episode: Callable[[Episode], object] | None = None,
) -> EvaluationResult:
    """Plays an agent's episodes under a protocol and scores them.

    Args:
        agent: The agent.
        protocol: How it is scored.
        seeds: One a episode; the protocol's public seeds if None. A judge passes its own.
        n_envs: Environments side by side in each process.
        n_workers: Processes that share the episodes, this one among them. More than 1 need an agent that can be
            pickled and, in a script of your own, an `if __name__ == "__main__"` guard.
        first_index: Place of the first episode among the protocol's, which says against whom it is played.
        on_episode: Called after each finished episode, in the order in which they finish.

    Returns:
        The result, episodes in the order of `seeds`.

    Raises:
        EvaluationError: If the agent gives an action outside the action space, or a worker process dies.
        UserError: If the environment cannot be made.
    """
    seeds = protocol.public_seeds if seeds is None else protocol.paired(seeds)
    numbered = tuple(enumerate(seeds, first_index))
    n_workers = min(n_workers, len(seeds))
    finished = (
        _play_in_processes(agent, protocol, numbered, n_envs, n_workers)
        if n_workers > 1
        else _play_here(agent, protocol, numbered, n_envs)
    )
    episodes: list[Episode] = []
    for episode in finished:
        episodes.append(episode)
        if on_episode is not None:
            on_episode(episode)
    episodes.sort(key=lambda episode: episode.index)
    return EvaluationResult(
        env_id=protocol.env_id,
        algo=agent.algo,
        protocol_id=protocol.id,
        protocol_version=protocol.version,
        returns=tuple(episode.episode_return for episode in episodes),
        lengths=tuple(episode.length for episode in episodes),
        seeds=tuple(episode.seed for episode in episodes),
        is_deterministic=protocol.action_mode == "deterministic",
        epsilon=protocol.epsilon,
        agent_sha256=agent.sha256,
        evaluated_at=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=package_versions(),
    )


def package_versions() -> dict[str, str]:
    """Versions of Python and of the installed packages that can change a result."""
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    """Rounding can differ with the number of threads, and small batches gain nothing from a second one."""
    before = th.get_num_threads()
    th.set_num_threads(1)
    try:
        yield
    finally:
        th.set_num_threads(before)


def _play_here(agent: Agent, protocol: Protocol, numbered: Numbered, n_envs: int) -> Iterator[Episode]:
    with _one_torch_thread():
        yield from play_episodes(agent, protocol, iter(numbered), n_envs)


@dataclass(frozen=True)
class _Work:
    """What a worker process gets when it starts."""

    agent: Agent
    protocol: Protocol
    numbered: Numbered
    n_envs: int
    next_index: Any  # multiprocessing.Value("i"): the first episode that nobody has taken
    finished: "multiprocessing.queues.Queue[Episode]"

    def remaining(self) -> Iterator[tuple[int, int]]:
        """Takes the next episode nobody has taken, until there is none."""
        while True:
            with self.next_index.get_lock():
                index = self.next_index.value
                self.next_index.value += 1
            if index >= len(self.numbered):
                return
            yield self.numbered[index]


_work: _Work | None = None


def _start_worker(work: _Work) -> None:
    global _work  # the only way that an initializer can hand something to a pool's tasks
    _work = work
    th.set_num_threads(1)


def _run_worker() -> None:
    work = _work
    if work is None:
        raise AssertionError("the pool's initializer has not run")
    for episode in play_episodes(work.agent, work.protocol, work.remaining(), work.n_envs):
        work.finished.put(episode)


def _play_in_processes(
    agent: Agent, protocol: Protocol, numbered: Numbered, n_envs: int, n_workers: int
) -> Iterator[Episode]:
    """Plays in this process and in `n_workers - 1` others, which take some seconds to start."""
    # Spawned, because a fork of a process that has used torch's threads can hang.
    context = multiprocessing.get_context("spawn")
    finished: multiprocessing.queues.Queue[Episode] = context.Queue()
    work = _Work(agent, protocol, numbered, n_envs, context.Value("i", 0), finished)
    others = n_workers - 1
    with ProcessPoolExecutor(others, context, _start_worker, (work,)) as pool:
        futures = [pool.submit(_run_worker) for _ in range(others)]
        outstanding = len(numbered)
        try:
            with _one_torch_thread():
                for episode in play_episodes(agent, protocol, work.remaining(), n_envs):
                    yield episode
                    outstanding -= 1
                    while not finished.empty():
                        yield finished.get()
                        outstanding -= 1
            for _ in range(outstanding):
                yield _next_finished(finished, futures)
        except BaseException:
            # Take what is left, so that the workers stop after the games they are in.
            work.next_index.value = len(numbered)
            raise


def _next_finished(finished: "multiprocessing.queues.Queue[Episode]", futures: Sequence[Future[None]]) -> Episode:
    while True:
        try:
            return finished.get(timeout=0.2)
        except queue.Empty:
            for future in futures:
                if future.done() and (error := future.exception()) is not None:
                    if isinstance(error, BrokenProcessPool):
                        raise EvaluationError(
                            "A worker process of the evaluation died; the machine may be out of memory. "
                            "Try again with --n-workers 1."
                        ) from error
                    raise error from None
