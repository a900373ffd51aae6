from onnx import helper

from judge_corpus_agents import graph_then


def make(folder):
    graph_then(folder, helper.make_node("Concat", ["linear", "linear"], ["scores"], axis=0))
