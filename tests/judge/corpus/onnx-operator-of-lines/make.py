from judge_corpus_agents import graph


def make(folder):
    graph(folder, operator="Gemm\n\x1b[2J" + "x" * 5000)
