"""Run folders as `rl_zoo3.train` leaves them, with untrained agents in them."""

from collections import OrderedDict
from pathlib import Path

import gymnasium as gym
import numpy as np
import yaml
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

ENV_ID = "CartPole-v1"
_CLASSES = {"dqn": DQN, "ppo": PPO}


def make_run(logs: Path, algo="dqn", *, normalize=False, seed=0) -> Path:
    """Writes `<logs>/<algo>/CartPole-v1_1`; the YAML is the Zoo's own, calls to OrderedDict included."""
    folder = logs / algo / f"{ENV_ID}_1"
    parameters = folder / ENV_ID
    parameters.mkdir(parents=True)
    env = DummyVecEnv([lambda: gym.make(ENV_ID)])
    if normalize:
        env = VecNormalize(env)
        env.obs_rms.mean, env.obs_rms.var = np.array([0.1, -0.2, 0.03, 0.4]), np.array([0.5, 1.0, 0.04, 2.0])
        env.save(str(parameters / "vecnormalize.pkl"))
    model = _CLASSES[algo]("MlpPolicy", env, policy_kwargs={"net_arch": [8]}, seed=seed)
    model.save(folder / f"{ENV_ID}.zip")
    env.close()
    config = OrderedDict(
        policy="MlpPolicy",
        n_timesteps=1000.0,
        learning_rate="lin_2.5e-4",
        normalize=normalize,
        policy_kwargs="dict(net_arch=[8])",
    )
    arguments = OrderedDict(algo=algo, env=ENV_ID, env_kwargs=None, n_timesteps=-1, seed=3)
    (parameters / "config.yml").write_text(yaml.dump(config))
    (parameters / "args.yml").write_text(yaml.dump(arguments))
    (folder / "0.monitor.csv").write_text('#{"t_start": 1.0}\nr,l,t\n9.0,9,0.1\n')
    np.savez(folder / "evaluations.npz", timesteps=[10], results=[[9.0]], ep_lengths=[[9]])
    return folder
