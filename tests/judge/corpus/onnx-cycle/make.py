from onnx import helper

from judge_corpus_agents import graph


def make(folder):
    graph(folder, extra=[helper.make_node("Relu", ["b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])])
