"""The folder of a run of `mlagents-learn`: its configuration, its model, and all its files."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlagents_bridge.errors import BridgeError

_MOST_BYTES = 2**20  # of a configuration; one has some kilobytes
_BEHAVIOR = re.compile(r"\w[\w .+-]{0,99}")


@dataclass(frozen=True)
class TrainingRun:
    """A trained run.

    Attributes:
        folder: Where it lies.
        behavior: Name of its first behavior, ML-Agents' word for what the agents of one kind do.
        trainer: ML-Agents' name of the algorithm, for example `"ppo"`.
        config: The whole configuration, plain data.
    """

    folder: Path
    behavior: str
    trainer: str
    config: dict[str, Any]

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The behavior's part of the configuration."""
        settings: dict[str, Any] = self.config["behaviors"][self.behavior]
        return settings

    @property
    def model(self) -> Path:
        """The exported network."""
        return self.folder / f"{self.behavior}.onnx"

    def files(self) -> dict[str, Path]:
        """Every file of the run by its path inside the folder, `/` between the parts; neither links nor hidden ones."""
        found = {path.relative_to(self.folder): path for path in sorted(self.folder.rglob("*"))}
        return {
            name.as_posix(): path
            for name, path in found.items()
            if path.is_file() and not path.is_symlink() and not any(part.startswith(".") for part in name.parts)
        }


def open_run(folder: Path, config_name: str) -> TrainingRun:
    """Reads the folder of a run.

    Args:
        folder: Where it lies.
        config_name: Name of the YAML configuration in it.

    Raises:
        BridgeError: If it is no such folder, or has no exported model.
    """
    config = _read_config(folder, config_name)
    behaviors = config.get("behaviors")
    if not isinstance(behaviors, dict) or not behaviors:
        raise BridgeError(f"{folder / config_name} names no behaviors, so it is no configuration of a run.")
    behavior, settings = next(iter(behaviors.items()))
    trainer = settings.get("trainer_type") if isinstance(settings, dict) else None
    if not isinstance(behavior, str) or not _BEHAVIOR.fullmatch(behavior):
        raise BridgeError(f"{folder / config_name} has a behavior {str(behavior)[:60]!r}, which is no name of one.")
    if not isinstance(trainer, str) or not trainer.isidentifier():
        raise BridgeError(f"{folder / config_name} does not say which trainer_type {behavior} was trained with.")
    if not (folder / f"{behavior}.onnx").is_file():
        raise BridgeError(
            f"{folder} has no {behavior}.onnx. ML-Agents writes it at the end of a run, and when Ctrl-C ends one: let "
            "the run end, or go on with it by --resume."
        )
    return TrainingRun(folder, behavior, trainer, config)


def _read_config(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not folder.is_dir():
        raise BridgeError(f"{folder} is no folder. --local-dir is the folder of the run, for example results/my-run.")
    if path.parent.resolve() != folder.resolve():
        raise BridgeError(f"--configfile-name is the name of a file in {folder}, not {name}.")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BridgeError(f"{path} has more than {_MOST_BYTES:,} bytes, which no configuration needs.")
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise BridgeError(f"{path} is not the YAML of a configuration: {type(error).__name__}.") from error
    except OSError as error:
        raise BridgeError(f"{path} cannot be read: {error.strerror}. Is it the folder of the run?") from error
    if not isinstance(config, dict):
        raise BridgeError(f"{path} is not the YAML of a configuration.")
    return config
