"""A run folder for an agent that somebody else trained, read by our commands and by the Zoo's."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rl_units.agents import write_sb3_zip, write_vec_normalize
from rl_units.agents.base import Agent
from rl_units.agents.repository import network_of
from rl_units.files import storage_errors, write_text
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
    write_vec_normalize(agent, folder / name / "vecnormalize.pkl", run.protocol)


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
