"""What an ONNX file of Unity ML-Agents holds: its observations and actions, and the part of its graph that is run.

ML-Agents writes sampled and deterministic actions into one graph. Only what the wanted ones are computed from is kept,
so that no random number is drawn for a deterministic action. Deterministic choices are read as the scores, before their
softmax, whose largest the file would take: from a choice nobody sees whether it came from NaN, or from a tie that the
batch's rounding has decided.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import onnx

from rl_units.agents.onnx_graph import OPERATORS, check_model, parse_graph
from rl_units.errors import UnsafeAgentError

MASKS = "action_masks"
"""The input that says which choices are allowed: 1 for those that are."""
_OBSERVATION = "obs_"
_MEMORY = "recurrent_out"
_VERSION, _MEMORY_SIZE = "version_number", "memory_size"
_CONTINUOUS, _CONTINUOUS_SIZE = "continuous_actions", "continuous_action_output_shape"
_DISCRETE, _BRANCHES = "discrete_actions", "discrete_action_output_shape"
_RANDOM = frozenset({"Multinomial", "RandomNormalLike"})
_MOST = 256  # observations, or branches
_LARGEST = 10_000  # choices of a branch, or continuous actions
REMEDY = "Use the .onnx that ML-Agents 1.1.0 wrote for this environment."
"""What to do about a file that is not one of ML-Agents', or one of another environment."""


@dataclass(frozen=True)
class MlagentsGraph:
    """The part of a graph that is run.

    Attributes:
        content: That part, as an ONNX file.
        observations: Shape of each observation, without the batch axis: `obs_0`, `obs_1`, and so on.
        continuous_size: How many continuous actions there are.
        branches: How many choices each discrete action has.
        discrete: Names of the outputs with the scores of each branch, or the one name of the sampled choices. The
            continuous actions, if there are any, are the output before them.
    """

    content: bytes = field(repr=False)
    observations: tuple[tuple[int, ...], ...]
    continuous_size: int
    branches: tuple[int, ...]
    discrete: tuple[str, ...]


def is_mlagents_graph(content: bytes) -> bool:
    """Whether an ONNX file has the outputs that ML-Agents gives to every one of its own."""
    try:
        model = parse_graph(content, "")
    except UnsafeAgentError:
        return False
    return {_VERSION, _MEMORY_SIZE} <= {output.name for output in model.graph.output}


def read_mlagents_graph(content: bytes, what: str, *, deterministic: bool = True) -> MlagentsGraph:
    """Reads a file that ML-Agents exported, and checks it as `onnx_graph.check_model` does.

    Args:
        content: The file.
        what: Its name, for messages.
        deterministic: Whether the deterministic actions are wanted, or sampled ones.

    Raises:
        UnsafeAgentError: As `onnx_graph.parse_graph` and `onnx_graph.check_model`; `recurrent-network` if it remembers,
            `does-not-fit` if it has other inputs and outputs than ML-Agents 1.1.0 writes.
    """
    model = parse_graph(content, what)
    graph = model.graph
    names = {output.name for output in graph.output}
    if _MEMORY in names:
        raise UnsafeAgentError(
            "recurrent-network",
            f"{what} remembers earlier steps, and only networks that go by what they see now are played. Train it "
            "again without `memory` in its network_settings, and use that.",
        )
    sizes = _declared_sizes(graph, _CONTINUOUS_SIZE, what)
    branches = _declared_sizes(graph, _BRANCHES, what)
    kind = "deterministic_" if deterministic else ""
    continuous = (f"{kind}{_CONTINUOUS}",) if sizes else ()
    discrete: tuple[str, ...] = (f"{kind}{_DISCRETE}",) if branches else ()
    if not {*continuous, *discrete} <= names or not (continuous or discrete):
        raise _does_not_fit(what, f"has no {kind.replace('_', ' ')}actions")
    if discrete and deterministic:
        discrete = _scores(graph, discrete[0], len(branches), what)
    numbers = onnx.TensorProto.FLOAT if deterministic else onnx.TensorProto.INT64
    part = _cut(model, [*_declared(continuous, onnx.TensorProto.FLOAT), *_declared(discrete, numbers)])
    check_model(part, what, OPERATORS if deterministic else OPERATORS | _RANDOM)
    observations = _observations(graph, part.graph, sum(branches), what)
    return MlagentsGraph(part.SerializeToString(), observations, sum(sizes), branches, discrete)


def _observations(
    graph: onnx.GraphProto, part: onnx.GraphProto, n_choices: int, what: str
) -> tuple[tuple[int, ...], ...]:
    """Shapes of a graph's observations, of which the part that is run need not take all."""
    shapes = {value.name: _shape(value) for value in graph.input}
    found = list(takewhile(shapes.__contains__, (f"{_OBSERVATION}{index}" for index in range(_MOST))))
    taken = {value.name for value in part.input} - {tensor.name for tensor in part.initializer}
    if not found or not taken <= {*found, MASKS}:
        raise _does_not_fit(what, "takes other inputs than observations that are called obs_0, obs_1 and so on")
    observations = tuple(shape for name in found if (shape := shapes[name]) is not None)
    if len(observations) < len(found) or (MASKS in taken and shapes[MASKS] != (n_choices,)):
        raise _does_not_fit(what, "does not take batches of float32, or masks of another width than its actions have")
    return observations


def _shape(value: onnx.ValueInfoProto) -> tuple[int, ...] | None:
    """The shape of one element of an input's batch; None if the input is no batch of float32."""
    tensor = value.type.tensor_type
    batch, *rest = tensor.shape.dim or [onnx.TensorShapeProto.Dimension(dim_value=1)]
    is_batch = not batch.dim_value and all(dimension.dim_value > 0 for dimension in rest)
    return tuple(dimension.dim_value for dimension in rest) if is_batch and tensor.elem_type == 1 else None


def _declared_sizes(graph: onnx.GraphProto, name: str, what: str) -> tuple[int, ...]:
    """The whole numbers that an output holds whatever comes in; none if there is no such output."""
    if name not in {output.name for output in graph.output}:
        return ()
    same = [node for node in graph.node if node.op_type == "Identity" and node.input]
    sources = {output: node.input[0] for node in same for output in node.output}
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    tensor = tensors.get(sources.get(name, name))
    if tensor is None or tensor.data_type != onnx.TensorProto.FLOAT or not 1 <= math.prod(tensor.dims) <= _MOST:
        raise _does_not_fit(what, f"does not say its {name}")
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise UnsafeAgentError("external-data", f"{what} keeps weights in another file; use it as one file.")
    try:
        values = onnx.numpy_helper.to_array(tensor).reshape(-1).tolist()
    except (ValueError, TypeError) as error:
        raise _does_not_fit(what, f"does not say its {name}") from error
    if not all(math.isfinite(value) and value == int(value) and 1 <= value <= _LARGEST for value in values):
        raise _does_not_fit(what, f"says an impossible {name}")
    return tuple(int(value) for value in values)


def _scores(graph: onnx.GraphProto, chosen: str, n_branches: int, what: str) -> tuple[str, ...]:
    """The tensors whose largest entries make up an output, a tensor a branch, as they are before a softmax."""
    makers = {name: node for node in graph.node for name in node.output}
    joined = makers.get(chosen)
    largest = [makers.get(name) for name in joined.input] if joined and joined.op_type == "Concat" else []
    shares = [node.input[0] for node in largest if node is not None and node.op_type == "ArgMax" and node.input]
    logits = {name: node.input[0] for name, node in makers.items() if node.op_type == "Softmax" and node.input}
    scores = [logits.get(name, name) for name in shares]
    if not len(largest) == len(set(scores)) == len(scores) == n_branches:
        raise _does_not_fit(what, "does not take the largest score of each branch as its deterministic choice")
    return tuple(scores)


def _declared(names: Iterable[str], kind: int) -> list[onnx.ValueInfoProto]:
    return [onnx.helper.make_tensor_value_info(name, kind, None) for name in names]


def _cut(model: onnx.ModelProto, outputs: Sequence[onnx.ValueInfoProto]) -> onnx.ModelProto:
    """The model with nothing left but what its outputs, which are given, are computed from."""
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    needed = {output.name for output in outputs}
    open_names = list(needed)
    while open_names:
        node = makers.get(open_names.pop())
        found = set(node.input) - needed if node is not None else set()
        needed |= found
        open_names += found
    part = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import, functions=model.functions)
    part.graph.name = "actions"
    part.graph.node.extend(node for node in graph.node if needed.intersection(node.output))
    part.graph.initializer.extend(tensor for tensor in graph.initializer if tensor.name in needed)
    part.graph.input.extend(value for value in graph.input if value.name in needed)
    part.graph.output.extend(outputs)
    return part


def _does_not_fit(what: str, problem: str) -> UnsafeAgentError:
    return UnsafeAgentError("does-not-fit", f"{what} {problem}. {REMEDY}")
