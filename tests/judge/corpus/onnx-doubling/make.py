import itertools

from onnx import helper

from judge_corpus_agents import graph_then


def make(folder):
    names = ["observations", *(f"x{number}" for number in range(32))]
    nodes = [helper.make_node("Concat", [a, a], [b], axis=1) for a, b in itertools.pairwise(names)]
    total = helper.make_node("ReduceSum", [names[-1]], ["total"])
    graph_then(folder, *nodes, total, helper.make_node("Add", ["linear", "total"], ["scores"]))
