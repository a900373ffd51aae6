"""What a submission's own process does in the sandbox: load its agent, then play it or convert it."""

import contextlib
import errno
import gc
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch as th
from gymnasium import spaces

from rl_leaderboard.judge.players.arrays import content, decode
from rl_leaderboard.judge.players.messages import Kind, Pipe, frame, json_frame, manifest
from rl_units.agents import AgentSpec, load_agent, normalization, save_agent, specification
from rl_units.agents.architecture import architecture
from rl_units.agents.archives import read_file
from rl_units.agents.base import Agent
from rl_units.agents.mlagents_agent import MlagentsAgent
from rl_units.agents.normalization import NormalizedAgent
from rl_units.agents.onnx_agent import ONNX_FILE, OnnxAgent
from rl_units.agents.repository import WEIGHTS_FILE
from rl_units.agents.torch_agent import make_torch_agent
from rl_units.course import Protocol, load_course
from rl_units.environments import agent_spaces, register_environments
from rl_units.errors import StorageError, UnsafeAgentError, UserError
from rl_units.evaluation import package_versions

CONVERTED_FILES = (specification.FILE_NAME, WEIGHTS_FILE, ONNX_FILE, normalization.FILE_NAME)
"""Every file that a converted agent can have."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_ROOM = "The agent's files need more room than the judge gives an agent. Push the agent without a replay buffer."
_SUBMISSION = "The submission"  # a folder, whose name is the beginning of sentences: "... holds no agent"
_NO_MEMORY = ("can't allocate memory", "bad_alloc", "Cannot allocate memory", "Failed to allocate memory")


class _NoRoom(Exception):
    """The submission's files do not fit into the scratch folder."""


def warm_up() -> dict[str, str]:
    """Imports and prepares everything that every submission needs.

    Returns:
        Versions of Python and of the installed packages that can change a result.
    """
    th.set_num_threads(1)
    register_environments()
    versions = package_versions()
    with contextlib.suppress(UserError):  # without the Atari games, only what needs them fails
        agent_spaces(next(load_course().assignments).protocol)
    rehearse("ppo", "MlpPolicy", spaces.Box(-1, 1, (4,), np.float32))
    rehearse("dqn", "CnnPolicy", spaces.Box(0, 255, (4, 84, 84), np.uint8))
    # What is there now is there for good: a fork's garbage collector need not look at it, and copy its pages.
    gc.collect()
    gc.freeze()
    return versions


def rehearse(algo: str, policy: str, observation_space: spaces.Box) -> None:
    """Builds, plays and converts an agent of our own, and forgets it.

    torch and SB3 import hundreds of modules at the first use of an optimiser or a layer, which takes a second that no
    submission has to wait for.
    """
    actions = spaces.Discrete(2)
    network = architecture(algo).algorithm.policy_aliases[policy](observation_space, actions, lambda _: 0.0)
    agent = make_torch_agent(AgentSpec(algo, policy, "CartPole-v1"), network.state_dict(), observation_space, actions)
    agent.act(np.zeros((2, *observation_space.shape), observation_space.dtype))
    with tempfile.TemporaryDirectory() as folder:
        convert(agent, Path(folder))


def play(pipe: Pipe, opening: dict[str, Any], folder: Path) -> None:
    """Serves one submission; whatever is wrong with it is told to the judge.

    Args:
        pipe: To the judge.
        opening: The judge's opening message.
        folder: Empty; the submission's files are written there.
    """
    try:
        os.chdir(folder)  # so that no message has the folder's name in it
        _receive(pipe, opening["files"], Path(_SUBMISSION))
        _serve(pipe, opening)
    except UnsafeAgentError as error:
        _fail(pipe, "refused", str(error), error.reason)
    except (StorageError, _NoRoom) as error:
        if getattr(error.__cause__, "errno", None) not in _FULL:
            raise  # that is the sandbox's fault
        _fail(pipe, "refused", _NO_ROOM, "no-room")
    except MemoryError:
        _fail(pipe, "out-of-memory", "")
    except UserError as error:
        text = str(error)
        reason = "non-finite" if "not finite" in text else "bad-answer"
        _fail(pipe, "out-of-memory" if _is_about_memory(text) else reason, text)
    except RuntimeError as error:  # torch's
        if not _is_about_memory(str(error)):
            raise
        _fail(pipe, "out-of-memory", "")


def _is_about_memory(text: str) -> bool:
    return any(words in text for words in _NO_MEMORY)


def _fail(pipe: Pipe, reason: str, sentence: str, refusal: str = "") -> None:
    pipe.send(json_frame(Kind.FAILED, {"reason": reason, "sentence": sentence[:2000], "refusal": refusal[:100]}))


def _receive(pipe: Pipe, files: Sequence[tuple[str, int]], folder: Path) -> None:
    folder.mkdir()
    for name, size in files:
        if pipe.header() != (Kind.FILE, size):
            raise EOFError("the judge sends something else than it has announced")
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb", buffering=0) as file:
                pipe.body_to(size, file.fileno())
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise _NoRoom from error


def _serve(pipe: Pipe, opening: dict[str, Any]) -> None:
    protocol = Protocol(**opening["protocol"])
    agent = load_agent(Path(_SUBMISSION), protocol, algo=opening["algo"])
    loaded: dict[str, Any] = {"algo": agent.algo, "sha256": agent.sha256, "files": []}
    if opening["task"] == "convert":
        converted = convert(agent, Path("converted"))
        loaded["files"] = manifest([(name, len(file)) for name, file in converted.items()])
        pipe.send(json_frame(Kind.LOADED, loaded))
        for file in converted.values():
            pipe.send(frame(Kind.CONVERTED, file))
    else:
        dtype = np.dtype(agent_spaces(protocol)[1].dtype)
        pipe.send(json_frame(Kind.LOADED, loaded))
        _answer(pipe, agent, dtype)


def _answer(pipe: Pipe, agent: Agent, dtype: np.dtype[Any]) -> None:
    """Answers batches until the judge says that it was the last one, or goes."""
    while (header := pipe.header()) is not None:
        kind, length = header
        if kind != Kind.OBSERVATIONS:
            return
        actions = np.ascontiguousarray(agent.act(decode(pipe.batch(length))), dtype)
        pipe.send(frame(Kind.ACTIONS, content(actions)))


def convert(agent: Agent, folder: Path) -> dict[str, bytes]:
    """An agent in the formats that are kept: `agent.json` and safetensors, or ONNX as it came.

    Args:
        agent: The agent.
        folder: Is made, and written to.

    Returns:
        Content of each file by its name, one of `CONVERTED_FILES`.

    Raises:
        UserError: If it cannot be written.
    """
    network = agent.agent if isinstance(agent, NormalizedAgent) else agent
    if not isinstance(network, OnnxAgent | MlagentsAgent):
        save_agent(agent, folder)
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    files = {ONNX_FILE: network.content}
    if isinstance(agent, NormalizedAgent):
        files[normalization.FILE_NAME] = agent.statistics.to_json().encode()
    described = Path(_SUBMISSION, specification.FILE_NAME)
    if described.exists():  # it may be the only one that names the algorithm
        files[described.name] = AgentSpec.from_json(read_file(described, specification.MAX_BYTES)).to_json().encode()
    return files
