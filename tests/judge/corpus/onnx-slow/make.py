import itertools

from onnx import TensorProto, helper

from judge_corpus_agents import graph_then


def make(folder):
    large = helper.make_tensor("large", TensorProto.FLOAT, (2, 1), [0.0, 0.0])
    repeat = helper.make_tensor("repeat", TensorProto.INT64, (1,), [5_000_000])
    values = helper.make_tensor("values", TensorProto.FLOAT, (2,), [0.0, 1.0])
    index = helper.make_tensor("index", TensorProto.INT64, (1,), [0])
    constants = [helper.make_node("Constant", [], [part.name], value=part) for part in (large, repeat, values, index)]
    names = ["x", *(f"x{number}" for number in range(4000))]
    graph_then(
        folder,
        *constants,
        helper.make_node("OneHot", ["index", "repeat", "values"], ["long"]),
        helper.make_node("ReduceSum", ["linear"], ["some"]),
        helper.make_node("Mul", ["long", "some"], ["x"]),
        *(helper.make_node("Erf", [a], [b]) for a, b in itertools.pairwise(names)),
        helper.make_node("ReduceSum", [names[-1]], ["total"]),
        helper.make_node("Add", ["linear", "total"], ["scores"]),
    )
