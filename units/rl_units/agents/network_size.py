"""How many parameters a policy will have, computed before any of them is allocated."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

from gymnasium import spaces
from stable_baselines3.common.preprocessing import get_flattened_obs_dim, is_image_space

from rl_units.agents.architecture import Space, architecture
from rl_units.errors import UnsafeAgentError

MAX_PARAMETERS = 64 * 1024**2
"""Most parameters of all networks of a policy together, in our estimate from above: 256 MiB of float32."""


def check_size(
    algo: str, policy: str, kwargs: Mapping[str, Any], observation_space: Space, action_space: Space
) -> None:
    """Refuses networks that would not fit into memory, before they are built.

    The estimate takes every network to be as large as the largest, with an extractor of its own.

    Args:
        algo: Algorithm name.
        policy: Policy name.
        kwargs: Checked arguments, see `check_policy_kwargs`.
        observation_space: Of our environment.
        action_space: Of our environment.

    Raises:
        UnsafeAgentError: `too-many-parameters`.
    """
    features, parameters = _extractor_size(policy, kwargs, observation_space)
    outputs = _action_outputs(action_space) * (kwargs.get("n_quantiles", 200) if algo == "qrdqn" else 1)
    net_arch = kwargs.get("net_arch", [256, 256])
    widths = [[], *net_arch.values()] if isinstance(net_arch, dict) else [net_arch]
    parameters += max(_dense(features + outputs, entry, outputs) for entry in widths)
    # Online and target network, or actor and critic; with several critics, each and its target.
    total = parameters * (2 + (2 * kwargs.get("n_critics", 2) if "n_critics" in architecture(algo).arguments else 0))
    if total > MAX_PARAMETERS:
        raise UnsafeAgentError(
            "too-many-parameters",
            f"This policy would have about {total:,} parameters; the limit is {MAX_PARAMETERS:,}.",
        )


def _extractor_size(policy: str, kwargs: Mapping[str, Any], space: Space) -> tuple[int, int]:
    """Features that the extractor puts out, and parameters that it has."""
    arguments = kwargs.get("features_extractor_kwargs", {})
    is_normalized = not kwargs.get("normalize_images", True) or arguments.get("normalized_image", False)
    features, parameters = 0, 0
    for entry in space.spaces.values() if isinstance(space, spaces.Dict) else [space]:
        if policy != "MlpPolicy" and is_image_space(entry, normalized_image=is_normalized):
            output = (
                arguments.get("features_dim", 512) if policy == "CnnPolicy" else arguments.get("cnn_output_dim", 256)
            )
            features += output
            parameters += _convolution_parameters(entry.shape or (), output)
        else:
            features += get_flattened_obs_dim(entry)
    return features, parameters


def _dense(inputs: int, widths: list[int], outputs: int) -> int:
    sizes = [inputs, *widths, outputs]
    return sum((before + 1) * after for before, after in itertools.pairwise(sizes))


def _convolution_parameters(shape: tuple[int, ...], output: int) -> int:
    # NatureCNN of SB3: kernels 8, 4, 3 with strides 4, 2, 1 and 32, 64, 64 channels.
    channels, *sides = shape
    cells = math.prod((((side - 8) // 4 + 1) - 4) // 2 + 1 - 2 for side in sides if side >= 36)
    return 64 * 32 * (channels + 1) + 512 * 65 + 576 * 65 + (64 * cells + 1) * output


def _action_outputs(space: Space) -> int:
    if isinstance(space, spaces.MultiDiscrete):
        return int(space.nvec.sum())
    return int(space.n) if isinstance(space, spaces.Discrete) else math.prod(space.shape or ())
