"""Writing an agent's network as one ONNX file."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch as th
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from torch import nn

from rl_units.agents.base import Agent
from rl_units.agents.onnx_agent import ALGO_KEY, observation_inputs, output_name
from rl_units.agents.policies import network_output
from rl_units.agents.repository import network_of
from rl_units.files import atomic_path


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences torch, which warns of its own internals and of packages that no agent needs."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


class _Graph(nn.Module):
    """The network from raw observations to scores, or to actions as the environment takes them."""

    def __init__(self, algo: str, policy: BasePolicy) -> None:
        super().__init__()
        self.algo = algo
        self.policy = policy
        space = policy.action_space
        if isinstance(space, spaces.Box):
            self.register_buffer("low", th.as_tensor(space.low))
            self.register_buffer("high", th.as_tensor(space.high))

    def forward(self, *observations: th.Tensor) -> th.Tensor:
        space = self.policy.observation_space
        inputs: Any = observations[0]
        if isinstance(space, spaces.Dict):
            inputs = dict(zip(space.spaces, observations, strict=True))
        output = network_output(self.algo, self.policy, inputs)
        action_space = self.policy.action_space
        if not isinstance(action_space, spaces.Box):
            return output
        actions = output.reshape(-1, *action_space.shape)
        low, high = self.get_buffer("low"), self.get_buffer("high")
        if self.policy.squash_output:
            return low + 0.5 * (actions + 1.0) * (high - low)
        return th.clamp(actions, low, high)


def export_onnx(agent: Agent, path: Path) -> None:
    """Writes an agent's network as ONNX, weights in the same file.

    Inputs are the observations, `(n, ...)` in the dtype of the environment, named `observations` or by the keys of a
    Dict space; keys that the agent normalises are float32 and already normalised, and their statistics stay in
    `vec_normalize.json`. The output is `scores` for choices, `(n, actions)` for Discrete and all branches
    side by side for MultiDiscrete, or `actions` `(n, ...)`, scaled to the space, for Box.

    Args:
        agent: An agent that `load_agent` made from an SB3 zip or safetensors.
        path: The file.

    Raises:
        UnsafeAgentError: `no-weights` for an ONNX agent; `does-not-fit` for other kinds of action space.
        StorageError: If the file cannot be written.
    """
    network, statistics = network_of(agent)
    policy = network.policy
    inputs = observation_inputs(policy.observation_space, statistics)
    output = output_name(policy.action_space)
    # A batch of two, because torch takes the length of a batch of one for a constant.
    example = tuple(th.as_tensor(np.zeros((2, *shape), dtype)) for shape, dtype in inputs.values())
    with _quiet():
        program = th.onnx.export(
            _Graph(network.algo, policy).eval(),
            example,
            input_names=list(inputs),
            output_names=[output],
            dynamic_shapes={"observations": tuple({0: th.export.Dim("n")} for _ in inputs)},
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise AssertionError("torch.onnx.export returns a program where it is given no file")
    program.model.metadata_props[ALGO_KEY] = network.algo
    with atomic_path(path) as temporary:
        temporary.write_bytes(program.model_proto.SerializeToString())
