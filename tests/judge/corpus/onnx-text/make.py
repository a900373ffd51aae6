import onnx
from onnx import TensorProto

from judge_corpus_agents import graph
from units.agents import hostile


def make(folder):
    model = onnx.load_model_from_string(hostile.graph(width=4, actions=2))
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING
    graph(folder, model.SerializeToString())
