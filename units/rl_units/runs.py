"""Run folders as the Zoo lays them out: `<folder>/<algo>/<env>_<n>/`, model, configuration and logs inside."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rl_units.course import Protocol, load_course
from rl_units.errors import ConfigError, RunNotFoundError, UnknownAlgorithmError
from rl_units.yaml_files import read_yaml

ALGORITHMS = ("a2c", "ars", "crossq", "ddpg", "dqn", "ppo", "ppo_lstm", "qrdqn", "sac", "td3", "tqc", "trpo")
"""Names that the Zoo's `--algo` takes (`rl_zoo3.ALGOS`; a test holds the two together)."""

_MAX_FRAME_STACK = 32
_REWARDS_ONLY = re.compile(r"""norm_obs['"]?\s*[=:]\s*False""")  # in the Python text of the Zoo's `normalize`
_ATARI_WRAPPER = "stable_baselines3.common.atari_wrappers.AtariWrapper"


@dataclass(frozen=True)
class Run:
    """One training run on disk.

    Attributes:
        algo: Algorithm name.
        env_id: Gymnasium id.
        folder: The run's folder.
        model: SB3 zip of the chosen model: the last, the best, or a checkpoint.
        config: Hyperparameters as they were saved in `config.yml`; empty where there is none.
        env_kwargs: Arguments of the environment's constructor.
    """

    algo: str
    env_id: str
    folder: Path
    model: Path
    config: Mapping[str, Any] = field(default_factory=dict)
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> Path:
        """Folder of `args.yml`, `config.yml` and the normalisation statistics."""
        return self.folder / file_name(self.env_id)

    @property
    def has_statistics(self) -> bool:
        """Whether statistics of normalised observations lie where the safe loader looks for them."""
        places = (self.folder / "vec_normalize.json", self.folder / "vec_normalize.pkl")
        return any(place.is_file() for place in (*places, self.parameters / "vecnormalize.pkl"))

    @property
    def protocol(self) -> Protocol:
        """The course's protocol for the environment; for any other environment the run's own wrapping, 50 episodes.

        Raises:
            ConfigError: If the run used a wrapper that the safe path does not know, or stacked a number of frames
                that nobody stacks.
        """
        assignment = load_course().assignment_for(self.env_id)
        if assignment is not None:
            return assignment.protocol
        return Protocol(
            id=self.env_id,
            version=1,
            env_id=self.env_id,
            preprocessing="atari" if _wrappers(self.config) else "none",
            frame_stack=_frame_stack(self.config),
            env_kwargs=self.env_kwargs,
        )


def file_name(env_id: str) -> str:
    """The environment's name in file names: what the Zoo's `EnvironmentName` makes of an id."""
    return env_id.rsplit(":", 1)[-1].replace("/", "-")


def check_algorithm(algo: str) -> None:
    """Checks an algorithm's name.

    Raises:
        UnknownAlgorithmError: If the Zoo has no such algorithm.
    """
    if algo not in ALGORITHMS:
        raise UnknownAlgorithmError(f"There is no algorithm {algo!r}; the Zoo has: {', '.join(ALGORITHMS)}.")


def run_folders(folder: Path, algo: str, env_id: str) -> dict[int, Path]:
    """Every run of an algorithm on an environment, by its number."""
    pattern = re.compile(re.escape(file_name(env_id)) + r"_(\d+)")
    return {
        int(match.group(1)): path
        for path in sorted((folder / algo).glob("*"))
        if path.is_dir() and (match := pattern.fullmatch(path.name))
    }


def find_run_folder(folder: Path, algo: str, env_id: str, exp_id: int = 0) -> Path:
    """The folder of a run.

    Args:
        folder: Log folder that was given to `train -f`.
        algo: Algorithm name.
        env_id: Gymnasium id.
        exp_id: Number of the run; 0 is the latest, -1 a folder without numbers.

    Raises:
        RunNotFoundError: If there is no such run; the message names those that there are.
    """
    check_algorithm(algo)
    runs = run_folders(folder, algo, env_id)
    if exp_id < 0:
        found: Path | None = folder / algo
    else:
        found = runs.get(exp_id or max(runs, default=0))
    if found is None or not found.is_dir():
        raise RunNotFoundError(_missing_run_message(folder, algo, env_id, exp_id, sorted(runs)))
    return found


def find_run(
    folder: Path,
    algo: str,
    env_id: str,
    exp_id: int = 0,
    *,
    load_best: bool = False,
    load_checkpoint: int | None = None,
    load_last_checkpoint: bool = False,
) -> Run:
    """Finds a trained run and the model in it that the flags of the Zoo choose.

    Args:
        folder: Log folder that was given to `train -f`.
        algo: Algorithm name.
        env_id: Gymnasium id.
        exp_id: Number of the run; 0 is the latest, -1 a folder without numbers.
        load_best: The best model of the evaluations during training.
        load_checkpoint: The Zoo's checkpoint of that many steps.
        load_last_checkpoint: The Zoo's last checkpoint.

    Raises:
        RunNotFoundError: If there is no such run, or no such model in it.
        ConfigError: If `config.yml` or `args.yml` is damaged or asks for code.
    """
    path = find_run_folder(folder, algo, env_id, exp_id)
    name = file_name(env_id)
    if load_best:
        model = path / "best_model.zip"
    elif load_checkpoint is not None:
        model = path / f"rl_model_{load_checkpoint}_steps.zip"
    elif load_last_checkpoint:
        model = _last_checkpoint(path)
    else:
        model = path / f"{name}.zip"
    if not model.is_file():
        # A write that was killed leaves a name with a dot in front.
        there = ", ".join(sorted(file.name for file in path.glob("[!.]*.zip"))) or "none"
        raise RunNotFoundError(
            f"{path} has no model {model.name}; models there: {there}. "
            "If training was interrupted, go on with: "
            f"python -m rl_units train --resume --algo {algo} --env {env_id} -f {folder}"
        )
    config = _optional_yaml(path / name / "config.yml")
    arguments = _optional_yaml(path / name / "args.yml")
    kwargs = arguments.get("env_kwargs") or config.get("env_kwargs") or {}
    if not isinstance(kwargs, dict):
        raise ConfigError(f"{path / name}: env_kwargs must be a mapping of names to values.")
    return Run(algo, env_id, path, model, config, {str(key): value for key, value in kwargs.items()})


def normalizes_observations(config: Mapping[str, Any]) -> bool:
    """Whether a run was trained on normalised observations, by its `config.yml`; no text in it is evaluated."""
    value = config.get("normalize")
    if isinstance(value, Mapping):
        return value.get("norm_obs") is not False
    if isinstance(value, str):
        return _REWARDS_ONLY.search(value) is None
    return bool(value)


def check_statistics(config: Mapping[str, Any], is_there: bool, what: str) -> None:
    """Refuses an agent without the statistics that it was trained with: it would play, and badly.

    Args:
        config: Content of its `config.yml`.
        is_there: Whether its normalisation statistics are there.
        what: What the agent is called in the message.

    Raises:
        ConfigError: If they are missing.
    """
    if normalizes_observations(config) and not is_there:
        raise ConfigError(
            f"{what} was trained on normalised observations, but its vecnormalize.pkl is missing. Without it "
            "the agent would play badly: put the file back, or choose another agent."
        )


def _last_checkpoint(path: Path) -> Path:
    found = {
        int(match.group(1)): file
        for file in path.glob("rl_model_*_steps.zip")
        if (match := re.fullmatch(r"rl_model_(\d+)_steps\.zip", file.name))
    }
    return found[max(found)] if found else path / "rl_model_<n>_steps.zip"


def _optional_yaml(path: Path) -> dict[str, Any]:
    return read_yaml(path) if path.is_file() else {}


def _wrappers(config: Mapping[str, Any]) -> bool:
    """Whether a run used the Atari wrapping; refuses every other wrapper, because importing by name runs code."""
    entries = config.get("env_wrapper") or []
    if entries in (_ATARI_WRAPPER, [_ATARI_WRAPPER]):
        return True
    if entries or config.get("vec_env_wrapper"):
        raise ConfigError(
            f"This run was trained with {entries or config.get('vec_env_wrapper')}; evaluation and video know the "
            "Atari wrapping and the bare environment only. Add the environment to a unit of the course to score it."
        )
    return False


def _frame_stack(config: Mapping[str, Any]) -> int:
    value = config.get("frame_stack", 1)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MAX_FRAME_STACK:
        raise ConfigError(f"frame_stack in config.yml must be a whole number from 1 to {_MAX_FRAME_STACK}.")
    return value


def _missing_run_message(folder: Path, algo: str, env_id: str, exp_id: int, numbers: list[int]) -> str:
    train = f"Train one first: python -m rl_units train --algo {algo} --env {env_id} -f {folder}"
    if numbers:
        return f"There is no run {exp_id} of {algo} on {env_id} in {folder}; there are: {numbers}."
    others = sorted(f"{path.parent.name}/{path.name}" for path in folder.glob("*/*_[0-9]*") if path.is_dir())
    if others:
        return f"{folder} has no run of {algo} on {env_id}; it has: {', '.join(others[:8])}. {train}"
    return f"{folder} has no trained runs. {train}"
