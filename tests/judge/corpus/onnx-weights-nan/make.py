import onnx

from judge_corpus_agents import graph
from units.agents import hostile


def make(folder):
    model = onnx.load_model_from_string(hostile.graph(width=4, actions=2))
    model.graph.initializer[0].float_data[0] = float("nan")
    graph(folder, model.SerializeToString())
