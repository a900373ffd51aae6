from onnx import helper

from judge_corpus_agents import graph_then


def make(folder):
    zero = helper.make_node("Sub", ["linear", "linear"], ["zero"])
    graph_then(folder, zero, helper.make_node("Div", ["zero", "zero"], ["scores"]))
