"""Which networks we build: algorithms, policies and their arguments, each on an allow-list."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from gymnasium import spaces
from sb3_contrib import QRDQN
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from torch import nn

from rl_units.agents.excerpts import excerpt
from rl_units.errors import UnsafeAgentError

Space: TypeAlias = spaces.Space[Any]

ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    cls.__name__: cls
    for cls in (
        nn.CELU, nn.ELU, nn.GELU, nn.Hardswish, nn.Hardtanh, nn.Identity, nn.LeakyReLU, nn.Mish, nn.ReLU, nn.ReLU6,
        nn.SELU, nn.SiLU, nn.Sigmoid, nn.Softplus, nn.Softsign, nn.Tanh,
    )
}  # fmt: skip
"""Activation functions by the name that `agent.json` uses: deterministic, elementwise, without weights."""

_MAX_LAYERS = 16
_MAX_CRITICS = 10
_EXTRACTOR_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "MlpPolicy": (),
    "CnnPolicy": ("features_dim", "normalized_image"),
    "MultiInputPolicy": ("cnn_output_dim", "normalized_image"),
}


@dataclass(frozen=True)
class Architecture:
    """What we know of one algorithm.

    Attributes:
        algorithm: SB3's class.
        policy_module: Module of its policy classes; a policy from elsewhere is somebody's own code.
        arguments: Allowed `policy_kwargs`.
        networks: Names that a `net_arch` table may have.
        actions: Kinds of action space it plays.
        acting: Prefixes of the weights that choose the deterministic action.
        copies: Prefix of weights that repeat others, with the prefix of those: target networks and shared extractors.
    """

    algorithm: type[BaseAlgorithm]
    policy_module: str
    arguments: frozenset[str]
    networks: tuple[str, ...]
    actions: tuple[type[Space], ...]
    acting: tuple[str, ...]
    copies: Mapping[str, str]


_COMMON = frozenset({"net_arch", "activation_fn", "features_extractor_kwargs", "normalize_images"})
_SDE = frozenset({"use_sde", "log_std_init", "use_expln"})
_CRITICS = frozenset({"n_critics", "share_features_extractor"})
_ON_POLICY = _COMMON | _SDE | {"ortho_init", "full_std", "squash_output", "share_features_extractor"}
_ACTOR_CRITIC = ("features_extractor.", "mlp_extractor.policy_net.", "action_net.")
_SHARED = {"pi_features_extractor.": "features_extractor.", "vf_features_extractor.": "features_extractor."}
_ANY_ACTIONS = (spaces.Discrete, spaces.Box, spaces.MultiDiscrete, spaces.MultiBinary)
_CRITIC_COPIES = {"critic.features_extractor.": "actor.features_extractor.", "critic_target.": "critic."}

ALGORITHMS: Mapping[str, Architecture] = {
    "dqn": Architecture(
        DQN, "stable_baselines3.dqn.policies", _COMMON, (), (spaces.Discrete,), ("q_net.",),
        {"q_net_target.": "q_net."},
    ),
    "qrdqn": Architecture(
        QRDQN, "sb3_contrib.qrdqn.policies", _COMMON | {"n_quantiles"}, (), (spaces.Discrete,), ("quantile_net.",),
        {"quantile_net_target.": "quantile_net."},
    ),
    "ppo": Architecture(
        PPO, "stable_baselines3.common.policies", _ON_POLICY, ("pi", "vf"), _ANY_ACTIONS, _ACTOR_CRITIC, _SHARED
    ),
    "a2c": Architecture(
        A2C, "stable_baselines3.common.policies", _ON_POLICY, ("pi", "vf"), _ANY_ACTIONS, _ACTOR_CRITIC, _SHARED
    ),
    "sac": Architecture(
        SAC, "stable_baselines3.sac.policies", _COMMON | _SDE | _CRITICS | {"clip_mean"}, ("pi", "qf"), (spaces.Box,),
        ("actor.features_extractor.", "actor.latent_pi.", "actor.mu."), _CRITIC_COPIES,
    ),
    "td3": Architecture(
        TD3, "stable_baselines3.td3.policies", _COMMON | _CRITICS, ("pi", "qf"), (spaces.Box,), ("actor.",),
        {"actor_target.": "actor.", **_CRITIC_COPIES},
    ),
}  # fmt: skip
"""Everything that is loaded, by the Zoo's name."""


def architecture(algo: str) -> Architecture:
    """The entry of an algorithm.

    Raises:
        UnsafeAgentError: `unknown-algorithm`.
    """
    if algo not in ALGORITHMS:
        raise UnsafeAgentError(
            "unknown-algorithm",
            f"Agents of {excerpt(algo)!r} cannot be loaded safely; those of {', '.join(ALGORITHMS)} can.",
        )
    return ALGORITHMS[algo]


def check_policy_kwargs(algo: str, policy: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Checks the arguments of a policy, given as plain values.

    Args:
        algo: Algorithm name.
        policy: `"MlpPolicy"`, `"CnnPolicy"` or `"MultiInputPolicy"`.
        kwargs: Arguments; the activation function by its name in `ACTIVATIONS`.

    Returns:
        A copy without those that are None.

    Raises:
        UnsafeAgentError: `unknown-policy`, `unknown-policy-kwargs` for a name that is not allowed,
            `bad-policy-kwargs` for a value that makes no sense.
    """
    known = architecture(algo)
    if policy not in _EXTRACTOR_ARGUMENTS:
        raise UnsafeAgentError(
            "unknown-policy", f"There is no policy {excerpt(policy)!r}; there are Mlp, Cnn and MultiInput."
        )
    unknown = sorted(set(kwargs) - known.arguments)
    if unknown:
        raise UnsafeAgentError(
            "unknown-policy-kwargs", f"policy_kwargs of {algo} may not have: {excerpt(', '.join(unknown))}."
        )
    given = {name: value for name, value in kwargs.items() if value is not None}
    for name, value in given.items():
        if name == "net_arch":
            is_valid = _is_net_arch(value, known.networks)
        elif name == "features_extractor_kwargs":
            is_valid = _are_extractor_arguments(value, _EXTRACTOR_ARGUMENTS[policy])
        else:
            is_valid = _CHECKS.get(name, _is_flag)(value)
        if not is_valid:
            raise UnsafeAgentError("bad-policy-kwargs", f"policy_kwargs: {name} cannot be {excerpt(value)!r}.")
    return given


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e6


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1_000_000_000


def _is_small_count(value: Any) -> bool:
    return _is_count(value) and value <= _MAX_CRITICS


def _is_activation(value: Any) -> bool:
    return isinstance(value, str) and value in ACTIVATIONS


def _is_net_arch(value: Any, networks: tuple[str, ...]) -> bool:
    if isinstance(value, dict):
        return set(value) <= set(networks) and all(_is_net_arch(arch, ()) for arch in value.values())
    return isinstance(value, list) and len(value) <= _MAX_LAYERS and all(_is_count(width) for width in value)


def _are_extractor_arguments(value: Any, names: tuple[str, ...]) -> bool:
    return (
        isinstance(value, dict)
        and set(value) <= set(names)
        and all(_is_flag(entry) if name == "normalized_image" else _is_count(entry) for name, entry in value.items())
    )


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "activation_fn": _is_activation,
    "log_std_init": _is_number,
    "clip_mean": _is_number,
    "n_critics": _is_small_count,
    "n_quantiles": _is_count,
}
