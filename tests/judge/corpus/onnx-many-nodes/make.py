import itertools

from onnx import helper

from judge_corpus_agents import graph


def make(folder):
    names = ["observations", *(f"x{number}" for number in range(100_000))]
    graph(folder, extra=[helper.make_node("Identity", [a], [b]) for a, b in itertools.pairwise(names)])
