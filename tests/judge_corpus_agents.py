"""Parts of hostile submissions, for the `make.py` of the corpus' cases; payloads only ever make a marker."""

import functools
import json
import os
import shutil
import tempfile
from pathlib import Path

import gymnasium as gym
import onnx
import safetensors.torch
import torch as th
from stable_baselines3 import DQN, PPO

from judge_corpus_host import MARKER
from mlagents_files import Change, exported
from rl_units.agents import load_agent, save_agent
from rl_units.course import Protocol
from units.agents import hostile
from units.agents.hostile import Genuine

PROTOCOL = Protocol("corpus", 1, "CartPole-v1", n_episodes=1)
_ALGORITHMS = {"ppo": PPO, "dqn": DQN}


@functools.cache
def _zip_content(algo: str) -> bytes:
    model = _ALGORITHMS[algo]("MlpPolicy", gym.make("CartPole-v1"), policy_kwargs={"net_arch": [8]}, seed=0)
    with tempfile.TemporaryDirectory() as temporary:
        model.save(Path(temporary, "agent.zip"))
        return Path(temporary, "agent.zip").read_bytes()


def prepare() -> None:
    """Makes the honest agents, because torch leaves folders when it is used for the first time."""
    for algo in _ALGORITHMS:
        _zip_content(algo)


def marker() -> Path:
    """What a payload makes."""
    return Path(os.environ[MARKER])


def payload() -> hostile.Payload:
    """Something whose unpickling makes the marker."""
    return hostile.Payload(marker())


def genuine(folder: Path, algo: str = "ppo") -> Genuine:
    """An honest agent for CartPole as SB3 saves it, to be rebuilt in a folder."""
    source = folder.parent / "genuine.zip"
    source.write_bytes(_zip_content(algo))
    return Genuine(source, folder, marker())


def honest_zip(folder: Path, name: str = "agent.zip", algo: str = "ppo") -> Path:
    """An honest agent as it is."""
    return Path(shutil.copy(genuine(folder, algo).zip, folder / name))


def honest_files(folder: Path) -> None:
    """An honest agent as `agent.json` and `agent.safetensors`."""
    save_agent(load_agent(genuine(folder).zip, PROTOCOL), folder)


def described(folder: Path, **changes: object) -> None:
    """The same, with other fields in `agent.json`."""
    honest_files(folder)
    document = json.loads((folder / "agent.json").read_text())
    (folder / "agent.json").write_text(json.dumps({**document, **changes}))


def weighed(folder: Path, change) -> None:
    """The same, with changed tensors in `agent.safetensors`."""
    honest_files(folder)
    state = safetensors.torch.load_file(folder / "agent.safetensors")
    (folder / "agent.safetensors").write_bytes(safetensors.torch.save(change(state)))


def graph(folder: Path, content: bytes | None = None, **changes) -> None:
    """A linear network in ONNX for CartPole, with something wrong; see `hostile.graph`."""
    content = hostile.graph(**{"width": 4, "actions": 2, **changes}) if content is None else content
    (folder / "agent.onnx").write_bytes(content)


def graph_then(folder: Path, *nodes: onnx.NodeProto) -> None:
    """An honest linear network whose output is called `linear`, and nodes that make `scores` of it."""
    model = onnx.load_model_from_string(hostile.graph(width=4, actions=2))
    model.graph.node[0].output[0] = "linear"
    model.graph.node.extend(nodes)
    (folder / "agent.onnx").write_bytes(model.SerializeToString())


def mlagents(folder: Path, *changes: Change, model: str = "cart-pole", name: str = "CartPole.onnx") -> None:
    """A policy that ML-Agents exported, for CartPole if no other model is named, with something wrong."""
    (folder / name).write_bytes(exported(model, *changes))


def statistics(folder: Path, **changes: object) -> None:
    """An honest agent with `vec_normalize.json`."""
    honest_files(folder)
    document = {
        "format_version": 1,
        "mean": {"": [0.0] * 4},
        "var": {"": [1.0] * 4},
        "epsilon": 1e-8,
        "clip_obs": 10.0,
        "norm_obs_keys": None,
    }
    (folder / "vec_normalize.json").write_text(json.dumps({**document, **changes}))


def normalized(folder: Path, content: bytes) -> None:
    """An honest agent with `vec_normalize.pkl`."""
    honest_zip(folder)
    (folder / "vec_normalize.pkl").write_bytes(content)


def overwhelming(state: dict[str, th.Tensor]) -> dict[str, th.Tensor]:
    """Weights that are finite, and whose products are not."""
    return {name: th.full_like(tensor, 3e38) for name, tensor in state.items()}
