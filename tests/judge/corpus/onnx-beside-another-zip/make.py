from judge_corpus_agents import graph, honest_zip


def make(folder):
    graph(folder)
    honest_zip(folder, "ppo-CartPole-v1.zip")
