"""SB3's own policy networks, built from a specification and filled with checked weights."""

import copy
from typing import Any

import numpy as np
import torch as th
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.type_aliases import PyTorchObs

from rl_units.agents.architecture import ACTIVATIONS, ALGORITHMS, Space, architecture
from rl_units.agents.excerpts import excerpt
from rl_units.agents.network_size import check_size
from rl_units.agents.specification import AgentSpec
from rl_units.agents.weights import Weights, hash_arrays
from rl_units.errors import UnsafeAgentError

_FITS = "Use an agent that was trained in this environment."
# Settings that change what the same weights compute.
_FUNCTION_SETTINGS = ("activation_fn", "normalize_images", "squash_output", "clip_mean")


def policy_arguments(specification: AgentSpec) -> dict[str, Any]:
    """The `policy_kwargs` that SB3 takes, activation function as a class; a deep copy, because SB3 writes into it."""
    arguments: dict[str, Any] = copy.deepcopy(dict(specification.policy_kwargs))
    if "activation_fn" in arguments:
        arguments["activation_fn"] = ACTIVATIONS[arguments["activation_fn"]]
    return arguments


def build_policy(
    specification: AgentSpec, weights: Weights, observation_space: Space, action_space: Space
) -> BasePolicy:
    """Builds the policy on the CPU and loads the weights into it.

    Args:
        specification: Algorithm, policy and arguments.
        weights: State dictionary of the policy; weights that only repeat others may be missing.
        observation_space: Of our environment.
        action_space: Of our environment.

    Returns:
        The policy, frozen and in evaluation mode. The global random generators are as before.

    Raises:
        UnsafeAgentError: `does-not-fit` if algorithm or network do not go with the spaces, `too-many-parameters`, or
            `wrong-weights` if names or shapes differ from the network's.
    """
    policy = _untrained(specification, observation_space, action_space)
    try:
        policy.load_state_dict(with_copies(specification.algo, weights, policy.state_dict()), strict=True)
    except (RuntimeError, KeyError, TypeError) as error:
        raise UnsafeAgentError("wrong-weights", f"The weights do not fit this network: {excerpt(error)}") from error
    policy.set_training_mode(False)
    policy.requires_grad_(False)
    return policy


def _untrained(specification: AgentSpec, observation_space: Space, action_space: Space) -> BasePolicy:
    algo, name = specification.algo, specification.policy
    known = architecture(algo)
    # SB3 takes actions to count from 0.
    if not isinstance(action_space, known.actions) or np.any(getattr(action_space, "start", 0)):
        raise UnsafeAgentError("does-not-fit", f"{algo} cannot play the actions {action_space}. {_FITS}")
    check_size(algo, name, specification.policy_kwargs, observation_space, action_space)
    arguments = policy_arguments(specification)
    if "ortho_init" in known.arguments:
        arguments["ortho_init"] = False  # slow, and the weights are about to be replaced
    try:
        with th.random.fork_rng(devices=[]):
            return known.algorithm.policy_aliases[name](observation_space, action_space, lambda _: 0.0, **arguments)
    except Exception as error:  # SB3 asserts, torch raises: all of them say that network and spaces do not fit
        raise UnsafeAgentError(
            "does-not-fit", f"This {name} of {algo} does not fit the environment: {excerpt(error)}. {_FITS}"
        ) from error


def with_copies(algo: str, weights: Weights, expected: Weights) -> Weights:
    """Adds the expected weights that repeat others and are missing: target networks and shared extractors."""
    complete = dict(weights)
    for copied, original in ALGORITHMS[algo].copies.items():
        for name in expected:
            source = original + name.removeprefix(copied)
            if name.startswith(copied) and name not in complete and source in complete:
                complete[name] = complete[source]
    return complete


def without_copies(algo: str, policy: BasePolicy) -> Weights:
    """The policy's weights, less target networks and whatever is the same tensor under a second name."""
    targets = tuple(prefix for prefix in ALGORITHMS[algo].copies if "_target." in prefix)
    seen: set[int] = set()
    weights: Weights = {}
    for name, tensor in policy.state_dict(keep_vars=True).items():
        if id(tensor) not in seen and not name.startswith(targets):
            weights[name] = tensor.detach()
        seen.add(id(tensor))
    return weights


def policy_hash(algo: str, policy: BasePolicy) -> str:
    """Hash of what decides the deterministic action: the acting weights, and settings that change their meaning."""
    acting = {
        name: tensor.numpy() for name, tensor in policy.state_dict().items() if name.startswith(ALGORITHMS[algo].acting)
    }
    network = getattr(policy, "actor", policy)
    settings = {
        f"setting.{name}={_text(getattr(network, name, None))}": th.zeros(0).numpy() for name in _FUNCTION_SETTINGS
    }
    return hash_arrays({**acting, **settings})


def _text(value: Any) -> str:
    return str(getattr(value, "__name__", value))


def network_output(algo: str, policy: BasePolicy, observations: PyTorchObs) -> th.Tensor:
    """What the network says, before an action is chosen or scaled.

    Args:
        algo: Algorithm name.
        policy: Its policy.
        observations: Batch as tensors.

    Returns:
        Scores (Q values, mean quantiles, logits): `(n, actions)` for Discrete actions, all branches side by side for
        MultiDiscrete; `(n, dimensions)` for Box.
    """
    if algo == "dqn":
        return policy.q_net(observations)  # type: ignore[no-any-return, operator] # a QNetwork
    if algo == "qrdqn":
        return policy.quantile_net(observations).mean(dim=1)  # type: ignore[no-any-return, operator] # a QuantileNetwork
    if isinstance(policy, ActorCriticPolicy):
        inputs = preprocess_obs(observations, policy.observation_space, normalize_images=policy.normalize_images)
        latent = policy.mlp_extractor.forward_actor(policy.pi_features_extractor(inputs))
        output: th.Tensor = policy.action_net(latent)
        return th.tanh(output) if policy.squash_output else output
    if algo == "td3":
        return policy.actor(observations)  # type: ignore[no-any-return, operator] # an Actor
    actor: Any = policy.actor  # SAC's; the mean of its distribution, squashed
    features = actor.extract_features(observations, actor.features_extractor)
    return th.tanh(actor.mu(actor.latent_pi(features)))
