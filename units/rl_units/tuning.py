"""Hyperparameter search: an Optuna study in which every trial is one of the Zoo's.

The Zoo's `ExperimentManager` samples the hyperparameters, trains and prunes; here are what it lacks: a study that goes
on where it was left, workers that share it, and a result that `train -c` reads.
"""

import contextlib
import io
import math
import multiprocessing
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from rl_units.environments import register_environments
from rl_units.errors import TuningError, UserError
from rl_units.studies import FINISHED, Search, count_trials, experimental, open_study, storage_sentences

_HOPELESS = 5  # failed trials after which a study without a single finished one is stopped


def tune(search: Search, *, n_workers: int = 1) -> optuna.Study:
    """Runs, or goes on with, a study until it has its number of trials.

    Args:
        search: The study.
        n_workers: Processes that share the trials.

    Returns:
        The study, with at least one finished trial.

    Raises:
        StorageError: If the storage cannot be opened or written.
        TuningError: If no trial finished.
    """
    with storage_sentences(search.storage):
        study = open_study(search)
        remaining = search.n_trials - count_trials(study)
        if remaining > 0 and n_workers == 1:
            _work(search, 0, iter(range(remaining)))
        elif remaining > 0:
            _work_in_processes(search, min(n_workers, remaining), remaining)
        trials = study.get_trials(deepcopy=False)
    if not any(trial.state == TrialState.COMPLETE for trial in trials):
        raise TuningError(_failure(trials))
    return study


def _work(search: Search, worker: int, tickets: Iterator[int]) -> None:
    """Plays one trial for each ticket."""
    study = open_study(search)
    with tempfile.TemporaryDirectory() as scratch, experimental():
        manager = _manager(search, scratch, seed=search.seed + 1000 * len(study.trials) + worker)
        study.sampler = manager._create_sampler(search.sampler)
        study.pruner = manager._create_pruner(search.pruner)
        objective = _remembering_errors(manager.objective)
        for _ in tickets:
            study.optimize(objective, n_trials=1, catch=(Exception,), callbacks=[_report], gc_after_trial=True)
            if _is_hopeless(study.get_trials(deepcopy=False)):
                return


def _manager(search: Search, scratch: str, seed: int) -> Any:
    """The Zoo's manager, ready to run trials; its run folder, of no use to a search, goes to `scratch`."""
    from rl_zoo3.exp_manager import ExperimentManager

    register_environments()
    manager = ExperimentManager(
        Namespace(),
        search.algo,
        search.env_id,
        log_folder=scratch,
        n_timesteps=search.n_timesteps,
        n_eval_episodes=search.eval_episodes,
        optimize_hyperparameters=True,
        n_startup_trials=search.n_startup_trials,
        n_evaluations=search.n_evaluations or max(1, search.n_timesteps // 100_000),
        sampler=search.sampler,
        pruner=search.pruner,
        seed=seed,
        verbose=0,
        config=str(search.config),
    )
    with contextlib.redirect_stdout(io.StringIO()):
        manager.setup_experiment()
    return manager


def _remembering_errors(objective: Callable[[optuna.Trial], float]) -> Callable[[optuna.Trial], float]:
    def run(trial: optuna.Trial) -> float:
        try:
            value = objective(trial)
            if not math.isfinite(value):
                raise TuningError(f"The trial's mean return is {value}; does an evaluation fit into its steps?")
        except optuna.TrialPruned:
            raise
        except Exception as error:
            trial.set_user_attr("error", f"{type(error).__name__}: {error}"[:500])
            raise
        return value

    return run


def _report(study: optuna.Study, trial: FrozenTrial) -> None:
    if trial.state == TrialState.COMPLETE:
        print(f"Trial {trial.number}: {trial.value:.2f} (best: {study.best_value:.2f})", flush=True)  # noqa: T201
    else:
        reason = trial.user_attrs.get("error", "")
        print(f"Trial {trial.number}: {trial.state.name.lower()} {reason}".rstrip(), flush=True)  # noqa: T201


def _work_in_processes(search: Search, n_workers: int, n_trials: int) -> None:
    context = multiprocessing.get_context("spawn")  # a fork of a process that has used torch's threads can hang
    tickets = context.Value("i", n_trials)
    workers = [context.Process(target=_worker, args=(search, index, tickets)) for index in range(n_workers)]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            worker.join()
    except BaseException:
        for worker in workers:
            worker.terminate()
            worker.join()
        raise
    lost = sum(worker.exitcode != 0 for worker in workers)
    if lost:
        print(f"{lost} of {n_workers} workers ended early; the same command makes up for their trials.")  # noqa: T201


def _worker(search: Search, index: int, tickets: Any) -> None:
    import torch

    torch.set_num_threads(1)
    try:
        with contextlib.suppress(KeyboardInterrupt), storage_sentences(search.storage):  # the parent tells of Ctrl-C
            _work(search, index, _taken(tickets))
    except UserError as error:
        sys.exit(str(error))


def _taken(tickets: Any) -> Iterator[int]:
    while True:
        with tickets.get_lock():
            tickets.value -= 1
            left = tickets.value
        if left < 0:
            return
        yield left


def _is_hopeless(trials: list[FrozenTrial]) -> bool:
    failed = sum("error" in trial.user_attrs for trial in trials)
    return failed >= _HOPELESS and not any(trial.state in FINISHED for trial in trials)


def _failure(trials: list[FrozenTrial]) -> str:
    pruned = sum(trial.state == TrialState.PRUNED for trial in trials)
    reasons = [trial.user_attrs["error"] for trial in trials if "error" in trial.user_attrs]
    reason = f" The last error was: {reasons[-1]}" if reasons else ""
    return f"None of the {len(trials)} trials finished: {pruned} were pruned, {len(reasons)} failed.{reason}"
