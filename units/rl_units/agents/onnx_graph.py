"""What an ONNX file may hold: operators of feed-forward networks, weights inside, nothing that loops or draws lots."""

from collections.abc import Iterable, Set

import onnx

from rl_units.agents.excerpts import excerpt
from rl_units.errors import UnsafeAgentError

MAX_NODES = 5000
OPERATORS = frozenset(
    [
        "Abs", "Add", "ArgMax", "AveragePool", "BatchNormalization", "Cast", "Celu", "Clip", "Concat",
        "Constant", "Conv", "Div", "Elu", "Equal", "Erf", "Exp", "Flatten", "Gather", "Gelu", "Gemm",
        "GlobalAveragePool", "HardSigmoid", "HardSwish", "Identity", "LayerNormalization", "LeakyRelu", "Less",
        "Log", "LogSoftmax", "MatMul", "Max", "MaxPool", "Min", "Mish", "Mul", "Neg", "OneHot", "Pow", "ReduceMax",
        "ReduceMean", "ReduceSum", "Relu", "Reshape", "Selu", "Shape", "Sigmoid", "Slice", "Softmax",
        "Softplus", "Softsign", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tanh", "Transpose", "Unsqueeze",
    ]
)  # fmt: skip
"""Operators of ONNX's own domain that a network of layers needs. None loops, is random or reads a file. ML-Agents'
attention over entities needs `Less`.

That bounds what a graph can do, not what it can take: a chain of Concat doubles its input at every step, so a
stranger's graph is played under a memory limit.
"""


def check_graph(content: bytes, what: str) -> dict[str, str]:
    """Checks an ONNX file.

    Args:
        content: The file.
        what: Its name, for messages.

    Returns:
        The file's metadata.

    Raises:
        UnsafeAgentError: `damaged-onnx`; `external-data` if weights lie in another file; `unknown-operator` for
            anything outside `OPERATORS`, and for functions and graphs inside the graph.
    """
    model = parse_graph(content, what)
    check_model(model, what)
    return {entry.key: entry.value for entry in model.metadata_props}


def parse_graph(content: bytes, what: str) -> onnx.ModelProto:
    """Reads an ONNX file without looking at what its nodes do.

    Args:
        content: The file.
        what: Its name, for messages.

    Raises:
        UnsafeAgentError: `damaged-onnx`, also for more nodes than are read.
    """
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's errors have no stable home
        raise UnsafeAgentError("damaged-onnx", f"{what} is not an ONNX file.") from error
    n_nodes = len(model.graph.node)
    if not 1 <= n_nodes <= MAX_NODES:
        raise UnsafeAgentError("damaged-onnx", f"{what} has {n_nodes} nodes; 1 to {MAX_NODES} are read.")
    return model


def check_model(model: onnx.ModelProto, what: str, operators: Set[str] = OPERATORS) -> None:
    """Checks everything that would be run.

    Args:
        model: The model.
        what: Its file's name, for messages.
        operators: Those that it may use.

    Raises:
        UnsafeAgentError: `external-data` and `unknown-operator`, as `check_graph`.
    """
    graph = model.graph
    _refuse_external(graph.initializer, what)
    if model.functions or model.training_info or graph.sparse_initializer:
        raise UnsafeAgentError("unknown-operator", f"{what} brings functions of its own, which are not read.")
    for node in graph.node:
        _check_node(node, what, operators)


def _check_node(node: onnx.NodeProto, what: str, operators: Set[str]) -> None:
    if node.domain not in ("", "ai.onnx") or node.op_type not in operators:
        name = f"{node.domain}.{node.op_type}".lstrip(".")
        raise UnsafeAgentError("unknown-operator", f"{what} uses the operator {excerpt(name)!r}, which is not allowed.")
    for attribute in node.attribute:
        if attribute.HasField("g") or attribute.graphs or attribute.HasField("sparse_tensor"):
            raise UnsafeAgentError("unknown-operator", f"{what} has a graph inside the operator {node.op_type}.")
        _refuse_external([attribute.t, *attribute.tensors], what)


def _refuse_external(tensors: Iterable[onnx.TensorProto], what: str) -> None:
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data for tensor in tensors):
        raise UnsafeAgentError("external-data", f"{what} keeps weights in another file; export it as one file.")
