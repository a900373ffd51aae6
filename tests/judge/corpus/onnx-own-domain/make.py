from judge_corpus_agents import graph


def make(folder):
    graph(folder, domain="mine")
