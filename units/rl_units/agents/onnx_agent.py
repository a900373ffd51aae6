"""An agent that acts through an ONNX graph, checked before onnxruntime sees it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from gymnasium import spaces
from numpy.typing import NDArray

from rl_units.agents.architecture import Space, architecture
from rl_units.agents.archives import MAX_WEIGHT_BYTES, read_file
from rl_units.agents.base import Observations, batch_size, rows
from rl_units.agents.choices import best_choices, branches_of, check_finite, choose
from rl_units.agents.excerpts import excerpt
from rl_units.agents.normalization import NormalizationStatistics
from rl_units.agents.onnx_graph import check_graph
from rl_units.errors import ONNX_REMEDY, EvaluationError, UnsafeAgentError

ONNX_FILE = "agent.onnx"
ALGO_KEY = "algo"
"""Key of the algorithm's name in the file's own metadata."""
_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8,
          "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(int8)": np.int8}  # fmt: skip


@dataclass(frozen=True)
class OnnxAgent:
    """An ONNX graph with checked inputs and outputs; see `base.Agent`.

    Attributes:
        algo: Algorithm name as the Zoo spells it.
        content: The file.
        action_space: Of our environment.
        sha256: Hash of the file; the same network in another format has another.
    """

    algo: str
    content: bytes = field(repr=False)
    action_space: Space
    sha256: str

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the session, which each process opens for itself."""
        return {name: value for name, value in self.__dict__.items() if name != "session"}

    @cached_property
    def session(self) -> Any:
        """See `open_session`."""
        return open_session(self.content)

    def act(self, observations: Observations) -> NDArray[Any]:
        """Chooses the deterministic action for each observation alone.

        Args:
            observations: As `base.Agent.act`.

        Returns:
            As `base.Agent.act`.

        Raises:
            EvaluationError: If the graph fails, or puts out something that is not finite or of another shape.
        """
        branches = branches_of(self.action_space)
        if branches is not None:
            chosen = choose(observations, self._run, lambda one: best_choices(self._run(one), branches), branches)
            return chosen.reshape(-1, *(self.action_space.shape or ()))
        actions = [self._run(rows(observations, slice(i, i + 1))) for i in range(batch_size(observations))]
        space = self.action_space
        return np.clip(np.concatenate(actions), space.low, space.high).astype(space.dtype)  # type: ignore[attr-defined] # a Box

    def _run(self, observations: Observations) -> NDArray[Any]:
        inputs = observations if isinstance(observations, dict) else {"observations": observations}
        try:
            (output,) = self.session.run(None, inputs)
        except Exception as error:  # onnxruntime's errors have no common base
            raise EvaluationError(f"The agent's ONNX graph failed: {excerpt(error)}. {ONNX_REMEDY}") from error
        if output.shape != (batch_size(observations), *_output_shape(self.action_space)):
            raise EvaluationError(f"The agent's ONNX graph put out the shape {output.shape}. {ONNX_REMEDY}")
        return check_finite(output)


def open_session(content: bytes) -> Any:
    """A session: one thread, CPU only, read from memory, so that no path in the file means anything.

    Args:
        content: A file that was checked.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"], enable_fallback=0)


def load_onnx(
    path: Path,
    observation_space: Space,
    action_space: Space,
    statistics: NormalizationStatistics | None,
    algo: str | None,
) -> OnnxAgent:
    """Loads an ONNX file of at most `MAX_WEIGHT_BYTES`.

    Args:
        path: The file.
        observation_space: Of our environment.
        action_space: Of our environment.
        statistics: Of the agent's observations; keys that it normalises come in as float32.
        algo: Algorithm, where it is known from elsewhere; else the file's own metadata says it.

    Raises:
        UnsafeAgentError: As `archives.read_file` and `onnx_graph.check_graph`; `does-not-fit` if inputs or outputs are
            not those of our spaces, `other-algorithm`, `unknown-algorithm`.
    """
    content = read_file(path, MAX_WEIGHT_BYTES)
    name = check_graph(content, path.name).get(ALGO_KEY, algo)
    if name is None:
        raise UnsafeAgentError("unknown-algorithm", f"{path.name} does not say its algorithm. {ONNX_REMEDY}")
    architecture(name)
    if algo not in (None, name):
        raise UnsafeAgentError("other-algorithm", f"{path.name} holds an agent of {name}, not of {algo}.")
    agent = OnnxAgent(name, content, action_space, hashlib.sha256(content).hexdigest())
    try:
        session = agent.session
    except Exception as error:  # onnxruntime's errors have no common base
        raise UnsafeAgentError("damaged-onnx", f"onnxruntime cannot read {path.name}: {excerpt(error)}") from error
    _check_inputs(session.get_inputs(), observation_inputs(observation_space, statistics))
    _check_output(session.get_outputs(), action_space)
    return agent


def observation_inputs(
    space: Space, statistics: NormalizationStatistics | None
) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Name, shape (without batch axis) and dtype of the inputs that a graph for these observations has."""
    entries: Mapping[str, Space] = space.spaces if isinstance(space, spaces.Dict) else {"observations": space}
    if statistics is None:
        normalized: set[str] = set()
    else:
        normalized = set(entries) if statistics.norm_obs_keys is None else set(statistics.norm_obs_keys)
    return {
        name: (entry.shape or (), np.dtype(np.float32 if name in normalized else entry.dtype))
        for name, entry in entries.items()
    }


def output_name(space: Space) -> str:
    """`"scores"` for Discrete and MultiDiscrete actions, `"actions"` for Box.

    Raises:
        UnsafeAgentError: `does-not-fit` for other kinds of action space.
    """
    if branches_of(space) is not None:
        return "scores"
    if isinstance(space, spaces.Box):
        return "actions"
    raise UnsafeAgentError("does-not-fit", f"ONNX agents play Discrete, MultiDiscrete and Box actions, not {space}.")


def _output_shape(space: Space) -> tuple[int, ...]:
    branches = branches_of(space)
    return space.shape or () if branches is None else (sum(branches),)


def _check_inputs(found: list[Any], wanted: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]) -> None:
    shapes = {entry.name: (tuple(entry.shape[1:]), _TYPES.get(entry.type)) for entry in found}
    is_batched = all(entry.shape and not isinstance(entry.shape[0], int) for entry in found)
    if not is_batched or set(shapes) != set(wanted):
        raise UnsafeAgentError("does-not-fit", f"The graph must take batches of {', '.join(wanted)}. {ONNX_REMEDY}")
    for name, (shape, dtype) in wanted.items():
        if shapes[name][0] != shape or shapes[name][1] != dtype:
            raise UnsafeAgentError("does-not-fit", f"The graph's input {name!r} must be {dtype} {shape}. {ONNX_REMEDY}")


def _check_output(found: list[Any], space: Space) -> None:
    if [entry.name for entry in found] != [output_name(space)]:
        raise UnsafeAgentError(
            "does-not-fit", f"The graph must put out {output_name(space)!r} and nothing else. {ONNX_REMEDY}"
        )
    # Other axes may be symbolic in the file; `act` checks what really comes out.
    if _TYPES.get(found[0].type) not in (np.float32, np.float64):
        raise UnsafeAgentError(
            "does-not-fit", f"The graph's output {found[0].name!r} must be floating point. {ONNX_REMEDY}"
        )
