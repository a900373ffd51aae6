"""Run configurations that travel: a student's own as plain YAML, a stranger's cut down to what is harmless.

`rl_zoo3` evaluates some strings of `config.yml` as Python and imports what others name. So of a stranger's file only
numbers and a few known words are kept, and whatever decides how the environment is made is written from the protocol
and the loaded weights.
"""

import math
import re
import shlex
from collections.abc import Mapping
from typing import Any

from rl_units.course import Protocol
from rl_units.runs import Run
from rl_units.yaml_files import plain

ATARI_WRAPPER = "stable_baselines3.common.atari_wrappers.AtariWrapper"

_POLICIES = ("MlpPolicy", "CnnPolicy", "MultiInputPolicy")
# Hyperparameters of the algorithms that the safe loader reads, and of the Zoo around them; all of them numbers.
_NUMBERS = frozenset(
    {
        "batch_size",
        "buffer_size",
        "clip_range",
        "ent_coef",
        "exploration_final_eps",
        "exploration_fraction",
        "exploration_initial_eps",
        "gae_lambda",
        "gamma",
        "gradient_steps",
        "learning_rate",
        "learning_starts",
        "max_grad_norm",
        "n_envs",
        "n_epochs",
        "n_steps",
        "n_timesteps",
        "normalize_advantage",
        "optimize_memory_usage",
        "policy_delay",
        "sde_sample_freq",
        "target_noise_clip",
        "target_policy_noise",
        "target_update_interval",
        "tau",
        "train_freq",
        "use_sde",
        "vf_coef",
    }
)
_PUBLIC_ARGUMENTS = frozenset(
    {
        "algo",
        "device",
        "env",
        "env_kwargs",
        "eval_env_kwargs",
        "eval_episodes",
        "eval_freq",
        "gym_packages",
        "hyperparams",
        "log_interval",
        "n_eval_envs",
        "n_timesteps",
        "num_threads",
        "save_freq",
        "save_replay_buffer",
        "seed",
        "truncate_last_trajectory",
        "uuid",
        "vec_env",
        "verbose",
    }
)
# The Zoo's linear schedule, which it parses as a number after the underscore.
_SCHEDULE = re.compile(r"lin_[0-9][0-9.eE+-]{0,20}")
_MAX_DEPTH = 8  # levels of env_kwargs


def public_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A student's own `args.yml` for everybody to read: how the agent was trained, and nothing about the machine.

    Left out are above all `storage`, which may hold a password, and the places of files.

    Args:
        arguments: The command line as the Zoo saved it; may be empty.

    Returns:
        The arguments, `env_kwargs` among them, which the Zoo asks for.
    """
    return {"env_kwargs": None, **{name: value for name, value in arguments.items() if name in _PUBLIC_ARGUMENTS}}


def received_config(config: Mapping[str, Any], protocol: Protocol, is_normalized: bool) -> dict[str, Any]:
    """What is written as `config.yml` of an agent that somebody else trained.

    Args:
        config: Their configuration.
        protocol: Says how the environment is wrapped.
        is_normalized: Whether the agent sees normalised observations.

    Returns:
        Plain data that no reader evaluates or imports anything from, except SB3's own Atari wrapper.
    """
    kept = {name: value for name, value in config.items() if name in _NUMBERS and _is_number(value)}
    if config.get("policy") in _POLICIES:
        kept["policy"] = config["policy"]
    if protocol.preprocessing == "atari":
        kept["env_wrapper"] = [ATARI_WRAPPER]
    if protocol.frame_stack > 1:
        kept["frame_stack"] = protocol.frame_stack
    return {**kept, "normalize": is_normalized}


def received_arguments(run: Run, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What is written as `args.yml` of an agent that somebody else trained; the Zoo reads `env_kwargs` from it.

    Args:
        run: The agent's run.
        arguments: Their arguments.
    """
    numbers = {name: arguments[name] for name in ("seed", "n_timesteps") if _is_number(arguments.get(name))}
    return {**numbers, "algo": run.algo, "env": run.env_id, "env_kwargs": dict(run.protocol.env_kwargs) or None}


def received_env_kwargs(value: Any) -> dict[str, Any]:
    """Arguments of the environment's constructor in a stranger's file: plain data, and no render mode.

    Args:
        value: Whatever stood there.

    Returns:
        An empty dictionary if it is no mapping, or nested beyond all use.
    """
    if not isinstance(value, Mapping) or not _is_shallow(value, _MAX_DEPTH):
        return {}
    kept: dict[str, Any] = plain(dict(value))
    kept.pop("render_mode", None)  # the commands set their own
    return kept


def train_command(run: Run, arguments: Mapping[str, Any]) -> str:
    """The command line that trains such an agent, from the arguments that the Zoo saved.

    Args:
        run: The run.
        arguments: Content of its `args.yml`; may be empty.
    """
    words = ["python", "-m", "rl_units", "train", "--algo", run.algo, "--env", run.env_id, "-f", "logs/"]
    for flag, name in (("-n", "n_timesteps"), ("--seed", "seed")):
        value = arguments.get(name)
        if isinstance(value, int) and value >= 0:  # the Zoo saves -1 for what was not given
            words += [flag, str(value)]
    for flag, name in (("--hyperparams", "hyperparams"), ("--env-kwargs", "env_kwargs")):
        value = arguments.get(name)
        if isinstance(value, Mapping) and value:
            words += [flag, *(f"{key}:{entry!r}" for key, entry in value.items())]
    return shlex.join(words)


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return _SCHEDULE.fullmatch(value) is not None
    if isinstance(value, list | tuple):  # train_freq: [1, episode]
        return len(value) == 2 and _is_number(value[0]) and value[1] in ("step", "episode")
    return isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))


def _is_shallow(value: Any, depth: int) -> bool:
    if isinstance(value, Mapping):
        return depth > 0 and all(_is_shallow(entry, depth - 1) for entry in value.values())
    if isinstance(value, list | tuple):
        return depth > 0 and all(_is_shallow(entry, depth - 1) for entry in value)
    return True
