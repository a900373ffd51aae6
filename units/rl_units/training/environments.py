"""The state of environments in the middle of their episodes, where they can tell it.

Most environments cannot: no general one can be saved. Those that are wrapped in `AtariPreprocessing` can, so their
runs go on to the bit where they were.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch as th
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecFrameStack, VecTransposeImage
from stable_baselines3.common.vec_env.base_vec_env import VecEnvWrapper

from rl_units.dqn.preprocessing import AtariPreprocessing

_WITHOUT_STATE = (VecTransposeImage,)


def environment_state(env: VecEnv) -> dict[str, Any] | None:
    """Where every environment is, as numbers, text and tensors in containers; None if one of them cannot tell."""
    stacks: list[th.Tensor] = []
    while isinstance(env, VecEnvWrapper):
        if isinstance(env, VecFrameStack):
            stacked: Any = env.stacked_obs.stacked_obs  # a dictionary for Dict spaces, which SB3's type leaves out
            if isinstance(stacked, dict):
                return None
            stacks.append(th.from_numpy(stacked.copy()))
        elif type(env) not in _WITHOUT_STATE:
            return None
        env = env.venv
    if not _can_tell(env):
        return None
    return {
        "stacks": stacks,
        "games": [_with_tensors(state) for state in env.env_method("get_state")],
        "generators": generator_states(env),
    }


def _can_tell(env: VecEnv) -> bool:
    """Whether each environment is Atari's preprocessing, around which and in which nothing has a state of its own."""
    if type(env) not in (DummyVecEnv, SubprocVecEnv) or not all(env.env_is_wrapped(AtariPreprocessing)):
        return False
    outermost = env.env_method("class_name")
    return all(name == AtariPreprocessing.class_name() for name in outermost) and all(env.get_attr("can_be_saved"))


def restore_environment(env: VecEnv, state: Mapping[str, Any]) -> None:
    """Sets what `environment_state` gave, in environments of the same kind.

    Raises:
        KeyError: If a part is missing.
        TypeError: If a part is malformed.
        ValueError: As TypeError.
    """
    stacks = list(state["stacks"])
    while isinstance(env, VecEnvWrapper):
        if isinstance(env, VecFrameStack):
            env.stacked_obs.stacked_obs[...] = stacks.pop(0).numpy()
        env = env.venv
    if stacks or len(state["games"]) != env.num_envs:
        raise ValueError("its environments are stacked or counted otherwise")
    for index, game in enumerate(state["games"]):
        env.env_method("set_state", _with_arrays(game), indices=[index])
    restore_generators(env, state["generators"])


def generator_states(env: VecEnv) -> list[dict[str, Any]]:
    """State of each environment's random generator; plain numbers."""
    return [plain_generator(rng) for rng in env.get_attr("np_random")]


def restore_generators(env: VecEnv, states: Sequence[Mapping[str, Any]]) -> None:
    """Sets what `generator_states` gave.

    Raises:
        KeyError: If a part is missing.
        TypeError: If a part is malformed.
        ValueError: As TypeError.
    """
    for index, (rng, saved) in enumerate(zip(env.get_attr("np_random"), states, strict=True)):
        rng.bit_generator.state = saved
        env.set_attr("np_random", rng, [index])


def plain_generator(rng: np.random.Generator) -> dict[str, Any]:
    """A generator's state with its arrays as lists, which every bit generator takes back."""
    state: dict[str, Any] = _with_lists(rng.bit_generator.state)
    return state


def _with_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_lists(entry) for key, entry in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value


def _with_tensors(value: Any) -> Any:
    """The same with tensors for arrays, which torch's safe loader takes."""
    if isinstance(value, dict):
        return {key: _with_tensors(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_with_tensors(entry) for entry in value]
    return th.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def _with_arrays(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_arrays(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_with_arrays(entry) for entry in value]
    return value.numpy() if isinstance(value, th.Tensor) else value
