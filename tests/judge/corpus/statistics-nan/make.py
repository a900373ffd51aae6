from judge_corpus_agents import statistics


def make(folder):
    statistics(folder, var={"": [float("nan")] * 4})
