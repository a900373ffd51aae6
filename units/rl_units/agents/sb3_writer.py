"""Clean files of a safely loaded agent in SB3's own formats, for programs that read nothing else."""

from pathlib import Path
from typing import Any

import torch as th
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from rl_units.agents.architecture import architecture
from rl_units.agents.base import Agent
from rl_units.agents.normalization import NormalizedAgent
from rl_units.agents.policies import policy_arguments
from rl_units.agents.repository import network_of
from rl_units.course import Protocol
from rl_units.environments import make_environment
from rl_units.files import atomic_path

EXPLORATION = 0.01
"""Share of random actions that a Q-learner takes where it is asked to explore: the Zoo's `exploration_final_eps`."""


def write_sb3_zip(agent: Agent, path: Path, protocol: Protocol) -> None:
    """Writes an SB3 zip in which every pickle is our own; the weights are the agent's.

    `rl_zoo3.enjoy` and `Algo.load` read it. Hyperparameters and optimiser start anew, so training that goes on from
    the file passes its own; the replay buffer of the saved algorithm holds one step. Normalisation statistics are not
    part of an SB3 zip; see `write_vec_normalize`.

    Args:
        agent: An agent that `load_agent` made from an SB3 zip or safetensors.
        path: Where to; must end in `.zip`.
        protocol: Environment of the agent.

    Raises:
        UnsafeAgentError: `no-weights` for an ONNX agent.
        StorageError: If the file cannot be written.
        UserError: If the environment cannot be made.
    """
    network, _ = network_of(agent)
    known = architecture(network.algo)
    arguments = policy_arguments(network.specification)
    settings: dict[str, Any] = {"policy_kwargs": arguments, "device": "cpu"}
    if "use_sde" in arguments:
        settings["use_sde"] = arguments.pop("use_sde")
    if network.algo not in ("ppo", "a2c"):
        settings["buffer_size"] = 1
    if network.algo in ("dqn", "qrdqn"):
        settings["exploration_final_eps"] = EXPLORATION
    env = make_environment(protocol)
    try:
        with th.random.fork_rng(devices=[]):
            model = known.algorithm(network.specification.policy, env, **settings)
    finally:
        env.close()
    model.policy.load_state_dict(network.policy.state_dict())
    if network.algo in ("dqn", "qrdqn"):
        model.exploration_rate = EXPLORATION  # type: ignore[attr-defined] # what `predict` explores with
    with atomic_path(path) as temporary:
        model.save(temporary)


def write_vec_normalize(agent: Agent, path: Path, protocol: Protocol) -> None:
    """Writes SB3's `vecnormalize.pkl` with the agent's statistics; every pickle in it is our own.

    Does nothing for an agent that sees observations as they are.

    Args:
        agent: Any agent that `load_agent` made.
        path: Where to; the Zoo looks for `<run folder>/<env>/vecnormalize.pkl`.
        protocol: Environment of the agent.

    Raises:
        StorageError: If the file cannot be written.
        UserError: If the environment cannot be made.
    """
    if not isinstance(agent, NormalizedAgent):
        return
    statistics = agent.statistics
    keys = None if statistics.norm_obs_keys is None else list(statistics.norm_obs_keys)
    view: Any = make_environment(protocol)
    env = DummyVecEnv([lambda: view.env])  # the Zoo normalises before it stacks frames and transposes images
    try:
        normalize = VecNormalize(
            env,
            training=False,
            norm_reward=False,
            clip_obs=statistics.clip_obs,
            epsilon=statistics.epsilon,
            norm_obs_keys=keys,
        )
    finally:
        env.close()
    running = normalize.obs_rms if isinstance(normalize.obs_rms, dict) else {"": normalize.obs_rms}
    for key, entry in running.items():
        entry.mean, entry.var = statistics.mean[key], statistics.var[key]
    with atomic_path(path) as temporary:
        normalize.save(str(temporary))
