"""SB3's zip, read without unpickling: weights from `policy.pth`, everything else from the plain part of `data`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gymnasium import spaces

from rl_units.agents import documents
from rl_units.agents.architecture import ACTIVATIONS, ALGORITHMS, Space, architecture
from rl_units.agents.archives import MAX_WEIGHT_BYTES, read_members
from rl_units.agents.documents import parse_json
from rl_units.agents.excerpts import excerpt
from rl_units.agents.specification import AgentSpec
from rl_units.agents.weights import Weights, read_pth
from rl_units.errors import UnsafeAgentError

_DATA, _POLICY = "data", "policy.pth"
_ACTIVATION_NAMES = {str(cls): name for name, cls in ACTIVATIONS.items()}
_EXTRACTORS = {
    f"<class 'stable_baselines3.common.torch_layers.{name}'>": policy
    for name, policy in (
        ("FlattenExtractor", "MlpPolicy"),
        ("NatureCNN", "CnnPolicy"),
        ("CombinedExtractor", "MultiInputPolicy"),
    )
}
# Attributes that only SB3's TRPO (sb3-contrib) saves; its weights have the names of PPO's.
_TRPO = "cg_max_steps"


def read_sb3_zip(
    path: Path, env_id: str, observation_space: Space, algo: str | None = None
) -> tuple[AgentSpec, Weights]:
    """Reads specification and weights of an SB3 zip; no part of it is unpickled or run.

    Args:
        path: The zip.
        env_id: Goes into the specification.
        observation_space: Of our environment; tells SB3's extractors without weights apart.
        algo: Settles what the zip leaves open.

    Returns:
        Specification, and the policy's state dictionary as it was saved.

    Raises:
        UnsafeAgentError: Names what is wrong, see `archives`, `weights` and `architecture`; `custom-extractor` and
            `unknown-policy` for somebody's own classes.
    """
    members = read_members(path, {_DATA: documents.MAX_BYTES, _POLICY: MAX_WEIGHT_BYTES})
    data = parse_json(members[_DATA], _DATA)
    weights = read_pth(members[_POLICY], _POLICY)
    found = _infer_algorithm(weights, data, algo)
    _check_policy_class(found, data.get("policy_class"))
    policy = _infer_policy(weights, observation_space)
    return AgentSpec(found, policy, env_id, _plain_kwargs(found, policy, data)), weights


def _infer_algorithm(weights: Weights, data: Mapping[str, Any], hint: str | None) -> str:
    modules = {name.split(".", 1)[0] for name in weights}
    if "q_net" in modules:
        return "dqn"
    if "quantile_net" in modules:
        return "qrdqn"
    if "actor" in modules:
        return (
            "sac"
            if any(name.startswith("actor.latent_pi.") or name == "actor.mu.weight" for name in weights)
            else "td3"
        )
    if "action_net" in modules and _TRPO not in data:
        # PPO and A2C have the same networks; only what the algorithm keeps beside them differs.
        if hint in ("ppo", "a2c") and not data:
            return hint
        return "ppo" if "clip_range" in data else "a2c"
    raise UnsafeAgentError(
        "unknown-algorithm",
        f"The names of the weights are not those of an agent of {', '.join(ALGORITHMS)}. Train it with one of them.",
    )


def _check_policy_class(algo: str, saved: Any) -> None:
    module = saved.get("__module__") if isinstance(saved, dict) else None
    if module not in (None, architecture(algo).policy_module):
        raise UnsafeAgentError("unknown-policy", f"The policy class comes from {excerpt(module)!r}, not from SB3.")


def _infer_policy(weights: Weights, observation_space: Space) -> str:
    if isinstance(observation_space, spaces.Dict) or any(".extractors." in f".{name}" for name in weights):
        return "MultiInputPolicy"
    return "CnnPolicy" if any("features_extractor.cnn." in name for name in weights) else "MlpPolicy"


def _plain_kwargs(algo: str, policy: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The policy's arguments from the plain items that SB3 writes beside the pickled ones."""
    saved = data.get("policy_kwargs") or {}
    if not isinstance(saved, dict):
        raise UnsafeAgentError("bad-policy-kwargs", "policy_kwargs must be a table.")
    kwargs = {
        name: value for name, value in saved.items() if not name.startswith(":") and not name.startswith("optimizer_")
    }
    extractor = kwargs.pop("features_extractor_class", None)
    if extractor is not None and _EXTRACTORS.get(str(extractor)) != policy:
        raise UnsafeAgentError(
            "custom-extractor", f"The features extractor {excerpt(extractor)} is not one of SB3's, or not this one."
        )
    if "activation_fn" in kwargs:
        name = _ACTIVATION_NAMES.get(str(kwargs["activation_fn"]))
        if name is None:
            raise UnsafeAgentError(
                "bad-policy-kwargs", f"The activation {excerpt(kwargs['activation_fn'])} is not on our list."
            )
        kwargs["activation_fn"] = name
    if "net_arch" in kwargs:
        kwargs["net_arch"] = _modern_net_arch(kwargs["net_arch"])
    if data.get("use_sde") is True and "use_sde" in architecture(algo).arguments:
        kwargs["use_sde"] = True  # for PPO and A2C SB3 saves it beside the policy's arguments
    return kwargs


def _modern_net_arch(saved: Any) -> Any:
    """`[{"pi": …, "vf": …}]`, as SB3 wrote it before 1.8, without its list."""
    is_legacy = isinstance(saved, list) and len(saved) == 1 and isinstance(saved[0], dict)
    return saved[0] if is_legacy else saved
