from onnx import TensorProto, helper

from judge_corpus_agents import graph_then


def make(folder):
    depth = helper.make_tensor("depth", TensorProto.INT64, (1,), [25 * 10**9])
    values = helper.make_tensor("values", TensorProto.FLOAT, (2,), [0.0, 1.0])
    index = helper.make_tensor("index", TensorProto.INT64, (1,), [0])
    graph_then(
        folder,
        *(helper.make_node("Constant", [], [part.name], value=part) for part in (depth, values, index)),
        helper.make_node("OneHot", ["index", "depth", "values"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["total"]),
        helper.make_node("Add", ["linear", "total"], ["scores"]),
    )
