"""Environments as the agent sees them: made from a protocol, wrapped exactly as the Zoo wraps them.

The wrapping is SB3's own code, one environment at a time, so that an episode is the same whether it is played alone,
beside others, or by SB3's `evaluate_policy`.
"""

import copy
import difflib
import functools
import importlib
import importlib.util
import re
from typing import Any, SupportsFloat, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.atari_wrappers import AtariWrapper
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.preprocessing import is_image_space, is_image_space_channels_first
from stable_baselines3.common.vec_env.stacked_observations import StackedObservations
from stable_baselines3.common.vec_env.vec_transpose import VecTransposeImage

from rl_units.course import Protocol
from rl_units.errors import ConfigError, EvaluationError, UnknownEnvironmentError

# Packages whose environments the Zoo registers by itself when they are installed (rl_zoo3/import_envs.py).
_ENVIRONMENT_PACKAGES = ("ale_py", "custom_envs")


@functools.cache
def register_environments() -> None:
    """Registers the Atari games and our own environments with Gymnasium, where they are installed."""
    for name in _ENVIRONMENT_PACKAGES:
        if importlib.util.find_spec(name) is not None:
            gym.register_envs(importlib.import_module(name))


def quieten_emulator() -> None:
    """Keeps the Atari emulator from writing its banner to standard error, where a service writes its log."""
    if importlib.util.find_spec("ale_py") is not None:
        ale_py = importlib.import_module("ale_py")
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)


def require_environment(env_id: str) -> None:
    """Checks that an id is registered.

    Args:
        env_id: Gymnasium id.

    Raises:
        UnknownEnvironmentError: If it is not; the message suggests the renamed successor or the closest names.
    """
    register_environments()
    if env_id in gym.registry:
        return
    successor = _successor(env_id)
    if successor is not None:
        raise UnknownEnvironmentError(f"There is no environment {env_id!r} any more; its successor is {successor!r}.")
    close = difflib.get_close_matches(env_id, list(gym.registry), n=3)
    hint = f"Did you mean {' or '.join(repr(name) for name in close)}?" if close else "Check its spelling."
    raise UnknownEnvironmentError(f"There is no environment {env_id!r}. {hint}")


def _successor(env_id: str) -> str | None:
    """The registered id of the same name and the highest version, if `env_id` differs in the version only."""
    match = re.fullmatch(r"(.+)-v\d+", env_id)
    if match is None:
        return None
    versions = [
        (int(found.group(1)), name)
        for name in gym.registry
        if (found := re.fullmatch(re.escape(match.group(1)) + r"-v(\d+)", name))
    ]
    return max(versions)[1] if versions else None


def is_atari(env_id: str) -> bool:
    """Whether the registered id is an Atari game."""
    require_environment(env_id)
    return "AtariEnv" in str(gym.spec(env_id).entry_point)


class AgentView(gym.Wrapper[Any, Any, Any, Any]):
    """Observations as SB3's vectorised wrappers hand them to a policy: images channel-first, then stacked.

    Does for one environment what `VecFrameStack` and `VecTransposeImage` do for a vector of them, with their code. They
    stack first and transpose then; the other way round the result is the same and takes a tenth of the time. A reset
    after a lost life clears the stack, as it does there.
    """

    def __init__(self, env: gym.Env[Any, Any], frame_stack: int) -> None:
        super().__init__(env)
        self._transposed_keys = _image_keys(env.observation_space)
        space = _transpose_space(env.observation_space, self._transposed_keys)
        self._stack = StackedObservations(1, frame_stack, space) if frame_stack > 1 else None  # type: ignore[arg-type] # SB3 types it for Box and Dict; it checks
        self.observation_space = space if self._stack is None else self._stack.stacked_observation_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Starts an episode, or the next life of one; see `gymnasium.Env.reset`."""
        observation, info = self.env.reset(seed=seed, options=options)
        observation = self._transpose(observation)
        if self._stack is not None:
            observation = _unbatched(self._stack.reset(_batched(observation)))
        return observation, info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Plays one decision; see `gymnasium.Env.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        observation = self._transpose(observation)
        if self._stack is not None:
            stacked, _ = self._stack.update(_batched(observation), np.zeros(1, dtype=bool), [{}])
            observation = _unbatched(stacked)
        return observation, reward, terminated, truncated, info

    def _transpose(self, observation: Any) -> Any:
        if isinstance(observation, dict):
            return {
                key: np.moveaxis(value, -1, 0) if key in self._transposed_keys else value
                for key, value in observation.items()
            }
        return np.moveaxis(observation, -1, 0) if self._transposed_keys else observation


def _image_keys(space: spaces.Space[Any]) -> frozenset[str]:
    """Keys of the channel-last images of a space; `""` stands for a space that is one itself."""
    entries = space.spaces.items() if isinstance(space, spaces.Dict) else [("", space)]
    return frozenset(
        key
        for key, entry in entries
        if is_image_space(entry) and not is_image_space_channels_first(entry)  # type: ignore[arg-type] # is_image_space has just said that it is a Box
    )


def _transpose_space(space: spaces.Space[Any], keys: frozenset[str]) -> spaces.Space[Any]:
    if isinstance(space, spaces.Dict):
        return spaces.Dict(
            {
                key: VecTransposeImage.transpose_space(entry) if key in keys else entry  # type: ignore[arg-type] # an image is a Box
                for key, entry in space.spaces.items()
            }
        )
    return VecTransposeImage.transpose_space(space) if keys else space  # type: ignore[arg-type] # an image is a Box


def _batched(observation: Any) -> Any:
    if isinstance(observation, dict):
        return {key: np.asarray(value)[None] for key, value in observation.items()}
    return np.asarray(observation)[None]


def _unbatched(observation: Any) -> Any:
    # A copy, because the stack goes on writing into its own array.
    if isinstance(observation, dict):
        return {key: value[0].copy() for key, value in observation.items()}
    return observation[0].copy()


def make_environment(protocol: Protocol, render_mode: str | None = None) -> gym.Env[Any, Any]:
    """Makes one environment of a protocol, wrapped as the Zoo wraps it for its agents.

    The innermost wrapper is SB3's `Monitor`: at the end of a full game, `info["episode"]` holds its unclipped return
    `r` and its length `l` in steps of the bare environment. A lost life ends an *agent's* episode without that key;
    the caller then calls `reset()` and plays on.

    Args:
        protocol: Says environment, wrapping, frame stack and step limit.
        render_mode: Gymnasium's render mode.

    Returns:
        The environment; image observations are channel-first uint8, for Atari `(4, 84, 84)`.

    Raises:
        UnknownEnvironmentError: If the id is not registered.
        ConfigError: If the Atari wrapping is asked for an environment that is not an Atari game without frame skip.
        EvaluationError: If the environment cannot be made.
    """
    require_environment(protocol.env_id)
    if protocol.preprocessing == "atari" and not is_atari(protocol.env_id):
        raise ConfigError(f"{protocol.env_id} is not an Atari game, so the Atari wrapping does not fit it.")
    spec = copy.deepcopy(gym.spec(protocol.env_id))
    if is_atari(protocol.env_id):
        from rl_units.atari_game import QuickAtariEnv, SeenFrames  # late: only Atari games need ale_py

        spec.entry_point = cast(Any, QuickAtariEnv)
    try:
        env: gym.Env[Any, Any] = gym.make(
            spec,
            render_mode=render_mode,
            max_episode_steps=protocol.max_episode_steps,
            disable_env_checker=True,
            **protocol.env_kwargs,
        )
    except (gym.error.Error, TypeError, ImportError) as error:
        raise EvaluationError(f"{protocol.env_id} cannot be made: {error}") from error
    env = Monitor(env)
    if protocol.preprocessing == "atari":
        env = SeenFrames(AtariWrapper(env))
    return AgentView(env, protocol.frame_stack)


def agent_spaces(protocol: Protocol) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """Observation and action space that an agent of this protocol must have.

    Returns:
        The two spaces of `make_environment(protocol)`.

    Raises:
        UserError: As `make_environment`.
    """
    env = make_environment(protocol)
    try:
        return env.observation_space, env.action_space
    finally:
        env.close()


def sample_action(space: spaces.Space[Any], rng: np.random.Generator) -> Any:
    """A uniformly random action drawn from `rng`, never from the space's own generator.

    Args:
        space: Action space.
        rng: Source of randomness.

    Returns:
        An element of `space`.

    Raises:
        EvaluationError: If the space is of another kind than Discrete, MultiDiscrete, MultiBinary or bounded Box.
    """
    if isinstance(space, spaces.Discrete):
        return space.start + rng.integers(space.n)
    if isinstance(space, spaces.MultiDiscrete):
        return space.start + rng.integers(space.nvec)
    if isinstance(space, spaces.MultiBinary):
        return rng.integers(2, size=space.shape, dtype=np.int8)
    if isinstance(space, spaces.Box) and space.is_bounded():
        return rng.uniform(space.low, space.high).astype(space.dtype)
    raise EvaluationError(f"Random actions are not defined for the action space {space}.")
