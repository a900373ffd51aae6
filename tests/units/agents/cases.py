"""The kinds of agent that load safely: algorithm, policy and policy_kwargs. The table in units/README.md lists them."""

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch as th
from sb3_contrib import QRDQN
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from stable_baselines3.common.torch_layers import FlattenExtractor

from rl_units.course import Protocol
from units.agents.worlds import protocol_of

ALGORITHMS = {"dqn": DQN, "qrdqn": QRDQN, "ppo": PPO, "a2c": A2C, "sac": SAC, "td3": TD3}
WORLDS = {"MlpPolicy": "vector", "CnnPolicy": "image", "MultiInputPolicy": "dict"}
_WIDTHS = {"CnnPolicy": {"features_dim": 24}, "MultiInputPolicy": {"cnn_output_dim": 12}}


@dataclass(frozen=True)
class Case:
    """One kind of agent.

    Attributes:
        algo: Algorithm name.
        policy: Policy name.
        title: What is particular about it.
        observations: Key of `worlds.OBSERVATIONS`.
        actions: Key of `worlds.ACTIONS`.
        policy_kwargs: As they are given to SB3.
        settings: Further arguments of the algorithm.
    """

    algo: str
    policy: str
    title: str
    observations: str
    actions: str
    policy_kwargs: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Unique name."""
        return f"{self.algo}, {self.policy}, {self.title}"

    @property
    def protocol(self) -> Protocol:
        """Of its environment."""
        return protocol_of(self.observations, self.actions)

    def save(self, path: Path) -> None:
        """Saves an untrained agent with SB3."""
        memory = {} if self.algo in ("ppo", "a2c") else {"buffer_size": 1}
        # A copy, because SB3 writes into it.
        kwargs = {"policy_kwargs": copy.deepcopy(self.policy_kwargs)} if self.policy_kwargs else {}
        algorithm = ALGORITHMS[self.algo]
        algorithm(self.policy, self.protocol.env_id, seed=1, device="cpu", **memory, **kwargs, **self.settings).save(
            path
        )


def _custom_kwargs(algo: str, policy: str) -> dict[str, Any]:
    kwargs: dict[str, Any] = {"activation_fn": th.nn.ELU, "net_arch": [16, 8], "optimizer_class": th.optim.SGD}
    if policy in _WIDTHS:
        kwargs["features_extractor_kwargs"] = dict(_WIDTHS[policy])
    if algo in ("ppo", "a2c"):
        kwargs |= {"net_arch": {"pi": [16], "vf": [8, 8]}, "share_features_extractor": False, "ortho_init": False}
    if algo in ("sac", "td3"):
        kwargs |= {"net_arch": {"pi": [16], "qf": [8, 8]}, "share_features_extractor": True, "n_critics": 1}
    if algo == "qrdqn":
        kwargs["n_quantiles"] = 7
    return kwargs


def _grid() -> list[Case]:
    cases = []
    for algo in ALGORITHMS:
        for policy, observations in WORLDS.items():
            actions = "box" if algo in ("sac", "td3") else "discrete"
            cases.append(Case(algo, policy, "default", observations, actions))
            cases.append(Case(algo, policy, "custom", observations, actions, _custom_kwargs(algo, policy)))
    return cases


_SDE = {"use_sde": True}
_PLAIN = {"features_extractor_class": FlattenExtractor}
CASES = [
    *_grid(),
    Case("ppo", "MlpPolicy", "Box actions", "vector", "box"),
    Case("a2c", "CnnPolicy", "Box actions", "image", "box"),
    Case("ppo", "MlpPolicy", "MultiDiscrete actions", "vector", "multi-discrete"),
    Case("a2c", "MlpPolicy", "MultiBinary actions", "vector", "multi-binary"),
    Case("ppo", "MlpPolicy", "gSDE, squashed", "vector", "box", {"squash_output": True, "full_std": False}, _SDE),
    Case("a2c", "MlpPolicy", "gSDE", "vector", "box", {"log_std_init": -2, "net_arch": [8]}, _SDE),
    Case("sac", "MlpPolicy", "gSDE", "vector", "box", {"clip_mean": 0.5, "use_expln": True}, _SDE),
    Case("td3", "MlpPolicy", "linear actor", "vector", "box", {"net_arch": []}),
    Case("dqn", "CnnPolicy", "flattened image", "image", "discrete", {**_PLAIN, "net_arch": [8]}),
    Case("ppo", "CnnPolicy", "unscaled image", "image", "discrete", {"normalize_images": False}),
    Case("dqn", "MultiInputPolicy", "vectors only", "vectors", "discrete", {"activation_fn": th.nn.Tanh}),
]
