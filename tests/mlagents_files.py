"""Files of ML-Agents: small models that it exported itself (see `mlagents_models`), damaged ones, and repositories."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

FOLDER = Path(__file__).with_name("data") / "mlagents"
README = """---
library_name: ml-agents
tags:
- {behavior}
- deep-reinforcement-learning
- reinforcement-learning
- ML-Agents-{behavior}
---

  # **ppo** Agent playing **{behavior}**
"""

Change = Callable[[onnx.GraphProto], object]


@dataclass(frozen=True)
class Recording:
    """What ML-Agents' own policy did.

    Attributes:
        observations: `(n, *shape)` of each sensor.
        masks: `(n, sum of branches)`, 1 for choices that were allowed.
        continuous: `(n, continuous actions)`.
        discrete: `(n, branches)`.
    """

    observations: tuple[NDArray[np.float32], ...]
    masks: NDArray[np.float32]
    continuous: NDArray[np.float32]
    discrete: NDArray[np.int32]

    @property
    def row(self) -> NDArray[np.float32]:
        """All sensors side by side, as environments without sensors have them."""
        return np.concatenate([array.reshape(len(array), -1) for array in self.observations], axis=1)


def recording(name: str) -> Recording:
    """The recording beside a model."""
    with np.load(FOLDER / f"{name}.npz") as file:
        arrays: Mapping[str, NDArray[np.float32]] = dict(file)
    sensors = tuple(arrays[f"obs_{index}"] for index in range(len(arrays) - 3))
    return Recording(sensors, arrays["masks"], arrays["continuous"], arrays["discrete"])


def exported(name: str, *changes: Change) -> bytes:
    """A model as ML-Agents exported it, with something wrong if `changes` are given."""
    content = (FOLDER / f"{name}.onnx").read_bytes()
    if not changes:
        return content
    model = onnx.load_model_from_string(content)
    for change in changes:
        change(model.graph)
    return model.SerializeToString()


def pushed(behavior: str, content: bytes) -> dict[str, bytes | str]:
    """A repository as `mlagents-push-to-hf` makes it of a run."""
    return {
        "README.md": README.format(behavior=behavior),
        "config.json": "{}",
        "configuration.yaml": "behaviors: {}",
        f"{behavior}.onnx": content,
        f"{behavior}/{behavior}-5000.onnx": content,
        f"{behavior}/checkpoint.pt": b"weights for going on with the training",
        "run_logs/timers.json": "{}",
    }


def external(graph: onnx.GraphProto) -> None:
    """Keeps all weights in a file of the host."""
    for tensor in graph.initializer:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../etc/passwd")


def random_scores(graph: onnx.GraphProto) -> None:
    """Draws lots for what is called deterministic."""
    argmax = next(node for node in graph.node if node.op_type == "ArgMax")
    graph.node.insert(0, helper.make_node("RandomNormal", [], ["lots"], shape=[1, 2]))
    graph.node.append(helper.make_node("Add", [argmax.input[0], "lots"], ["drawn"]))
    argmax.input[0] = "drawn"
    _put_last(graph, argmax)


def nan_scores(graph: onnx.GraphProto) -> None:
    """Computes NaN for every score, whose largest is nevertheless a choice like any other."""
    argmax = next(node for node in graph.node if node.op_type == "ArgMax")
    graph.node.append(helper.make_node("Sub", [argmax.input[0], argmax.input[0]], ["zero"]))
    graph.node.append(helper.make_node("Div", ["zero", "zero"], ["nan"]))
    argmax.input[0] = "nan"
    _put_last(graph, argmax)


def _put_last(graph: onnx.GraphProto, argmax: onnx.NodeProto) -> None:
    """Moves a node, and the one that joins the choices, behind those that they depend on by now."""
    concat = next(node for node in graph.node if "deterministic_discrete_actions" in node.output)
    for node in (argmax, concat):
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        graph.node.remove(node)
        graph.node.append(copy)


def renamed(old: str, new: str) -> Change:
    """Gives an input or an output, and what it is called in the nodes, another name."""

    def change(graph: onnx.GraphProto) -> None:
        for value in (*graph.input, *graph.output):
            value.name = new if value.name == old else value.name
        for node in graph.node:
            for names in (node.input, node.output):
                names[:] = [new if name == old else name for name in names]

    return change


def declared(size: str, values: list[float]) -> Change:
    """Changes what the graph says of the sizes of its actions: `discrete_action_output_shape`, for example."""

    def change(graph: onnx.GraphProto) -> None:
        source = next(node.input[0] for node in graph.node if size in node.output)
        tensor = next(tensor for tensor in graph.initializer if tensor.name == source)
        tensor.CopyFrom(helper.make_tensor(source, TensorProto.FLOAT, [len(values)], values))

    return change


def with_operator(op_type: str, domain: str = "") -> Change:
    """Replaces the first Sigmoid by another operator."""

    def change(graph: onnx.GraphProto) -> None:
        node = next(node for node in graph.node if node.op_type == "Sigmoid")
        node.op_type, node.domain = op_type, domain

    return change


def shaped(name: str, *sizes: int | str) -> Change:
    """Declares an input with another shape."""

    def change(graph: onnx.GraphProto) -> None:
        value = next(value for value in graph.input if value.name == name)
        value.CopyFrom(helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes))

    return change
