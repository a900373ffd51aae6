from judge_corpus_agents import graph
from units.agents import hostile


def make(folder):
    graph(folder, extra=[hostile.graph_inside()])
