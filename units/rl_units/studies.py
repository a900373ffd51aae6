"""Studies on disk: what is searched, and the Optuna storage that remembers it."""

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import optuna
import sqlalchemy.engine
import sqlalchemy.exc
from optuna.trial import TrialState

from rl_units.errors import StorageError, TuningError

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
"""States of a trial that ran as it should."""

_HEARTBEAT = 10  # seconds between the signs of life of a running trial
_GRACE = 60  # seconds without one after which a trial counts as killed
_LOCK_TIMEOUT = 60  # seconds to wait for SQLite's lock; eight workers at 24 trials a second never waited that long


@dataclass(frozen=True)
class Search:
    """What is searched and how; the names are those of the Zoo's flags.

    Attributes:
        algo: Algorithm name.
        env_id: Gymnasium id.
        config: YAML file with the base hyperparameters under the environment's own id.
        storage: Optuna's storage URL, for example `sqlite:///study.db`.
        study_name: Name of the study in it.
        n_timesteps: Steps of a trial.
        n_trials: Trials of the whole study, pruned ones included; a resumed study goes on up to this number.
        n_evaluations: Evaluations during a trial, at each of which it can be pruned; None is one every 100,000 steps.
        eval_episodes: Episodes of such an evaluation.
        n_startup_trials: Random trials before the sampler begins to learn and the pruner to prune.
        sampler: `"tpe"` or `"random"`.
        pruner: `"median"`, `"halving"` or `"none"`.
        seed: Seed of the sampler and the environments.
    """

    algo: str
    env_id: str
    config: Path
    storage: str
    study_name: str
    n_timesteps: int
    n_trials: int
    n_evaluations: int | None = None
    eval_episodes: int = 5
    n_startup_trials: int = 10
    sampler: str = "tpe"
    pruner: str = "median"
    seed: int = 0


def open_study(search: Search) -> optuna.Study:
    """Opens the study, or makes it; trials that were killed are marked as failed.

    Raises:
        TuningError: If the study that is there was not made for this algorithm and environment.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with experimental():
        is_sqlite = search.storage.startswith("sqlite")
        storage = optuna.storages.RDBStorage(
            search.storage,
            engine_kwargs={"connect_args": {"timeout": _LOCK_TIMEOUT}} if is_sqlite else {},
            heartbeat_interval=_HEARTBEAT,
            grace_period=_GRACE,
        )
        study = optuna.create_study(
            storage=storage, study_name=search.study_name, direction="maximize", load_if_exists=True
        )
        optuna.storages.fail_stale_trials(study)
    purpose = f"{search.algo} on {search.env_id}"
    found = study.user_attrs.get("purpose", purpose)
    if found != purpose:
        raise TuningError(
            f"The study {search.study_name!r} in {without_password(search.storage)} is of {found}. "
            "Choose another --study-name."
        )
    study.set_user_attr("purpose", purpose)
    return study


def count_trials(study: optuna.Study) -> int:
    """Trials that count towards the study's number: finished, pruned, or failed by themselves.

    A trial that was killed is none of these, so that the same command makes up for it.
    """
    return sum(
        trial.state in FINISHED or (trial.state == TrialState.FAIL and "error" in trial.user_attrs)
        for trial in study.get_trials(deepcopy=False)
    )


def without_password(url: str) -> str:
    """A storage URL as it may be shown."""
    try:
        return sqlalchemy.engine.make_url(url).render_as_string(hide_password=True)
    except sqlalchemy.exc.ArgumentError:
        return url


@contextlib.contextmanager
def experimental() -> Iterator[None]:
    """Silences warnings that the heartbeat and the multivariate sampler, years old, may change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


@contextlib.contextmanager
def storage_sentences(url: str) -> Iterator[None]:
    """Turns what a database refuses into a sentence.

    Args:
        url: Of the storage; the folder of an SQLite file is made.

    Raises:
        StorageError: If the URL is wrong, or the database cannot be reached, read or written.
    """
    try:
        path = url.removeprefix("sqlite:///")
        if path != url:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The study cannot be kept in {url}: {error}. Choose another --storage.") from error
    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError, ImportError) as error:
        reason = str(error.__cause__ or error).splitlines()[0].rstrip(".")
        raise StorageError(
            f"The study cannot be kept in {without_password(url)}: {reason}. "
            "Check --storage, for example sqlite:///study.db, that its folder is writable, and that nobody locks it."
        ) from error
