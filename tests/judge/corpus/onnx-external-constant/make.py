from onnx import TensorProto, helper

from judge_corpus_agents import graph


def make(folder):
    tensor = helper.make_tensor("x", TensorProto.FLOAT, (1,), [0.0])
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    graph(folder, extra=[helper.make_node("Constant", [], ["x"], value=tensor)])
