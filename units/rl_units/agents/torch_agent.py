"""An agent that acts with SB3's own network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch as th
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.utils import obs_as_tensor

from rl_units.agents.architecture import Space
from rl_units.agents.base import Observations, batch_size, rows
from rl_units.agents.choices import branches_of, check_finite, choose
from rl_units.agents.policies import build_policy, network_output, policy_hash
from rl_units.agents.specification import AgentSpec
from rl_units.agents.weights import Weights


@dataclass(frozen=True)
class TorchAgent:
    """A policy of SB3 with checked weights; see `base.Agent`.

    Attributes:
        specification: What the network is.
        policy: SB3's policy, in evaluation mode on the CPU.
        sha256: Hash of the acting weights.
    """

    specification: AgentSpec
    policy: BasePolicy
    sha256: str

    @property
    def algo(self) -> str:
        """Algorithm name as the Zoo spells it."""
        return self.specification.algo

    def act(self, observations: Observations) -> NDArray[Any]:
        """Chooses the action that `policy.predict(deterministic=True)` chooses for each observation alone.

        Args:
            observations: As `base.Agent.act`.

        Returns:
            As `base.Agent.act`.

        Raises:
            EvaluationError: If the network's output is not finite.
        """
        space = self.policy.action_space
        branches = branches_of(space)
        if branches is not None:
            return choose(observations, self._scores, self._predict, branches).reshape(-1, *(space.shape or ()))
        actions = [self._predict(rows(observations, slice(i, i + 1))) for i in range(batch_size(observations))]
        return check_finite(np.concatenate(actions))

    def _scores(self, observations: Observations) -> NDArray[np.float32]:
        with th.inference_mode():
            tensors = obs_as_tensor(observations, th.device("cpu"))
            return network_output(self.algo, self.policy, tensors).numpy()

    def _predict(self, observations: Observations) -> NDArray[Any]:
        with th.inference_mode():
            return self.policy.predict(observations, deterministic=True)[0]


def make_torch_agent(
    specification: AgentSpec, weights: Weights, observation_space: Space, action_space: Space
) -> TorchAgent:
    """Builds the network and loads the weights into it.

    Raises:
        UnsafeAgentError: As `policies.build_policy`.
    """
    policy = build_policy(specification, weights, observation_space, action_space)
    return TorchAgent(specification, policy, policy_hash(specification.algo, policy))
