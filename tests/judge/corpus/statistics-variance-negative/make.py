from judge_corpus_agents import statistics


def make(folder):
    statistics(folder, var={"": [-1.0] * 4})
