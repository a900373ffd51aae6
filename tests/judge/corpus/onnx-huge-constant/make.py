from onnx import TensorProto, helper

from judge_corpus_agents import graph


def make(folder):
    tensor = helper.make_tensor("x", TensorProto.FLOAT, (15_000_000,), bytes(60_000_000), raw=True)
    graph(folder, extra=[helper.make_node("Constant", [], ["x"], value=tensor)])
