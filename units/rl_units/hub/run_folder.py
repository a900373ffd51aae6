"""A run folder for an agent that somebody else trained, read by our commands and by the Zoo's."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from rl_units.agents import write_sb3_zip
from rl_units.agents.base import Agent
from rl_units.agents.normalization import NormalizationStatistics
from rl_units.agents.repository import network_of
from rl_units.course import Protocol
from rl_units.environments import make_environment
from rl_units.files import atomic_path, storage_errors, write_text
from rl_units.hub.configuration import received_arguments, received_config
from rl_units.runs import Run, file_name
from rl_units.yaml_files import dump_yaml


def write_run(agent: Agent, run: Run, arguments: dict[str, Any], folder: Path) -> None:
    """Writes the run folder of an agent that somebody else trained: model, configuration, statistics.

    Args:
        agent: The loaded agent.
        run: Its algorithm, environment and their configuration.
        arguments: Their `args.yml`.
        folder: Where to; need not be `run.folder`.

    Raises:
        StorageError: If a file cannot be written.
    """
    _, statistics = network_of(agent)
    name = file_name(run.env_id)
    write_sb3_zip(agent, folder / f"{name}.zip", run.protocol)
    config = received_config(run.config, run.protocol, statistics is not None)
    write_text(folder / name / "config.yml", dump_yaml(config))
    write_text(folder / name / "args.yml", dump_yaml(received_arguments(run, arguments)))
    if statistics is not None:
        write_vec_normalize(statistics, run.protocol, folder / name / "vecnormalize.pkl")


def write_vec_normalize(statistics: NormalizationStatistics, protocol: Protocol, path: Path) -> None:
    """Pickles a `VecNormalize` of our own making, which is the only form that the Zoo reads statistics from.

    Args:
        statistics: Mean and variance of the observations.
        protocol: Says which environment.
        path: Where to.

    Raises:
        StorageError: If it cannot be written.
    """
    environments = DummyVecEnv([lambda: make_environment(protocol)])
    try:
        keys = None if statistics.norm_obs_keys is None else list(statistics.norm_obs_keys)
        normalize = VecNormalize(
            environments,
            training=False,
            norm_reward=False,
            clip_obs=statistics.clip_obs,
            epsilon=statistics.epsilon,
            norm_obs_keys=keys,
        )
        found = {key: _running_mean_std(mean, statistics.var[key]) for key, mean in statistics.mean.items()}
        normalize.obs_rms = found if keys is not None else found[""]  # type: ignore[assignment] # SB3 types one of the two
        with atomic_path(path) as temporary:
            normalize.save(str(temporary))
    finally:
        environments.close()


def _running_mean_std(mean: Any, var: Any) -> RunningMeanStd:
    moments = RunningMeanStd(shape=mean.shape)
    moments.mean, moments.var = mean.copy(), var.copy()
    return moments


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Yields a new folder beside `target` that takes its place at the end; on an error nothing has changed.

    Args:
        target: Folder to make or to replace.

    Raises:
        StorageError: If the place cannot be written.
    """
    with storage_errors(target):
        made = [parent for parent in (target.parent, *target.parent.parents) if not parent.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f".{target.name}-{os.getpid()}-new")
        old = target.with_name(f".{target.name}-{os.getpid()}-old")
        try:
            new.mkdir()
            yield new
            if target.exists():
                target.rename(old)
            new.rename(target)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            if old.exists() and not target.exists():
                old.rename(target)
            with suppress(OSError):  # somebody else has put something there meanwhile
                for parent in made:
                    parent.rmdir()
            raise
        shutil.rmtree(old, ignore_errors=True)
