import onnx

from judge_corpus_agents import graph
from units.agents import hostile


def make(folder):
    model = onnx.load_model_from_string(hostile.graph(width=4, actions=2))
    kind = model.graph.input[0].type
    for _ in range(1000):
        kind = kind.sequence_type.elem_type
    kind.tensor_type.elem_type = 1
    graph(folder, model.SerializeToString())
