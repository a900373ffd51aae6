"""The whole state of a training run between two rollouts, as plain numbers and tensors.

What is collected here is what SB3 needs to go on as if nothing had happened: weights and optimizers, counters,
schedules, episode statistics, normalisation, the random generators of training, and the environments where they can
tell their state. Those that cannot start a new episode, and action noise begins anew.
"""

import random
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch as th
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, EvalCallback
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.save_util import recursive_getattr, recursive_setattr
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from rl_units.errors import CheckpointError
from rl_units.training.environments import (
    environment_state,
    generator_states,
    plain_generator,
    restore_environment,
    restore_generators,
)

# Counters of SB3's algorithms; `_n_calls` (target network) and `exploration_rate` exist for some of them only.
_COUNTERS = (
    "num_timesteps",
    "_total_timesteps",
    "_episode_num",
    "_n_updates",
    "_n_calls",
    "_current_progress_remaining",
    "exploration_rate",
)


def counters(model: BaseAlgorithm) -> dict[str, Any]:
    """Step counts, schedules and the windows of recent episodes; plain numbers."""
    state: dict[str, Any] = {name: float(getattr(model, name)) for name in _COUNTERS if hasattr(model, name)}
    state = {name: int(value) if value.is_integer() else value for name, value in state.items()}
    state["episodes"] = [{key: float(value) for key, value in info.items()} for info in model.ep_info_buffer or ()]
    state["successes"] = [float(value) for value in model.ep_success_buffer or ()]
    return state


def restore_counters(model: BaseAlgorithm, state: Mapping[str, Any], total_timesteps: int) -> None:
    """Sets what `counters` returned; a schedule goes on towards `total_timesteps`.

    Args:
        model: A model whose `learn` has begun.
        state: See `counters`.
        total_timesteps: The whole run's budget, which may be larger than it was.
    """
    for name in _COUNTERS:
        if name in state:
            setattr(model, name, state[name])
    model._total_timesteps = total_timesteps
    model._num_timesteps_at_start = model.num_timesteps  # SB3 computes its frames per second from here
    model.ep_info_buffer = deque(state["episodes"], maxlen=model._stats_window_size)
    model.ep_success_buffer = deque(state["successes"], maxlen=model._stats_window_size)


def tensors(model: BaseAlgorithm, callbacks: Sequence[BaseCallback] = ()) -> dict[str, Any]:
    """Weights, optimizers, torch's random state and the environments; loads with `weights_only=True`.

    Args:
        model: What is trained.
        callbacks: Those that may have environments of their own.
    """
    _, variables = model._get_torch_save_params()
    random_states = {"cpu": th.get_rng_state()}
    if model.device.type == "cuda":
        random_states["cuda"] = th.cuda.get_rng_state(model.device)
    return {
        "parameters": model.get_parameters(),
        "variables": {name: recursive_getattr(model, name) for name in variables},
        "random": random_states,
        "environments": [environment_state(env) for env in _environments(model, callbacks)],
        "observation": th.as_tensor(model._last_obs) if isinstance(model._last_obs, np.ndarray) else None,
    }


def restore_tensors(model: BaseAlgorithm, state: Mapping[str, Any]) -> None:
    """Sets what `tensors` returned.

    Raises:
        ValueError: If a tensor is missing or of another shape (from SB3 and torch).
        KeyError: If a part is missing.
        RuntimeError: As ValueError.
    """
    model.set_parameters(state["parameters"], exact_match=True, device=model.device)
    for name, value in state["variables"].items():
        # In place, because an optimizer may hold the very tensor (SAC's entropy coefficient).
        current = recursive_getattr(model, name)
        if isinstance(current, th.Tensor):
            with th.no_grad():
                current.copy_(value)
        else:
            recursive_setattr(model, name, value)
    th.set_rng_state(state["random"]["cpu"])
    if "cuda" in state["random"] and model.device.type == "cuda":
        th.cuda.set_rng_state(state["random"]["cuda"], model.device)


def random_states(model: BaseAlgorithm) -> dict[str, Any]:
    """State of Python's, numpy's, the action space's and each environment's generator; plain numbers."""
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002 # SB3 explores with it
    return {
        "python": [version, list(words), gauss],
        "numpy": [name, [int(key) for key in keys], int(position), int(has_gauss), float(cached)],
        "action_space": plain_generator(model.action_space.np_random),
        "environments": generator_states(_environment(model)),
    }


def restore_random_states(model: BaseAlgorithm, state: Mapping[str, Any]) -> None:
    """Sets what `random_states` returned. Call it after the set-up of the environments, which draws numbers.

    Raises:
        KeyError: If a part is missing.
        TypeError: If a part is malformed.
        ValueError: As TypeError.
    """
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), position, has_gauss, cached))  # noqa: NPY002 # as above
    model.action_space.np_random.bit_generator.state = state["action_space"]
    restore_generators(_environment(model), state["environments"])


def normalization(model: BaseAlgorithm) -> dict[str, NDArray[Any]]:
    """Running statistics of `VecNormalize`, by name; empty without it."""
    wrapper = model.get_vec_normalize_env()
    if wrapper is None:
        return {}
    arrays: dict[str, NDArray[Any]] = {"returns": np.asarray(wrapper.returns)}
    for name, statistics in _running_statistics(wrapper):
        arrays[f"{name}/mean"] = np.asarray(statistics.mean)
        arrays[f"{name}/var"] = np.asarray(statistics.var)
        arrays[f"{name}/count"] = np.asarray(statistics.count)
    return arrays


def restore_normalization(model: BaseAlgorithm, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Sets what `normalization` returned.

    Raises:
        KeyError: If a statistic is missing.
    """
    wrapper = model.get_vec_normalize_env()
    if wrapper is None:
        return
    wrapper.returns = arrays["returns"]
    for name, statistics in _running_statistics(wrapper):
        statistics.mean = arrays[f"{name}/mean"]
        statistics.var = arrays[f"{name}/var"]
        statistics.count = float(arrays[f"{name}/count"])


def callback_states(callbacks: list[BaseCallback]) -> list[dict[str, Any]]:
    """Call counts of the Zoo's callbacks and the evaluations so far; plain numbers."""
    states = []
    for callback in callbacks:
        state: dict[str, Any] = {"type": type(callback).__name__, "n_calls": callback.n_calls}
        if isinstance(callback, EvalCallback):
            state["best"] = _number(callback.best_mean_reward)
            state["last"] = _number(callback.last_mean_reward)
            state["timesteps"] = [int(step) for step in callback.evaluations_timesteps]
            state["results"] = [[float(value) for value in row] for row in callback.evaluations_results]
            state["lengths"] = [[int(value) for value in row] for row in callback.evaluations_length]
        states.append(state)
    return states


def restore_callbacks(callbacks: list[BaseCallback], states: list[Mapping[str, Any]]) -> None:
    """Sets what `callback_states` returned, so that a better model is not overwritten by a worse one.

    Raises:
        KeyError: If a part is missing.
        ValueError: If the callbacks are others than they were.
    """
    for callback, state in zip(callbacks, states, strict=True):
        if state["type"] != type(callback).__name__:
            raise ValueError(f"the callback {state['type']} has become {type(callback).__name__}")
        callback.n_calls = state["n_calls"]
        if isinstance(callback, EvalCallback):
            saved = -np.inf if state["best"] is None else state["best"]
            callback.best_mean_reward = max(saved, _best_on_disk(callback))
            callback.last_mean_reward = -np.inf if state["last"] is None else state["last"]
            callback.evaluations_timesteps = list(state["timesteps"])
            callback.evaluations_results = list(state["results"])
            callback.evaluations_length = list(state["lengths"])


def _best_on_disk(callback: EvalCallback) -> float:
    """Best mean of `evaluations.npz`, which may be newer than the checkpoint; so is then the best model."""
    try:
        with Path(f"{callback.log_path}.npz").open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return float(np.nanmax(archive["results"].mean(axis=1)))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return -np.inf


def restore_environments(model: BaseAlgorithm, callbacks: Sequence[BaseCallback], state: Mapping[str, Any]) -> bool:
    """Puts the environments where they were, if they could tell it, and starts a new episode in them otherwise.

    Args:
        model: What is trained.
        callbacks: As for `tensors`.
        state: See `tensors`.

    Returns:
        Whether the episodes of training go on.

    Raises:
        CheckpointError: If environments in processes of their own refused and are gone.
    """
    environments = list(_environments(model, callbacks))
    saved = state.get("environments") or [None] * len(environments)
    try:
        for env, kept in zip(environments, saved, strict=True):
            if kept is not None:
                restore_environment(env, kept)
    except (KeyError, TypeError, ValueError) as error:
        # Another version of the emulator, say: what was learnt is worth more than the games that were running.
        print(f"The games that were running cannot go on here, so new ones begin: {error}")  # noqa: T201 # for the student
        saved = [None]
    except (EOFError, ConnectionError) as error:
        raise CheckpointError(
            "The games that were running cannot go on in processes of their own, which ended. "
            "Resume with --vec-env dummy."
        ) from error
    if saved[0] is None or state["observation"] is None:
        _restart_environments(model)
        return False
    model._last_obs = state["observation"].numpy()
    model._last_episode_starts = np.zeros((model.n_envs,), dtype=bool)
    return True


def _environments(model: BaseAlgorithm, callbacks: Sequence[BaseCallback]) -> Iterator[VecEnv]:
    """The environments of training, and those that evaluate."""
    yield _environment(model)
    yield from (callback.eval_env for callback in callbacks if isinstance(callback, EvalCallback))


def _restart_environments(model: BaseAlgorithm) -> None:
    environment = _environment(model)
    model._last_obs = environment.reset()  # type: ignore[assignment] # SB3 types it narrower than its environments
    model._last_episode_starts = np.ones((environment.num_envs,), dtype=bool)
    wrapper = model.get_vec_normalize_env()
    if wrapper is not None:
        model._last_original_obs = wrapper.get_original_obs()


def _environment(model: BaseAlgorithm) -> VecEnv:
    environment = model.get_env()
    if environment is None:
        raise AssertionError("a model that learns has an environment")
    return environment


def _running_statistics(wrapper: VecNormalize) -> Iterator[tuple[str, RunningMeanStd]]:
    yield "reward", wrapper.ret_rms
    if wrapper.norm_obs:
        statistics: Any = wrapper.obs_rms  # a dictionary of them for Dict spaces, which SB3's type leaves out
        if isinstance(statistics, dict):
            yield from ((f"observation/{key}", entry) for key, entry in statistics.items())
        else:
            yield "observation", statistics


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
