"""What a search starts from and what it leaves: hyperparameters as YAML that the Zoo reads, and two pictures."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from rl_units.course import load_course
from rl_units.environments import is_atari
from rl_units.errors import ConfigError
from rl_units.files import atomic_path, write_text
from rl_units.yaml_files import dump_yaml, read_yaml


def base_hyperparameters(algo: str, env_id: str, config: Path | None = None) -> dict[str, Any]:
    """The hyperparameters that a search varies.

    Args:
        algo: Algorithm name.
        env_id: Gymnasium id.
        config: YAML file in the Zoo's form; if None the course's, or else the Zoo's own.

    Raises:
        ConfigError: If the file has none for the environment, is no YAML, or the Zoo cannot search them.
    """
    from rl_zoo3.hyperparams_opt import HYPERPARAMS_SAMPLER

    if algo not in HYPERPARAMS_SAMPLER:
        raise ConfigError(f"The Zoo has no search space for {algo}; it has for: {', '.join(HYPERPARAMS_SAMPLER)}.")
    path = config or load_course().hyperparameters_for(algo, env_id) or _zoo_file(algo)
    if path.suffix not in (".yml", ".yaml"):
        raise ConfigError(f"{path} is not a .yml file; a search reads no Python, because that would run it.")
    document = read_yaml(path)
    key = next((k for k in (env_id, "atari" if is_atari(env_id) else env_id, "default") if k in document), None)
    if key is None or not isinstance(document[key], dict):
        raise ConfigError(f"{path} has no hyperparameters for {env_id}. Write some and pass the file with -c.")
    if "HerReplayBuffer" in str(document[key].get("replay_buffer_class")):
        raise ConfigError(f"{env_id} uses hindsight replay, whose search only rl_zoo3.train -optimize knows.")
    return dict(document[key])


def best_hyperparameters(base: Mapping[str, Any], algo: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The base hyperparameters with those of a trial, as the Zoo trained it.

    Args:
        base: What the search started from.
        algo: Algorithm name.
        params: `optuna.Trial.params`, for example `{"batch_size_pow": 5, "net_arch": "small", ...}`.

    Returns:
        Plain values; `policy_kwargs` as the Zoo's text, because YAML holds no classes.
    """
    from rl_zoo3.hyperparams_opt import HYPERPARAMS_CONVERTER

    found = HYPERPARAMS_CONVERTER[algo](dict(params))
    if found.get("noise_type", "") is None:
        # The trial had no noise of its own, so the base's, if any, stayed.
        found = {key: value for key, value in found.items() if key not in ("noise_type", "noise_std")}
    if "policy_kwargs" in found:
        found["policy_kwargs"] = zoo_text(found["policy_kwargs"])
    return {**base, **found}


def zoo_text(value: Any) -> str:
    """A value as the Zoo's YAML files write it, for example `dict(net_arch=[64, 64], activation_fn=nn.ReLU)`."""
    if isinstance(value, dict):
        return f"dict({', '.join(f'{key}={zoo_text(entry)}' for key, entry in value.items())})"
    if isinstance(value, type):
        return f"nn.{value.__name__}"  # the Zoo's samplers choose among torch.nn's activations only
    return repr(value)


def write_hyperparameters(hyperparameters: Mapping[str, Any], env_id: str, path: Path) -> None:
    """Writes hyperparameters as a file for `train -c`.

    Raises:
        StorageError: If it cannot be written.
    """
    write_text(path, dump_yaml({env_id: dict(hyperparameters)}))


def draw_study(study: optuna.Study, folder: Path) -> list[str]:
    """Draws `optimization_history.png` and, where it can be told, `param_importances.png`.

    Args:
        study: With at least one finished trial.
        folder: Where the pictures go.

    Returns:
        A line for each: its path, or why there is none.

    Raises:
        StorageError: If a picture cannot be written.
    """
    from optuna.visualization import matplotlib as drawings

    lines = [_draw(drawings.plot_optimization_history, study, folder / "optimization_history.png")]
    values = [trial.value for trial in study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])]
    if len(set(values)) < 2:
        return [*lines, "No param_importances.png: that needs two finished trials with different returns."]
    return [*lines, _draw(drawings.plot_param_importances, study, folder / "param_importances.png")]


def _draw(draw: Any, study: optuna.Study, path: Path) -> str:
    from matplotlib import pyplot as plt  # Optuna draws with it

    with warnings.catch_warnings(), plt.rc_context({"backend": "agg"}):
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.simplefilter("ignore", UserWarning)  # "may be inaccurate": with few trials everything is
        try:
            figure = draw(study).figure
        except (RuntimeError, ValueError) as error:
            plt.close()
            return f"No {path.name}: {error}"
    figure.set_size_inches(9, 5.2)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150, bbox_inches="tight", format="png")
    plt.close(figure)
    return str(path)


def _zoo_file(algo: str) -> Path:
    import rl_zoo3

    return Path(rl_zoo3.__file__).parent / "hyperparams" / f"{algo}.yml"
